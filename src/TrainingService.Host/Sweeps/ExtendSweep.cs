using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>What a sweep gets in addition.</summary>
public sealed record SweepExtensionSpec
{
    /// <summary>Arms beside those there are; each is compared with the baseline.</summary>
    [Items(0, SweepRules.MaxArms)]
    public IReadOnlyList<ArmSpec>? Arms { get; init; }

    /// <summary>Seeds beside those there are. Excludes <c>seedCount</c>.</summary>
    [Items(0, SweepRules.MaxCells, Unique = true)]
    public IReadOnlyList<long>? Seeds { get; init; }

    /// <summary>How many seeds there shall be in all; the new ones follow the largest.</summary>
    [Within(2, SweepRules.MaxCells)]
    public int? SeedCount { get; init; }
}

public static class ExtendSweep
{
    /// <summary>Add seeds or arms to a finished sweep</summary>
    /// <remarks>
    /// Only the new cells run. The sweep's end was a look at its seeds, and what that spent of the risk of a false finding is not there a
    /// second time: the adjusted p-values pay for both looks. A sweep of a fixed number of seeds has spent all of it, but for what few
    /// seeds can't spend (four have no significant p). A sweep that ran until decided uses what is left, and stops when the new cells have
    /// ended.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <param name="body">The arms and seeds to add.</param>
    /// <response code="202">The sweep, under way again.</response>
    /// <response code="409">
    /// The sweep is not finished, belongs to a study whose arms are fixed, or was run by a version whose defaults were others.
    /// </response>
    public static async Task<Results<Accepted<SweepResponse>, ProblemHttpResult>> Handle(Guid id, JsonBody<SweepExtensionSpec> body,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db,
        SweepRules rules, SweepProgress progress, WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, body.Value, cancellation);
        if (once.Answered<SweepResponse>() is { } replay)
            return replay;
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(cancellation) : null;
        if (await db.LockSweepAsync(id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        if (!sweep.IsFinished)
            return Problems.Conflict($"The sweep is {Json.NameOf(sweep.Status)}; wait for its end before adding to it.");
        if (sweep.Study is not null && body.Value.Arms is not null)
            return Problems.Conflict($"The sweep belongs to the study {sweep.Study}, whose arms are fixed; seeds can be added.");
        var existing = await db.SweepCells.AsNoTracking().Where(cell => cell.SweepId == id).ToListAsync(cancellation);
        if (sweep.Spec.Tune is not null && existing.Exists(cell => cell.Candidate < 0
            && !existing.Exists(trial => trial.Candidate >= 0 && trial.Arm == cell.Arm && trial.Seed == cell.Seed)))
            return Problems.Conflict("The sweep was tuned by an earlier version, once for all seeds; seeds that tune for themselves "
                + "can't be mixed with these. POST its spec as a new sweep.");
        if (await ChangedAsync(db, sweep.Spec, existing, rules, cancellation) is { } changed)
            return Problems.Conflict("The sweep was run by an earlier version, for which what its spec leaves out meant something else: "
                + $"{changed}. Its runs can't be mixed with new ones. POST its spec as a new sweep.");
        var errors = new List<SpecError>();
        if (Extended(sweep.Spec, body.Value, errors) is not { } wanted || rules.Check(wanted, errors) is not { } accepted)
            return Problems.Invalid([.. errors.Select(error => error with { Pointer = Place(error.Pointer, sweep.Spec.Arms.Count) })]);

        var results = await SweepCells.ReadAsync(db, sweep, cancellation);
        // A sweep that was canceled, or whose end no look was noted at, has been looked at by whoever adds to it.
        var before = SweepLooks.Noted(sweep.Spec, SweepContrasts.Judge(sweep.Spec, results), clock.GetUtcNow());
        sweep.Spec = accepted with
        {
            Until = before.Until is { } until ? until with { AtMost = Math.Max(until.AtMost ?? 0, accepted.Seeds.Count) } : null,
            BudgetSeconds = before.BudgetSeconds,
            Looks = before.Looks,
        };
        sweep.Extended = true;
        sweep.Reopen();
        var jobs = await SweepCells.AddDueAsync(db, sweep, existing, rules, clock, Tuning.Chooser(sweep.Spec, results), cancellation);
        var response = await SweepResponse.OfAsync(db, sweep, cancellation);
        var answer = TypedResults.Accepted(response.Links.Self, response);
        once.Remember(answer);
        await db.SaveChangesAsync(cancellation);
        await once.Commit(cancellation);
        if (transaction is not null)
            await transaction.CommitAsync(cancellation);
        wakeUps.Add(jobs);
        // Cells that all share jobs which have ended: there is nothing to wait for.
        if (jobs.Count == 0)
            await progress.AdvanceAsync(id, cancellation);
        http.Response.Headers.RetryAfter = "1";
        return answer;
    }

    /// <summary>
    /// The first field by which a run that there is differs from what the sweep's own spec gives today, with both values; null if none
    /// does. What a stored run doesn't tell was then as it is now, but for what <see cref="StoredTraining"/> knows.
    /// </summary>
    private static async Task<string?> ChangedAsync(TrainingDbContext db, SweepPlan plan, IReadOnlyList<SweepCell> existing,
        SweepRules rules, CancellationToken cancellation)
    {
        foreach (var cell in existing.Where(cell => cell.Candidate >= 0 == plan.Tune is not null).DistinctBy(cell => cell.Arm))
        {
            var stored = (await db.Jobs.AsNoTracking().SingleAsync(job => job.Id == cell.JobId, cancellation)).Spec;
            var now = rules.Job(plan, cell.Arm, cell.Candidate, cell.Seed);
            stored = stored with { Training = stored.Training?.Stored(now.Plan.Data.Target) };
            if (Changed("", Fields(stored), Fields(now.Spec)) is { } changed)
                return changed;
        }
        return null;

        // Whether patches are tried is no question of the run itself, and in sweeps they are not.
        static JsonObject Fields(JobSpec of) => Json.ObjectOf(
            new { of.Dataset, of.Model, of.Training, Diagnostics = of.Diagnostics is { } own ? own with { TryPatches = null } : null });

        static string? Changed(string path, JsonNode? then, JsonNode? today) => (then, today) switch
        {
            (null, _) => null,
            (JsonObject old, JsonObject fresh) => old.Select(field => Changed($"{path}.{field.Key}", field.Value, fresh[field.Key]))
                .FirstOrDefault(changed => changed is not null),
            _ => JsonNode.DeepEquals(then, today) ? null
                : $"{path.TrimStart('.')} was {then.ToJsonString()} and is {today?.ToJsonString() ?? "null"} now",
        };
    }

    /// <summary>Arms are numbered as in the sweep; the client knows them as they stand in the request.</summary>
    private static string Place(string pointer, int before) => pointer.Split('/') is [_, "arms", var arm, ..]
        && int.TryParse(arm, out var index) && index >= before
        ? $"/arms/{index - before}{pointer[("/arms/".Length + arm.Length)..]}" : pointer;

    private static SweepSpec? Extended(SweepPlan spec, SweepExtensionSpec extension, List<SpecError> errors)
    {
        if (extension is { Arms: null or { Count: 0 }, Seeds: null or { Count: 0 }, SeedCount: null })
            errors.Add(new("", "nothing to add: give 'arms', 'seeds' or 'seedCount'"));
        if (extension.Seeds is not null && extension.SeedCount is not null)
            errors.Add(new("/seedCount", "'seeds' and 'seedCount' exclude each other"));
        if (extension.SeedCount <= spec.Seeds.Count)
            errors.Add(new("/seedCount", $"is the number of seeds in all and must be above {spec.Seeds.Count}, which the sweep has"));
        if (extension.SeedCount > SweepRules.MaxCells)
            errors.Add(new("/seedCount", $"must be at most {SweepRules.MaxCells:N0}, not {extension.SeedCount}"));
        if (extension.SeedCount is not null && spec.Seeds.Max() > long.MaxValue - SweepRules.MaxCells)
            errors.Add(new("/seedCount", $"the largest seed, {spec.Seeds.Max()}, has no successors; give 'seeds'"));
        if (extension.Seeds?.FirstOrDefault(spec.Seeds.Contains) is { } twice && extension.Seeds.Any(spec.Seeds.Contains))
            errors.Add(new("/seeds", $"the sweep has seed {twice} already"));
        if (errors.Count > 0)
            return null;
        var next = spec.Seeds.Max() + 1;
        IReadOnlyList<long> seeds = [.. spec.Seeds, .. extension.Seeds
            ?? (extension.SeedCount is { } count ? [.. Enumerable.Range(0, count - spec.Seeds.Count).Select(i => next + i)] : [])];
        return spec.ToSpec() with
        {
            Arms = [.. spec.Arms, .. extension.Arms ?? []],
            Seeds = new(seeds),
            BudgetSeconds = null,
            Contrasts =
                [.. spec.Contrasts, .. (extension.Arms ?? []).Select(arm => new ContrastSpec { Arm = arm.Name, Baseline = spec.Baseline })],
        };
    }
}
