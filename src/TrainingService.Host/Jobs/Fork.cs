using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>A clone that goes on from a checkpoint: with what may change, and a copy of all that lies before.</summary>
internal static partial class Fork
{
    /// <summary>What changes neither the numbers that a state holds nor the rows that they were trained on.</summary>
    [GeneratedRegex("^/(name|priority|timeoutSeconds|labels(/.*)?|storeWeights|notifyUrl"
        + "|training/(epochs|clipNorm|activityL1|labelSmoothing|schedule(/.*)?|optimizer/(?!name$).*|earlyStopping/(patience|minDelta))"
        + "|model/((layers/[0-9]+/)*(activation|initializer)(/.*)?|dropout|(layers/[0-9]+/)+rate)"
        + "|diagnostics/(tryPatches|rules(/.*)?))$")]
    private static partial Regex MayChange { get; }

    /// <summary>Where a change to or from 0 adds or takes away numbers or layers.</summary>
    [GeneratedRegex("/(momentum|dropout|rate)$")]
    private static partial Regex MayNotBe0 { get; }

    private const string Allowed = "can't change where a run goes on from a checkpoint; what can are activations without slopes of their "
        + "own, dropout rates and momentum that aren't 0, the optimizer's other numbers, schedule, epochs, clipNorm, activityL1, "
        + "labelSmoothing, earlyStopping's patience and minDelta, the rules, and the job's name, labels, priority and timeout";

    /// <summary>The checkpoint that a patch names, and the rest of the patch.</summary>
    public static FromCheckpoint? Take(Guid job, SpecPatch patch, List<SpecError> errors, out SpecPatch rest)
    {
        rest = patch;
        if (!patch.Patch.TryGetPropertyValue(FromCheckpoint.Field, out var given))
            return null;
        var changes = (JsonObject)patch.Patch.DeepClone();
        changes.Remove(FromCheckpoint.Field);
        rest = new(changes);
        var pointer = $"/{FromCheckpoint.Field}";
        if (given is not JsonObject fields || !fields.TryGetPropertyValue("step", out var step)
            || step?.GetValueKind() != JsonValueKind.Number || !step.AsValue().TryGetValue<long>(out var number)
            || fields.Any(field => field.Key is not ("job" or "step")))
            errors.Add(new(pointer, "must be an object with 'job', this job's id, and 'step', that of one of its checkpoints"));
        else if (fields["job"] is { } named && (named.GetValueKind() != JsonValueKind.String
            || !Guid.TryParse(named.GetValue<string>(), out var other) || other != job))
            errors.Add(new($"{pointer}/job", $"must be the job that is cloned, {job}: clone the one that has the checkpoint"));
        else
            return new(job, number);
        return null;
    }

    /// <summary>With the measuring as it was, whose defaults follow from what else the patch may change.</summary>
    public static SpecPatch Keep(Job job, SpecPatch patch)
    {
        var changes = (JsonObject)patch.Patch.DeepClone();
        if (!changes.ContainsKey("diagnostics"))
            changes["diagnostics"] = new JsonObject();
        if (changes["diagnostics"] is JsonObject given)
            foreach (var (name, value) in Json.ObjectOf(job.Spec.Diagnostics))
                if (!given.ContainsKey(name))
                    given[name] = value?.DeepClone();
        return new(changes);
    }

    /// <summary>Stores the clone with what it goes on from.</summary>
    public static async Task<Results<Accepted<JobResponse>, ProblemHttpResult>> Submit(FromCheckpoint from, CheckedJob before,
        CheckedJob accepted, SpecPatch patch, Idempotency once, TrainingDbContext db, WakeUps wakeUps, TimeProvider clock,
        CancellationToken cancellation)
    {
        var refused = new List<SpecError>();
        Compare("", Json.ObjectOf(before.Spec), Json.ObjectOf(accepted.Spec), refused);
        foreach (var (was, now) in before.Plan.DenseLayers.Zip(accepted.Plan.DenseLayers))
            if (was.Activation != now.Activation && new[] { was.Activation, now.Activation }.Any(name => name is "prelu" or "identity"))
                refused.Add(new("/model/activation", $"of layer '{was.Name}' {Allowed}"));
        if (accepted.Plan.Steps <= from.Step)
            refused.Add(new("/training/epochs", $"must be more: the checkpoint is at step {from.Step}, and the run would end at "
                + $"{accepted.Plan.Steps}"));
        if (refused.Count > 0)
        {
            var errors = new List<SpecError>();
            patch.Point(refused.DistinctBy(error => error.Pointer), errors);
            return Problems.Invalid(errors);
        }
        await using var transaction = db.Database.CurrentTransaction is null ? await db.Database.BeginTransactionAsync(cancellation) : null;
        if (await db.Checkpoints.AsNoTracking().SingleOrDefaultAsync(c => c.JobId == from.Job && c.Step == from.Step, cancellation)
            is not { } checkpoint)
        {
            var steps = await db.Checkpoints.Where(c => c.JobId == from.Job).OrderBy(c => c.Step).Select(c => c.Step)
                .ToListAsync(cancellation);
            return Problems.Conflict($"Job {from.Job} has no checkpoint at step {from.Step}; "
                + (steps.Count == 0 ? "it has none." : $"it has some at {string.Join(", ", steps)}."));
        }
        var job = CreateJob.NewJob(accepted, clock.GetUtcNow());
        (job.FromCheckpoint, job.Step, job.Epoch) = (from, checkpoint.Step, checkpoint.Epoch);
        db.Jobs.Add(job);
        var answer = TypedResults.Accepted($"{JobRoutes.Root}/{job.Id}",
            JobResponse.Of(job, await QueuePositions.Of(db, job, cancellation)));
        once.Remember(answer);
        await db.SaveChangesAsync(cancellation);
        if (await CopyAsync(db, from, job.Id, cancellation) != checkpoint.Rows)
            return Problems.Conflict($"Some of what job {from.Job} measured up to step {from.Step} is no longer there: "
                + "it came to its end meanwhile, and went back to the weights of an earlier step.");
        if (transaction is not null)
            await transaction.CommitAsync(cancellation);
        await once.Commit(cancellation);
        wakeUps.Add(job);
        return answer;
    }

    /// <summary>How many rows of measurements were copied.</summary>
    private static async Task<long> CopyAsync(TrainingDbContext db, FromCheckpoint from, Guid to, CancellationToken cancellation)
    {
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO checkpoints SELECT copy.* FROM checkpoints row,
                LATERAL jsonb_populate_record(row, jsonb_build_object('job_id', {to}, 'attempt', 0)) copy
            WHERE row.job_id = {from.Job} AND row.step = {from.Step}
            """, cancellation);
        await db.Database.ExecuteSqlAsync($"""
            INSERT INTO checkpoint_chunks (job_id, step, part, data)
            SELECT {to}, step, part, data FROM checkpoint_chunks WHERE job_id = {from.Job} AND step = {from.Step}
            """, cancellation);
        // 2: of the test rows, which a run measures at its end
        return await db.Database.ExecuteSqlAsync($"""
            INSERT INTO job_metrics SELECT copy.* FROM job_metrics row,
                LATERAL jsonb_populate_record(row, jsonb_build_object('job_id', {to})) copy
            WHERE row.job_id = {from.Job} AND row.step <= {from.Step} AND row.split <> 2
            """, cancellation) + await db.Database.ExecuteSqlAsync($"""
            INSERT INTO job_layers SELECT copy.* FROM job_layers row,
                LATERAL jsonb_populate_record(row, jsonb_build_object('job_id', {to})) copy
            WHERE row.job_id = {from.Job} AND row.step <= {from.Step}
            """, cancellation);
    }

    private static void Compare(string pointer, JsonNode? was, JsonNode? now, List<SpecError> errors)
    {
        if (JsonNode.DeepEquals(was, now))
            return;
        if (was is JsonObject a && now is JsonObject b)
            foreach (var name in a.Select(field => field.Key).Union(b.Select(field => field.Key)))
                Compare($"{pointer}/{name}", a[name], b[name], errors);
        else if (was is JsonArray c && now is JsonArray d && c.Count == d.Count)
            for (var i = 0; i < c.Count; i++)
                Compare($"{pointer}/{i}", c[i], d[i], errors);
        else if (!MayChange.IsMatch(pointer) || (MayNotBe0.IsMatch(pointer) && (Is0(was) || Is0(now))))
            errors.Add(new(pointer, Allowed));
    }

    private static bool Is0(JsonNode? node) =>
        node is null || (node.GetValueKind() == JsonValueKind.Number && node.GetValue<double>() == 0);
}
