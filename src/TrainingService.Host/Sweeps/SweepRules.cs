using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Data;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>A sweep that can run: defaults filled in, arms listed, each one's job checked.</summary>
/// <param name="Spec">Resolved.</param>
/// <param name="Arms">The arms' jobs without tuned values and with the first seed.</param>
public sealed record CheckedSweep(SweepSpec Spec, IReadOnlyList<CheckedJob> Arms);

/// <summary>Every rule that a sweep must keep to be accepted.</summary>
public sealed class SweepRules(JobRules jobs)
{
    public const int MaxCells = 10_000, MaxArms = 1_000, DefaultSeeds = 6, DefaultTuneSeeds = 2, MaxContrasts = 1_000;

    // Nobody reads more.
    private const int MostErrors = 50;

    private static readonly Dictionary<string, IReadOnlyList<object?>> NoValues = [];

    private static readonly Dictionary<string, string> FixedFields = new()
    {
        ["name"] = "jobs are named after their sweep, arm and seed; give the arm a name",
        ["priority"] = "is the same for all cells and belongs into 'base'",
    };

    /// <summary>Adds an error for every broken rule; null if there is one.</summary>
    public CheckedSweep? Check(SweepSpec spec, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        if (spec.Name is not null && (spec.Name.Length > 200 || string.IsNullOrWhiteSpace(spec.Name)))
            errors.Add(new("/name", "must have 1 to 200 characters, not only blanks; leave it out for a sweep without a name"));
        var seeds = Seeds(spec, errors);
        var arms = Arms(spec, errors);
        var candidates = spec.Tune is null || CheckValues(spec.Tune, "tune", errors) ? CandidateCount(spec) : 0;
        var tuneSeeds = spec.TuneSeedCount ?? Math.Min(DefaultTuneSeeds, seeds.Count);
        if (spec.TuneSeedCount is not null && spec.Tune is null)
            errors.Add(new("/tuneSeedCount", "belongs to 'tune', which is not given"));
        else if (tuneSeeds < 1 || tuneSeeds > seeds.Count)
            errors.Add(new("/tuneSeedCount", $"must be from 1 to the number of seeds ({seeds.Count}), not {tuneSeeds}"));
        var cells = (long)arms.Count * (seeds.Count + (spec.Tune is null ? 0L : (long)candidates * tuneSeeds));
        if (arms.Count > MaxArms)
            errors.Add(new(spec.Grid is null ? "/arms" : "/grid", $"at most {MaxArms:N0} arms are allowed, not {arms.Count:N0}"));
        else if (cells > MaxCells)
            errors.Add(new("", $"the sweep would have {cells:N0} cells (arms times seeds, and what is tried in tuning); at most {MaxCells:N0} are allowed"));
        if (errors.Count > before)
            return null;

        var resolved = spec with { Arms = arms, Grid = null, Seeds = seeds, SeedCount = null, TuneSeedCount = spec.Tune is null ? null : tuneSeeds };
        var checkedArms = new List<CheckedJob>();
        var broken = new List<(int Arm, SpecError Error)>();
        for (var arm = 0; arm < arms.Count && broken.Count < MostErrors; arm++)
            if (Check(resolved, arm, spec, broken) is { } job)
                checkedArms.Add(job);
        foreach (var same in broken.GroupBy(b => b.Error, b => b.Arm))
            errors.Add(Culprits([.. same.Distinct()]) is { } culprits ? same.Key with { Message = $"{same.Key.Message} ({culprits})" } : same.Key);
        if (errors.Count > before)
            return null;
        resolved = resolved with { Base = WithPriority(spec.Base) };
        resolved = Compared(resolved, checkedArms, errors);
        return errors.Count > before ? null : new(resolved, checkedArms);

        // What is wrong in all arms is the base's own mistake.
        string? Culprits(int[] wrong) => wrong.Length == arms.Count ? null
            : $"in arm '{arms[wrong[0]].Name}'{(wrong.Length > 1 ? $" and {wrong.Length - 1} more" : "")}";
    }

    /// <summary>The job of an arm with a seed and, where values are tuned, a combination of these.</summary>
    /// <exception cref="InvalidOperationException">It was fine when the sweep was accepted, and no longer is: its data has gone.</exception>
    public CheckedJob Job(SweepSpec spec, int arm, int candidate, long seed)
    {
        var errors = new List<SpecError>();
        return Read(spec, arm, candidate, errors) is { } read && jobs.Check(Named(read, spec, arm, candidate, seed), errors) is { } job
            ? job : throw new InvalidOperationException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
    }

    /// <summary>Number of combinations of tuned values; 1, an empty one, where nothing is tuned.</summary>
    public static int CandidateCount(SweepSpec spec) => (spec.Tune ?? NoValues).Values.Aggregate(1, (count, values) => count * values.Count);

    /// <summary>A combination of tuned values, by pointer.</summary>
    public static IReadOnlyDictionary<string, object?> Candidate(SweepSpec spec, int index) =>
        // In an order of their own: jsonb does not keep that of the request, and cells refer to combinations by index.
        Combination((spec.Tune ?? NoValues).OrderBy(values => values.Key, StringComparer.Ordinal), index);

    /// <summary>Sweeps are work in the background: a single job that somebody waits for goes first unless the request says otherwise.</summary>
    private static JobSpec WithPriority(JobSpec job) => job with { Priority = job.Priority ?? "low" };

    /// <summary>With the cell's seed and a name that tells where it belongs.</summary>
    public static JobSpec Named(JobSpec job, SweepSpec spec, int arm, int candidate, long seed)
    {
        var name = $"{spec.Name ?? "sweep"} · {spec.Arms![arm].Name}{(candidate < 0 ? "" : $" · tuning {candidate + 1}")} · seed {seed}";
        return WithPriority(job) with { Name = name.Length <= 200 ? name : name[..200], Training = (job.Training ?? new()) with { Seed = seed } };
    }

    private CheckedJob? Check(SweepSpec resolved, int arm, SweepSpec given, List<(int Arm, SpecError Error)> errors)
    {
        CheckedJob? job = null;
        var candidates = given.Tune is null ? [-1] : Enumerable.Range(0, CandidateCount(given)).Append(-1);
        foreach (var candidate in candidates)
        {
            var own = new List<SpecError>();
            job = Read(resolved, arm, candidate, own) is { } read ? jobs.Check(Named(read, resolved, arm, candidate, resolved.Seeds![0]), own) : null;
            errors.AddRange(own.Select(error => (arm, error with { Pointer = Place(given, arm, error.Pointer) })));
            if (job is not null && given.Tune is not null && job.Plan.Data.ValidationRows == 0)
                errors.Add((arm, new("/base/dataset/validationFraction", "must be above 0, since tuning chooses by validation rows")));
            if (own.Count > 0)
                return null;
        }
        return job;
    }

    /// <summary>Where the client wrote what is wrong: in the arm's patch, the grid, the tuned values, or else the base.</summary>
    private static string Place(SweepSpec given, int arm, string pointer)
    {
        if (given.Grid?.Keys.FirstOrDefault(key => Touches(key, pointer)) is { } inGrid)
            return $"/grid/{JsonShape.Escape(inGrid)}";
        if (given.Tune?.Keys.FirstOrDefault(key => Touches(key, pointer)) is { } inTune)
            return $"/tune/{JsonShape.Escape(inTune)}";
        if (given.Arms?[arm].Patch is { } patch && Reaches(JsonSerializer.SerializeToNode(patch, Json.Options)!, pointer.Split('/').Skip(1)))
            return $"/arms/{arm}/patch{pointer}";
        return $"/base{pointer}";

        static bool Touches(string key, string pointer) => pointer == key || pointer.StartsWith(key + "/", StringComparison.Ordinal)
            || key.StartsWith(pointer + "/", StringComparison.Ordinal) && pointer.Length > 0;
        static bool Reaches(JsonNode node, IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                if (node is not JsonObject fields)
                    return true;
                if (!fields.TryGetPropertyValue(name, out var next))
                    return false;
                if (next is null)
                    return true;
                node = next;
            }
            return true;
        }
    }

    private static JobSpec? Read(SweepSpec spec, int arm, int candidate, List<SpecError> errors)
    {
        // With its optimizer, so that the rate alone can be varied where the base leaves the rest to defaults.
        var training = spec.Base.Training ?? new();
        var node = JsonSerializer.SerializeToNode(spec.Base with { Training = training with { Optimizer = training.Optimizer ?? OptimizerSpec.Default } }, Json.Options);
        if (spec.Arms![arm].Patch is { } patch)
            node = MergePatch.Apply(node, JsonSerializer.SerializeToNode(patch, Json.Options));
        if (candidate >= 0)
            foreach (var (pointer, value) in Candidate(spec, candidate))
                node = MergePatch.Apply(node, MergePatch.At(pointer, JsonSerializer.SerializeToNode(value, Json.Options)));
        return JsonBody.Read<JobSpec>(JsonSerializer.SerializeToElement(node, Json.Options), errors);
    }

    private static IReadOnlyList<long> Seeds(SweepSpec spec, ICollection<SpecError> errors)
    {
        if (spec.Seeds is { } seeds)
        {
            if (spec.SeedCount is not null)
                errors.Add(new("/seedCount", "'seeds' and 'seedCount' exclude each other"));
            if (seeds.Count is 0 or > MaxCells)
                errors.Add(new("/seeds", $"must hold 1 to {MaxCells:N0} seeds, not {seeds.Count}"));
            if (seeds.CountBy(s => s).FirstOrDefault(s => s.Value > 1) is { Value: > 1 } twice)
                errors.Add(new("/seeds", $"{twice.Key} is given {twice.Value} times: an equal seed repeats a run bit for bit and is no further evidence"));
            return seeds;
        }
        var count = spec.SeedCount ?? DefaultSeeds;
        if (count is < 1 or > MaxCells)
        {
            errors.Add(new("/seedCount", $"must be from 1 to {MaxCells:N0}, not {count}"));
            return [1];
        }
        return [.. Enumerable.Range(1, count).Select(seed => (long)seed)];
    }

    private static bool Sets(ArmSpec arm, string pointer)
    {
        var node = JsonSerializer.SerializeToNode(arm.Patch, Json.Options);
        foreach (var name in pointer.Split('/').Skip(1))
            if (node is not JsonObject fields || !fields.TryGetPropertyValue(name, out node))
                return false;
        return true;
    }

    private static IReadOnlyList<ArmSpec> Arms(SweepSpec spec, ICollection<SpecError> errors)
    {
        if (spec.Arms is { } arms)
        {
            if (spec.Grid is not null)
                errors.Add(new("/grid", "'arms' and 'grid' exclude each other"));
            if (arms.Count == 0)
                errors.Add(new("/arms", "must hold at least one arm; leave it out to run the base alone"));
            foreach (var (index, arm) in arms.Index())
            {
                if (string.IsNullOrWhiteSpace(arm.Name) || arm.Name.Length > 100)
                    errors.Add(new($"/arms/{index}/name", "must have 1 to 100 characters, not only blanks"));
                else if (arms.Take(index).Any(other => other.Name == arm.Name))
                    errors.Add(new($"/arms/{index}/name", $"there is another arm '{arm.Name}'; names must differ"));
                foreach (var (field, why) in FixedFields)
                    if (arm.Patch?.ContainsKey(field) == true)
                        errors.Add(new($"/arms/{index}/patch/{field}", why));
                if (arm.Patch?.GetValueOrDefault("training") is JsonElement { ValueKind: JsonValueKind.Object } training && training.TryGetProperty("seed", out _))
                    errors.Add(new($"/arms/{index}/patch/training/seed", "seeds are given by 'seeds' or 'seedCount', the same for all arms"));
            }
            foreach (var (index, arm) in arms.Index())
                foreach (var pointer in (spec.Tune ?? NoValues).Keys.Where(pointer => Sets(arm, pointer)))
                    errors.Add(new($"/arms/{index}/patch{pointer}", "is tuned ('tune' gives its values), so an arm must not set it"));
            return arms;
        }
        if (spec.Grid is not null)
            foreach (var pointer in (spec.Tune ?? NoValues).Keys.Where(spec.Grid.ContainsKey))
                errors.Add(new($"/tune/{JsonShape.Escape(pointer)}", "is varied by 'grid' already"));
        if (spec.Grid is null)
            return [new() { Name = "base" }];
        if (!CheckValues(spec.Grid, "grid", errors))
            return [];
        var combinations = Enumerable.Range(0, spec.Grid.Values.Aggregate(1, (count, values) => count * values.Count)).Select(index => Combination(spec.Grid, index));
        var named = combinations.Select(values => new ArmSpec
        {
            Name = Shorten(string.Join(", ", values.Select(value => Label(value.Key, value.Value)))),
            // What holds a place comes before the place: an optimizer before its learning rate.
            Patch = values.OrderBy(value => value.Key, StringComparer.Ordinal).Aggregate(new JsonObject(), (patch, value) =>
                (JsonObject)MergePatch.Apply(patch, MergePatch.At(value.Key, Node(value.Value)))!).Deserialize<Dictionary<string, object?>>(Json.Options),
        }).ToList();
        if (named.CountBy(arm => arm.Name).FirstOrDefault(arm => arm.Value > 1) is { Value: > 1 } same)
            errors.Add(new("/grid", $"{same.Value} combinations would be called '{same.Key}': leave out values that are given twice, or name them as 'arms'"));
        return named;
    }

    private static bool CheckValues(IReadOnlyDictionary<string, IReadOnlyList<object?>> values, string field, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        if (values.Count == 0)
            errors.Add(new($"/{field}", "must hold at least one JSON pointer with values, such as {\"/model/activation\": [\"relu\", \"leaky_relu\"]}"));
        var combinations = 1.0;
        foreach (var (pointer, list) in values)
        {
            var place = $"/{field}/{JsonShape.Escape(pointer)}";
            if (!pointer.StartsWith('/') || pointer.Length < 2)
                errors.Add(new(place, $"'{pointer}' is not a JSON pointer into the job: did you mean '/{pointer.Replace('.', '/')}'?"));
            else if (pointer == "/training/seed")
                errors.Add(new(place, "seeds are given by 'seeds' or 'seedCount'"));
            else if (FixedFields.TryGetValue(pointer[1..], out var why))
                errors.Add(new(place, why));
            else if (pointer.Split('/').Skip(1).FirstOrDefault(part => part.Length > 0 && part.All(char.IsAsciiDigit)) is { } index)
                errors.Add(new(place, $"'{index}' points into a list: give whole lists as values, such as {{\"/model/hiddenLayers\": [[64], [64, 64]]}}"));
            if (list.Count == 0)
                errors.Add(new(place, "must hold at least one value"));
            combinations *= list.Count;
        }
        if (combinations > MaxCells)
            errors.Add(new($"/{field}", $"has {combinations:N0} combinations; at most {MaxCells:N0} are allowed"));
        return errors.Count == before;
    }

    /// <summary>Metric, baseline, delta and contrasts.</summary>
    private static SweepSpec Compared(SweepSpec spec, List<CheckedJob> arms, ICollection<SpecError> errors)
    {
        var targets = arms.Select(arm => arm.Plan.Data.Target).Distinct().ToArray();
        if (targets.Length > 1)
            errors.Add(new("/arms", "some arms predict classes and others numbers: they can't be compared"));
        var name = spec.Metric ?? (targets[0] == TargetKind.Classes ? "testAccuracy" : "testRmse");
        var metric = SweepMetrics.Find(name);
        var fitting = SweepMetrics.All.Where(m => m.Target is null || m.Target == targets[0]).Select(m => m.Name).ToArray();
        if (metric is null)
            errors.Add(new("/metric", $"unknown metric '{name}'; allowed are {string.Join(", ", fitting)}{Names.DidYouMean(name, fitting)}"));
        else if (!fitting.Contains(name))
            errors.Add(new("/metric", $"'{name}' is not measured on this data; allowed are {string.Join(", ", fitting)}"));
        if (name.StartsWith("validation", StringComparison.Ordinal) && arms.Exists(arm => arm.Plan.Data.ValidationRows == 0))
            errors.Add(new("/metric", $"'{name}' needs validation rows: set /base/dataset/validationFraction above 0"));
        var delta = spec.Delta ?? metric?.Delta;
        if (delta is not null && !(delta > 0))
            errors.Add(new("/delta", $"must be above 0, not {delta}"));
        else if (delta is null && metric is not null && spec.Arms!.Count > 1)
            errors.Add(new("/delta", $"is required for '{name}', whose scale depends on the data: the difference, in the metric's unit, that does not matter to you"));
        else if (metric?.Outcome.IsFraction == true && delta >= 1)
            errors.Add(new("/delta", $"is a share here, 0.005 for half a point; did you mean {delta / 100}?"));
        var known = spec.Arms!.Select(arm => arm.Name).ToArray();
        var baseline = spec.Baseline ?? known[0];
        if (!known.Contains(baseline))
            errors.Add(new("/baseline", Unknown(baseline)));
        if (spec.Contrasts?.Count > MaxContrasts)
            errors.Add(new("/contrasts", $"at most {MaxContrasts:N0} comparisons are allowed, not {spec.Contrasts.Count:N0}"));
        foreach (var (index, contrast) in (spec.Contrasts ?? []).Take(MaxContrasts).Index())
        {
            if (spec.Contrasts!.Take(index).Contains(contrast))
                errors.Add(new($"/contrasts/{index}", $"'{contrast.Arm}' is compared with '{contrast.Baseline}' already; to ask twice would only raise the adjusted p-values"));
            if (!known.Contains(contrast.Arm))
                errors.Add(new($"/contrasts/{index}/arm", Unknown(contrast.Arm)));
            if (!known.Contains(contrast.Baseline))
                errors.Add(new($"/contrasts/{index}/baseline", Unknown(contrast.Baseline)));
            if (contrast.Arm == contrast.Baseline)
                errors.Add(new($"/contrasts/{index}", $"compares '{contrast.Arm}' with itself"));
        }
        return spec with
        {
            Metric = name,
            Baseline = baseline,
            Delta = delta,
            Contrasts = spec.Contrasts ?? [.. known.Where(arm => arm != baseline).Select(arm => new ContrastSpec { Arm = arm, Baseline = baseline })],
        };

        string Unknown(string arm) => $"there is no arm '{arm}'{(Names.DidYouMean(arm, known) is { Length: > 0 } hint ? hint : $": there are {string.Join(", ", known.Take(20))}")}";
    }

    /// <summary>The index's combination, the last pointer varying fastest.</summary>
    private static Dictionary<string, object?> Combination(IEnumerable<KeyValuePair<string, IReadOnlyList<object?>>> values, int index)
    {
        var combination = new Dictionary<string, object?>();
        foreach (var (pointer, list) in values.Reverse())
        {
            combination[pointer] = list[index % list.Count];
            index /= list.Count;
        }
        return combination.Reverse().ToDictionary();
    }

    private static string Label(string pointer, object? value) => Node(value) switch
    {
        JsonObject named when named["name"] is JsonValue name => named.Count == 1 ? $"{name}"
            : $"{name}({string.Join(", ", named.Where(field => field.Key != "name").Select(field => $"{field.Key}={field.Value}"))})",
        JsonValue text when text.GetValueKind() == JsonValueKind.String => $"{text}",
        var other => $"{pointer.Split('/')[^1]}={other?.ToJsonString() ?? "null"}",
    };

    private static JsonNode? Node(object? value) => JsonSerializer.SerializeToNode(value, Json.Options);

    private static string Shorten(string name) => name.Length <= 100 ? name : name[..100];
}
