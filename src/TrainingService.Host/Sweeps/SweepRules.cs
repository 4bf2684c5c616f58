using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Sweeps;

/// <summary>What an operator can set of sweeps.</summary>
/// <param name="Cells">Most that one may have, <c>TRAINING_SWEEP_CELLS</c>.</param>
public sealed record SweepLimits(int Cells)
{
    public const string CellsSetting = "TRAINING_SWEEP_CELLS";

    public static SweepLimits Read(IConfiguration configuration) =>
        new(Math.Min(SweepRules.MaxCells, configuration.WholeNumber(CellsSetting, SweepRules.MaxCells, "cells", least: 1)));
}

/// <summary>Every rule that a sweep must keep to be accepted.</summary>
public sealed class SweepRules(JobRules jobs, SweepLimits limits)
{
    public const int MaxCells = 10_000, MaxArms = 1_000, DefaultSeeds = 6, DefaultMostSeeds = 60, ManyTestRows = 2_000,
        MaxContrasts = 1_000, MaxArmName = 100;

    private const string Shared = "jobs are shared with their sweep: give 'visibility' beside 'base'";

    private const string Told = "it is told when the sweep ends, not its jobs: give 'notifyUrl' beside 'base'";

    private const string SeedsElsewhere = "seeds are given by 'seeds' or 'seedCount'";

    // Nobody reads more.
    private const int MostErrors = 50;

    /// <summary>Characters that the specs of all arms may have together, each being stored whole.</summary>
    private const long MostSpecs = 50_000_000;

    private static readonly Dictionary<string, IReadOnlyList<object?>> NoValues = [];
    private static readonly Dictionary<string, object?> NoValue = [];

    private static readonly Dictionary<string, string> FixedFields = new()
    {
        ["name"] = "jobs are named after their sweep, arm and seed; give the arm a name",
        ["priority"] = "is the same for all cells and belongs into 'base'",
        ["visibility"] = Shared,
        ["notifyUrl"] = Told,
    };

    /// <summary>As it is called; null of none, and of one that is refused, for an error that is added.</summary>
    public string? NotifyUrl(string? url, ICollection<SpecError> errors) => jobs.NotifyUrl(url, errors);

    /// <summary>Adds an error for every broken rule; null if there is one.</summary>
    public SweepPlan? Check(SweepSpec spec, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        if (spec.Name is not null && (Characters.Exceeds(spec.Name, JobRules.MaxName) || string.IsNullOrWhiteSpace(spec.Name)))
            errors.Add(new("/name", "must have 1 to 200 characters, not only blanks; leave it out for a sweep without a name"));
        if (spec.Base.Visibility is not null)
            errors.Add(new("/base/visibility", Shared));
        if (spec.Base.NotifyUrl is not null)
            errors.Add(new("/base/notifyUrl", Told));
        NotifyUrl(spec.NotifyUrl, errors);
        var until = Until(spec, errors);
        var seeds = until is { AtLeast: { } atLeast } ? Listed(atLeast) : Seeds(spec, errors);
        var mostSeeds = until?.AtMost ?? seeds.Count;
        var arms = Arms(spec, errors);
        var candidates = spec.Tune is null || CheckValues(spec.Tune, "tune", errors) ? Combinations(spec.Tune) : 0;
        // Each seed tries all, and one of the trials is the cell that is compared.
        var cells = (long)arms.Count * mostSeeds * Math.Max(1, candidates);
        if (arms.Count > MaxArms)
            errors.Add(new(spec.Grid is null ? "/arms" : "/grid", $"at most {MaxArms:N0} arms are allowed, not {arms.Count:N0}"));
        else if (cells > limits.Cells)
            errors.Add(new("", $"the sweep would have {cells:N0} cells (arms times seeds"
                + $"{(spec.Tune is null ? "" : $" times {candidates:N0} tuned combinations, since every seed tries all")}); "
                + $"at most {limits.Cells:N0} are allowed{(limits.Cells < MaxCells ? $" ({SweepLimits.CellsSetting})" : "")}"));
        if (errors.Count > before)
            return null;

        var job = Json.ObjectOf(spec.Base);
        var specs = (job.ToJsonString().Length + 1000L) * arms.Count * Math.Max(1, candidates);
        if (specs > MostSpecs)
        {
            errors.Add(new("/base", $"would be stored once for each arm{(spec.Tune is null ? "" : " and tuned combination")}, about "
                + $"{specs / 1e6:N0} MB in all; at most {MostSpecs / 1e6:N0} MB are allowed: use fewer arms, or a shorter base"));
            return null;
        }
        var checkedArms = new List<CheckedJob>();
        var broken = new List<(int Arm, SpecError Error)>();
        foreach (var (index, arm) in arms.Index().TakeWhile(_ => broken.Count < MostErrors))
            if (Check(spec, job, arm, index, seeds[0], broken) is { } ran)
                checkedArms.Add(ran);
        foreach (var same in broken.GroupBy(b => b.Error, b => b.Arm))
            errors.Add(Culprits([.. same.Distinct()]) is { } culprits
                ? same.Key with { Message = $"{same.Key.Message} ({culprits})" } : same.Key);
        var plan = errors.Count > before ? null : Compared(spec, arms, seeds, checkedArms, errors);
        if (until is not null && plan?.Contrasts.Count == 0)
            errors.Add(new("/seeds", "there is nothing to decide, since no arms are compared: "
                + "give two arms or more, or the seeds themselves"));
        return errors.Count > before || plan is null ? null : plan with { Until = until, BudgetSeconds = spec.BudgetSeconds };

        // What is wrong in all arms is the base's own mistake.
        string? Culprits(int[] wrong) => wrong.Length == arms.Count ? null
            : $"in arm '{arms[wrong[0]].Name}'{(wrong.Length > 1 ? $" and {wrong.Length - 1} more" : "")}";
    }

    /// <summary>The job of an arm with a seed and, where values are tuned, a combination of these.</summary>
    /// <exception cref="InvalidOperationException">It was fine when the sweep was accepted, and no longer is:
    /// its data has gone.</exception>
    public CheckedJob Job(SweepPlan plan, int arm, int candidate, long seed)
    {
        var errors = new List<SpecError>();
        return Read(Json.ObjectOf(plan.Base), plan.Arms[arm], candidate < 0 ? NoValue : Candidate(plan.Tune, candidate), errors) is { } read
            && jobs.Check(Named(read, plan.Name, plan.Arms[arm], candidate, seed, plan.TestSplit), errors) is { } job
            ? job : throw new InvalidOperationException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
    }

    /// <summary>Number of combinations of the values; 1, an empty one, where there are none.</summary>
    public static int Combinations(IReadOnlyDictionary<string, IReadOnlyList<object?>>? values) =>
        (values ?? NoValues).Values.Aggregate(1, (count, list) => count * list.Count);

    /// <summary>A combination of tuned values, by pointer.</summary>
    public static IReadOnlyDictionary<string, object?> Candidate(IReadOnlyDictionary<string, IReadOnlyList<object?>>? tune, int index) =>
        Combination(Ordered(tune), index);

    /// <summary>Of each list in turn: the place of the combination's value, and how many values there are.</summary>
    public static IEnumerable<(int Index, int Count)> Places(IReadOnlyDictionary<string, IReadOnlyList<object?>>? tune, int index)
    {
        foreach (var (_, list) in Ordered(tune).Reverse())
        {
            yield return (index % list.Count, list.Count);
            index /= list.Count;
        }
    }

    // In an order of their own: jsonb does not keep that of the request, and cells refer to combinations by index.
    private static IOrderedEnumerable<KeyValuePair<string, IReadOnlyList<object?>>> Ordered(
        IReadOnlyDictionary<string, IReadOnlyList<object?>>? tune) =>
        (tune ?? NoValues).OrderBy(values => values.Key, StringComparer.Ordinal);

    /// <summary>
    /// Sweeps are work in the background: a single job that somebody waits for goes first unless the request says otherwise.
    /// </summary>
    private static JobSpec WithPriority(JobSpec job) => job with { Priority = job.Priority ?? "low" };

    /// <summary>With the cell's seed and a name that tells where it belongs.</summary>
    public static JobSpec Named(JobSpec job, string? sweep, ArmSpec arm, int candidate, long seed, TestSplit? testSplit)
    {
        return WithPriority(job) with
        {
            Name = NameOf(sweep, arm, candidate, seed),
            Dataset = job.Dataset with { TestSplit = testSplit },
            Training = (job.Training ?? new()) with { Seed = seed },
        };
    }

    /// <summary>What a cell's job is called.</summary>
    public static string NameOf(string? sweep, ArmSpec arm, int candidate, long seed) => Characters.Cut(
        $"{sweep ?? "sweep"} · {arm.Name}{(candidate < 0 ? "" : $" · tuning {candidate + 1}")} · seed {seed}", JobRules.MaxName);

    private CheckedJob? Check(SweepSpec given, JsonObject job, ArmSpec arm, int index, long seed, List<(int Arm, SpecError Error)> errors)
    {
        CheckedJob? ran = null;
        foreach (var candidate in given.Tune is null ? [-1] : Enumerable.Range(0, Combinations(given.Tune)).Append(-1))
        {
            var own = new List<SpecError>();
            var read = Read(job, arm, candidate < 0 ? NoValue : Candidate(given.Tune, candidate), own);
            if (read?.Dataset.TestSplit is { } split && split != given.Base.Dataset.TestSplit)
                own.Add(new("/dataset/testSplit", "is the same for all arms and seeds: give 'testSplit' beside 'base'"));
            ran = read is null ? null : jobs.Check(Named(read, given.Name, arm, candidate, seed, null), own);
            errors.AddRange(own.Select(error => (index, error with { Pointer = Place(given, index, error.Pointer) })));
            if (ran is not null && given.Tune is not null && ran.Plan.Data.ValidationRows == 0)
                errors.Add((index, new("/base/dataset/validationFraction", "must be above 0, since tuning chooses by validation rows")));
            if (own.Count > 0)
                return null;
        }
        return ran;
    }

    /// <summary>Where the client wrote what is wrong: in the arm's patch, the grid, the tuned values, or else the base.</summary>
    private static string Place(SweepSpec given, int arm, string pointer)
    {
        if (given.Grid?.Keys.FirstOrDefault(key => Touches(key, pointer)) is { } inGrid)
            return $"/grid/{JsonShape.Escape(inGrid)}";
        if (given.Tune?.Keys.FirstOrDefault(key => Touches(key, pointer)) is { } inTune)
            return $"/tune/{JsonShape.Escape(inTune)}";
        if (given.Arms?[arm].Patch is { } patch && Reaches(Json.ObjectOf(patch), pointer.Split('/').Skip(1).Select(JsonShape.Unescape)))
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

    private static JobSpec? Read(JsonObject job, ArmSpec arm, IReadOnlyDictionary<string, object?> tuned, List<SpecError> errors)
    {
        if (arm.Patch is { } patch)
            job = MergePatch.Apply(job, Json.ObjectOf(patch));
        if (tuned.Count > 0)
            job = MergePatch.Apply(job, MergePatch.Replacing(job, tuned));
        return JsonBody.Read<JobSpec>(JsonSerializer.SerializeToElement(job, Json.Options), errors);
    }

    private static IReadOnlyList<long> Seeds(SweepSpec spec, ICollection<SpecError> errors)
    {
        if (spec.Seeds is { List: null })
            return Listed(DefaultSeeds);   // something is wrong with it
        if (spec.Seeds?.List is { } seeds)
        {
            if (spec.SeedCount is not null)
                errors.Add(new("/seedCount", "'seeds' and 'seedCount' exclude each other"));
            if (seeds.Count is 0 or > MaxCells)
                errors.Add(new("/seeds", $"must hold 1 to {MaxCells:N0} seeds, not {seeds.Count}"));
            if (seeds.CountBy(s => s).FirstOrDefault(s => s.Value > 1) is { Value: > 1 } twice)
                errors.Add(new("/seeds",
                    $"{twice.Key} is given {twice.Value} times: an equal seed repeats a run bit for bit and is no further evidence"));
            return seeds;
        }
        var count = spec.SeedCount ?? DefaultSeeds;
        if (count is < 1 or > MaxCells)
        {
            errors.Add(new("/seedCount", $"must be from 1 to {MaxCells:N0}, not {count}"));
            return [1];
        }
        return Listed(count);
    }

    /// <summary>The seeds 1 to this number.</summary>
    public static IReadOnlyList<long> Listed(int count) => [.. Enumerable.Range(1, count).Select(seed => (long)seed)];

    /// <summary>Until when seeds shall come, with both bounds; null if they are given, or if something is wrong with it.</summary>
    private static UntilSpec? Until(SweepSpec spec, ICollection<SpecError> errors)
    {
        if (spec.BudgetSeconds is not null && spec.Seeds?.Until is null)
            errors.Add(new("/budgetSeconds", "belongs to seeds that come until something is decided: "
                + "give 'seeds': {\"until\": \"decided\"}; given seeds all run"));
        if (spec.BudgetSeconds is { } budget && !(budget > 0))
            errors.Add(new("/budgetSeconds", $"must be above 0, not {budget}"));
        if (spec.Seeds?.Until is not { } until)
            return null;
        var before = errors.Count;
        if (spec.SeedCount is not null)
            errors.Add(new("/seedCount", "'seeds' and 'seedCount' exclude each other; how many there are at most is 'seeds/atMost'"));
        if (Names.Same(until.Until, [UntilSpec.Decided]) is null)
            errors.Add(new("/seeds/until", $"unknown word '{until.Until}'{Names.DidYouMean(until.Until, [UntilSpec.Decided])}; "
                + $"allowed is '{UntilSpec.Decided}'"));
        Fields.Check(until, "/seeds", errors);
        var (least, most) = (until.AtLeast ?? Math.Min(DefaultSeeds, until.AtMost ?? DefaultSeeds),
            until.AtMost ?? Math.Max(DefaultMostSeeds, until.AtLeast ?? 0));
        if (errors.Count == before && least > most)
            errors.Add(new("/seeds/atLeast", $"must be at most 'atMost' ({most}), not {least}"));
        return errors.Count > before ? null : new() { Until = UntilSpec.Decided, AtLeast = least, AtMost = most };
    }

    /// <summary>Whether the patch gives a value to the place, a part of it or all around it; to take it out is none.</summary>
    private static bool Sets(ArmSpec arm, string pointer)
    {
        JsonNode? node = JsonSerializer.SerializeToNode(arm.Patch, Json.Options);
        foreach (var name in pointer.Split('/').Skip(1).Select(JsonShape.Unescape))
            node = (node as JsonObject)?[name];
        return node is not null;
    }

    private static IReadOnlyList<ArmSpec> Arms(SweepSpec spec, ICollection<SpecError> errors)
    {
        if (spec.Arms is null)
            return spec.Grid is null ? [new() { Name = "base" }] : Grid(spec, spec.Grid, errors);
        if (spec.Grid is not null)
            errors.Add(new("/grid", "'arms' and 'grid' exclude each other"));
        if (spec.Arms.Count == 0)
            errors.Add(new("/arms", "must hold at least one arm; leave it out to run the base alone"));
        var names = new HashSet<string?>();
        foreach (var (index, arm) in spec.Arms.Index())
        {
            if (string.IsNullOrWhiteSpace(arm.Name) || Characters.Exceeds(arm.Name, MaxArmName))
                errors.Add(new($"/arms/{index}/name", $"must have 1 to {MaxArmName} characters, not only blanks"));
            else if (!names.Add(arm.Name))
                errors.Add(new($"/arms/{index}/name", $"there is another arm '{arm.Name}'; names must differ"));
            foreach (var (field, why) in FixedFields)
                if (arm.Patch?.ContainsKey(field) == true)
                    errors.Add(new($"/arms/{index}/patch/{field}", why));
            if (arm.Patch?.GetValueOrDefault("training") is JsonElement training && HasSeed(training))
                errors.Add(new($"/arms/{index}/patch/training/seed", $"{SeedsElsewhere}, the same for all arms"));
        }
        foreach (var (index, arm) in spec.Arms.Index())
            foreach (var pointer in (spec.Tune ?? NoValues).Keys.Where(pointer => Sets(arm, pointer)))
                errors.Add(new($"/arms/{index}/patch{pointer}", "is tuned ('tune' gives its values), so an arm must not set it"));
        return spec.Arms;
    }

    private static bool HasSeed(object? training) =>
        training is JsonElement { ValueKind: JsonValueKind.Object } fields && fields.TryGetProperty("seed", out _);

    private static List<ArmSpec> Grid(SweepSpec spec,
        IReadOnlyDictionary<string, IReadOnlyList<object?>> grid, ICollection<SpecError> errors)
    {
        if (!CheckValues(grid, "grid", errors))
            return [];
        var job = Json.ObjectOf(spec.Base);
        var arms = Enumerable.Range(0, Combinations(grid)).Select(index => Combination(grid, index)).Select(values => new ArmSpec
        {
            Name = Characters.Cut(string.Join(", ", values.Select(value => Label(value.Key, value.Value))), MaxArmName),
            Patch = MergePatch.Replacing(job, values).Deserialize<Dictionary<string, object?>>(Json.Options),
        }).ToList();
        foreach (var pointer in (spec.Tune ?? NoValues).Keys.Where(
            pointer => grid.ContainsKey(pointer) || arms.Exists(arm => Sets(arm, pointer))))
            errors.Add(new($"/tune/{JsonShape.Escape(pointer)}", "is varied by 'grid' already"));
        if (arms.CountBy(arm => arm.Name).FirstOrDefault(arm => arm.Value > 1) is { Value: > 1 } same)
            errors.Add(new("/grid",
                $"{same.Value} combinations would be called '{same.Key}': leave out values that are given twice, or name them as 'arms'"));
        return arms;
    }

    private static bool CheckValues(IReadOnlyDictionary<string, IReadOnlyList<object?>> values, string field, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        if (values.Count == 0)
            errors.Add(new($"/{field}",
                "must hold at least one JSON pointer with values, such as {\"/model/activation\": [\"relu\", \"leaky_relu\"]}"));
        var combinations = 1.0;
        foreach (var (pointer, list) in values)
        {
            var place = $"/{field}/{JsonShape.Escape(pointer)}";
            if (!pointer.StartsWith('/') || pointer.Length < 2)
                errors.Add(new(place, $"'{pointer}' is not a JSON pointer into the job: did you mean '/{pointer.Replace('.', '/')}'?"));
            else if (pointer == "/training/seed" || (pointer == "/training" && list.Any(HasSeed)))
                errors.Add(new(place, SeedsElsewhere));
            else if (FixedFields.TryGetValue(pointer[1..], out var why))
                errors.Add(new(place, why));
            else if (pointer.Split('/').Skip(1).FirstOrDefault(part => part.Length > 0 && part.All(char.IsAsciiDigit)) is { } index)
                errors.Add(new(place,
                    $"'{index}' points into a list: give whole lists as values, such as {{\"/model/hiddenLayers\": [[64], [64, 64]]}}"));
            if (list.Count == 0)
                errors.Add(new(place, "must hold at least one value"));
            combinations *= list.Count;
        }
        if (combinations > MaxCells)
            errors.Add(new($"/{field}", $"has {combinations:N0} combinations; at most {MaxCells:N0} are allowed"));
        return errors.Count == before;
    }

    /// <summary>The checked sweep with its metric, baseline, delta and contrasts.</summary>
    private SweepPlan? Compared(SweepSpec spec, IReadOnlyList<ArmSpec> arms,
        IReadOnlyList<long> seeds, List<CheckedJob> ran, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        if (spec.TestSplit is { } wanted && spec.Base.Dataset.TestSplit is { } ofBase && wanted != ofBase)
            errors.Add(new("/testSplit",
                $"is {Json.NameOf(wanted)}, but /base/dataset/testSplit is {Json.NameOf(ofBase)}; leave one of them out"));
        var shortest = ran.Select(arm => arm.Plan.Data).MinBy(rows => rows.TrainRows) ?? ran[0].Plan.Data;
        var targets = ran.Select(arm => arm.Plan.Data.Target).Distinct().ToArray();
        CheckData(spec, arms, ran, errors);
        var name = spec.Metric is not { } given ? targets[0] == TargetKind.Classes ? "testAccuracy" : "testRmse"
            : Names.Same(given, SweepMetrics.Names) ?? given;
        var metric = SweepMetrics.Find(name);
        var fitting = SweepMetrics.All.Where(m => m.Target is null || m.Target == targets[0]).Select(m => m.Name).ToArray();
        if (metric is null)
            errors.Add(
                new("/metric", $"unknown metric '{name}'; allowed are {string.Join(", ", fitting)}{Names.DidYouMean(name, fitting)}"));
        else if (!fitting.Contains(name))
            errors.Add(new("/metric", $"'{name}' is not measured on this data; allowed are {string.Join(", ", fitting)}"));
        if (name.StartsWith("validation", StringComparison.Ordinal) && ran.Exists(arm => arm.Plan.Data.ValidationRows == 0))
            errors.Add(new("/metric", $"'{name}' needs validation rows: set /base/dataset/validationFraction above 0"));
        var delta = spec.Delta ?? metric?.Delta;
        if (delta is not null && !(delta > 0))
            errors.Add(new("/delta", $"must be above 0, not {delta}"));
        else if (delta is null && metric is not null && arms.Count > 1)
            errors.Add(new("/delta", $"is required for '{name}', whose scale depends on the data: "
                + "the difference, in the metric's unit, that does not matter to you"));
        else if (metric?.Outcome.Unit is "fraction" or "relative" && delta >= 1)
            errors.Add(new("/delta", metric.Outcome.IsRelative ? $"is relative here, 0.05 for 5 % of the time; did you mean {delta / 100}?"
                : $"is a share here, 0.005 for half a point; did you mean {delta / 100}?"));
        var hints = new Hints();
        var known = arms.Select(arm => arm.Name).ToArray();
        var baseline = spec.Baseline ?? known[0];
        if (!known.Contains(baseline))
            errors.Add(new("/baseline", Unknown(baseline)));
        IReadOnlyList<ContrastSpec> contrasts = spec.Contrasts
            ?? [.. known.Where(arm => arm != baseline).Select(arm => new ContrastSpec { Arm = arm, Baseline = baseline })];
        if (contrasts.Count > MaxContrasts)
            errors.Add(new("/contrasts", $"at most {MaxContrasts:N0} comparisons are allowed, not {contrasts.Count:N0}"));
        var asked = new HashSet<ContrastSpec>();
        foreach (var (index, contrast) in (spec.Contrasts ?? []).Take(MaxContrasts).Index())
        {
            if (errors.Count - before >= MostErrors)
                break;
            if (!asked.Add(contrast))
                errors.Add(new($"/contrasts/{index}", $"'{contrast.Arm}' is compared with '{contrast.Baseline}' already; "
                    + "to ask twice would only raise the adjusted p-values"));
            if (!known.Contains(contrast.Arm))
                errors.Add(new($"/contrasts/{index}/arm", Unknown(contrast.Arm)));
            if (!known.Contains(contrast.Baseline))
                errors.Add(new($"/contrasts/{index}/baseline", Unknown(contrast.Baseline)));
            if (contrast.Arm == contrast.Baseline)
                errors.Add(new($"/contrasts/{index}", $"compares '{contrast.Arm}' with itself"));
        }
        if (errors.Count == before && metric is not null)
            CheckLosses(spec, arms, contrasts, metric, ran, errors);
        return errors.Count > before ? null : new()
        {
            Name = spec.Name,
            // of data that somebody brought, all seeds use the version that was the latest now
            Base = WithPriority(spec.Base) with { Dataset = spec.Base.Dataset with { Sha256 = ran[0].Spec.Dataset.Sha256 } },
            Arms = arms,
            Seeds = seeds,
            Tune = spec.Tune,
            TestSplit = spec.TestSplit ?? spec.Base.Dataset.TestSplit
                ?? (shortest.TestRows < ManyTestRows && jobs.MayDrawTest(ran[0].Spec.Dataset) ? TestSplit.PerSeed : TestSplit.Fixed),
            Rows = new(shortest.TrainRows, shortest.ValidationRows, shortest.TestRows),
            Metric = name,
            Baseline = baseline,
            Delta = delta,
            Contrasts = contrasts,
            KeepBest = spec.KeepBest ?? true,
        };

        string Unknown(string arm) => $"there is no arm '{arm}'"
            + (hints.DidYouMean(arm, known) is { Length: > 0 } hint ? hint
                : $": there are {string.Join(", ", known.Take(20))}");
    }

    /// <summary>Other rows are another question: no outcome of theirs can be compared, whatever it is.</summary>
    private static void CheckData(SweepSpec spec, IReadOnlyList<ArmSpec> arms, List<CheckedJob> ran, ICollection<SpecError> errors)
    {
        var (data, version, kind) = (ran[0].Spec.Dataset.Name, ran[0].Spec.Dataset.Sha256, ran[0].Plan.Data.Target);
        if (ran.FindIndex(arm => arm.Spec.Dataset.Name != data || arm.Spec.Dataset.Sha256 != version) is var other and >= 0)
            errors.Add(new(Place(spec, other, "/dataset"), $"arm '{arms[other].Name}' trains on "
                + $"'{ran[other].Spec.Dataset.Name}' and '{arms[0].Name}' on '{data}'"
                + $"{(ran[other].Plan.Data.Target == kind ? "" : ", one of which has classes and the other numbers to predict")}: "
                + "results on different data can't be compared. Make a sweep for each data set"));
        else if ((spec.Tune ?? NoValues).Keys.FirstOrDefault(key => key is "/dataset" or "/dataset/name") is { } tuned)
            errors.Add(new($"/tune/{JsonShape.Escape(tuned)}",
                "results on different data can't be compared, so the data can't be tuned. Make a sweep for each data set"));
    }

    /// <summary>Losses of different definition are in different units.</summary>
    private static void CheckLosses(SweepSpec spec, IReadOnlyList<ArmSpec> arms, IReadOnlyList<ContrastSpec> contrasts,
        SweepMetric metric, List<CheckedJob> ran, ICollection<SpecError> errors)
    {
        var classes = ran[0].Plan.Data.Target == TargetKind.Classes;
        if ((spec.Tune ?? NoValues).FirstOrDefault(values => LossDefinition.IsPartOf(values.Key) && values.Value.Count > 1).Key is { } tuned
            && metric.TunedBy.IsLoss)
            errors.Add(new($"/tune/{JsonShape.Escape(tuned)}", $"defines the loss, and tuning for '{metric.Name}' chooses by the "
                + $"validation loss: losses of different definition can't be compared; {DidYouMean(classes)}"));
        if (!metric.IsLoss)
            return;
        var jobs = arms.Zip(ran).ToDictionary(arm => arm.First.Name, arm => arm.Second);
        foreach (var (index, contrast) in contrasts.Index())
            if (LossDefinition.Difference(jobs[contrast.Arm], jobs[contrast.Baseline]) is { } difference)
            {
                errors.Add(new(spec.Contrasts is null ? "/metric" : $"/contrasts/{index}", $"'{metric.Name}' of '{contrast.Arm}' can't be "
                    + $"compared with that of '{contrast.Baseline}', since their losses are defined otherwise ({difference}); "
                    + DidYouMean(classes)));
                return;
            }

        static string DidYouMean(bool classes) => $"did you mean the metric '{(classes ? "testAccuracy" : "testRmse")}'?";
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

    private static string Label(string pointer, object? value) => JsonSerializer.SerializeToNode(value, Json.Options) switch
    {
        JsonObject named when named["name"] is JsonValue name => named.Count == 1 ? $"{name}"
            : $"{name}({string.Join(", ", named.Where(field => field.Key != "name").Select(field => $"{field.Key}={field.Value}"))})",
        JsonValue text when text.GetValueKind() == JsonValueKind.String => $"{text}",
        var other => $"{pointer.Split('/')[^1]}={other?.ToJsonString() ?? "null"}",
    };
}
