using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>What runs leave in the tables: one statement a table, however many they are.</summary>
public static class RunRows
{
    private const string Jobs = """
        UPDATE jobs SET status = coalesce(run.status, jobs.status), started_at = run.started_at, finished_at = run.finished_at,
            epoch = run.epoch, step = run.step, samples_per_second = run.samples_per_second, eta_seconds = run.eta_seconds,
            preflight = coalesce(run.preflight::jsonb, jobs.preflight), layers = coalesce(run.layers::jsonb, jobs.layers),
            findings = coalesce(run.findings::jsonb, jobs.findings), result = run.result::jsonb,
            error_code = run.error_code, error_message = run.error_message, stored_bytes = coalesce(run.stored_bytes, jobs.stored_bytes),
            lease_owner = CASE WHEN run.status IS NULL THEN lease_owner END,
            lease_until = CASE WHEN run.status IS NULL THEN now() + @lease END
        FROM unnest(@id, @status, @started, @finished, @epoch, @step, @speed, @eta, @preflight, @layers, @findings, @result, @code,
            @message, @stored) AS run (id, status, started_at, finished_at, epoch, step, samples_per_second, eta_seconds, preflight, layers,
                findings, result, error_code, error_message, stored_bytes)
        WHERE jobs.id = run.id
        """;

    /// <summary>
    /// Writes what is known of these runs, whose rows the transaction holds; of those that have an outcome, their end. What is not followed
    /// by <see cref="TrainingRun.Wrote"/> is written again at the next call.
    /// </summary>
    public static async Task WriteAsync(TrainingDbContext db, IReadOnlyList<(ClaimedRun Run, Outcome? Outcome)> runs,
        TimeSpan lease, ModelLimits models)
    {
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var begun = (
            from run in runs
            let training = run.Run.Run
            where training is not null
            select (run.Run.Lease.Id, Run: training, Ended: run.Outcome is { IsEnd: true })).ToList();
        await MetricWriter.CopyAsync(connection, [.. begun.Select(run => (run.Id, run.Run.Metrics, run.Ended))]);
        await WriteFindingsAsync(connection, begun);
        await WriteUnitsAsync(connection, [.. runs.Where(run => run.Outcome is { IsEnd: true })]);
        var stored = await MetricWriter.CountAsync(connection,
            [.. runs.Where(run => run.Outcome is { Result: not null } && run.Run.Run?.Metrics.Stored is null)
                .Select(run => run.Run.Lease.Id)]);
        (ClaimedRun Run, Outcome? Outcome)[] counted = [.. runs.Select(run => (run.Run,
            run.Outcome is { Result: not null } outcome && run.Run.Run is { } training
            ? outcome.Counted(training.Metrics.Measured, training.Metrics.Stored ?? stored.GetValueOrDefault(run.Run.Lease.Id))
            : run.Outcome))];
        await WriteCheckpointsAsync(connection, counted);
        await WriteJobsAsync(connection, counted, lease);
        foreach (var (run, outcome) in counted)
            if (outcome is { Status: JobStatus.Succeeded } && run is { Run.Model: { } model, Ended: { } ended })
                await model.StoreAsync(db, run.Lease.Id, ended, models);
    }

    private static async Task WriteCheckpointsAsync(NpgsqlConnection connection,
        IReadOnlyList<(ClaimedRun Run, Outcome? Outcome)> runs)
    {
        foreach (var (run, outcome) in runs)
        {
            if (outcome is not { IsEnd: true } && run.Run?.Store() is { } captured)
                await CheckpointRows.WriteAsync(connection, run.Lease, captured);
            if (outcome is { IsEnd: false } && run.Ended - run.Began is { TotalSeconds: var seconds })
                await CheckpointRows.AddTimeAsync(connection, run.Lease.Id, seconds);
        }
        // of one that failed or was cancelled a clone may go on
        await CheckpointRows.DeleteAsync(connection, [.. runs.Where(run => run.Run.Run is { HasCheckpoints: true }
            && run.Outcome is { IsEnd: true } outcome && (outcome.Status is JobStatus.Succeeded || run.Run.Lease.SweepId is not null))
            .Select(run => run.Run.Lease.Id)]);
    }

    private static async Task WriteJobsAsync(NpgsqlConnection connection, IReadOnlyList<(ClaimedRun Run, Outcome? Outcome)> runs,
        TimeSpan lease)
    {
        // of an attempt that is given back what lies before its checkpoint counts
        var states = runs.Select(run => run.Run.Run is not { } training ? RunState.None
            : run.Outcome is { IsEnd: false } ? training.StateToGoOn
            : run.Outcome is null ? training.State : training.State with { EtaSeconds = null }).ToArray();
        await using var update = new NpgsqlCommand(Jobs, connection);
        update.Parameters.AddWithValue("id", runs.Select(run => run.Run.Lease.Id).ToArray());
        AddEnd("status", outcome => Json.NameOf(outcome.Status));
        AddTime("started", run => run.Run.Began);
        AddTime("finished", run => run.Outcome is null ? null : run.Run.Ended);
        AddState("epoch", state => state.Epoch);
        AddState("step", state => state.Step);
        AddState("speed", state => state.SamplesPerSecond);
        AddState("eta", state => state.EtaSeconds);
        AddState("preflight", state => ToJson(state.Preflight));
        AddState("layers", state => ToJson(state.Layers));
        AddState("findings", state => ToJson(state.Findings));
        AddEnd("result", outcome => ToJson(outcome.Result));
        AddEnd("code", outcome => outcome.ErrorCode);
        AddEnd("message", outcome => outcome.ErrorMessage);
        update.Parameters.AddWithValue("stored", runs.Select(run =>
            run.Outcome is { IsEnd: true } ? run.Run.Run?.StoredBytes ?? 0 : (long?)null).ToArray());
        update.Parameters.AddWithValue("lease", lease);
        await update.ExecuteNonQueryAsync();

        void AddTime(string name, Func<(ClaimedRun Run, Outcome? Outcome), DateTimeOffset?> value) => update.Parameters.AddWithValue(name,
            runs.Select(run => run.Outcome is { IsEnd: false } ? null : value(run)).ToArray());

        void AddState<T>(string name, Func<RunState, T> value) => update.Parameters.AddWithValue(name, states.Select(value).ToArray());

        void AddEnd<T>(string name, Func<Outcome, T> value) =>
            update.Parameters.AddWithValue(name, runs.Select(run => run.Outcome is { } outcome ? value(outcome) : default).ToArray());
    }

    private static async Task WriteFindingsAsync(NpgsqlConnection connection,
        IReadOnlyList<(Guid Id, TrainingRun Run, bool Ended)> runs)
    {
        var fresh = runs.SelectMany(run => run.Run.FreshFindings().Select(finding => (run.Id, Finding: finding))).ToList();
        if (fresh.Count > 0)
        {
            await using var insert = new NpgsqlCommand("""
                INSERT INTO job_findings (job_id, rule, layer, finding, number)
                SELECT id, rule, layer, finding::jsonb, number
                FROM unnest(@id, @rule, @layer, @finding, @number) AS fresh (id, rule, layer, finding, number)
                ON CONFLICT (job_id, rule, layer) DO UPDATE SET finding = excluded.finding, number = excluded.number
                """, connection);
            insert.Parameters.AddWithValue("id", fresh.Select(row => row.Id).ToArray());
            insert.Parameters.AddWithValue("rule", fresh.Select(row => row.Finding.Rule).ToArray());
            insert.Parameters.AddWithValue("layer", fresh.Select(row => row.Finding.Layer ?? "").ToArray());
            insert.Parameters.AddWithValue("finding", fresh.Select(row => ToJson(row.Finding)).ToArray());
            insert.Parameters.AddWithValue("number", fresh.Select(row => row.Finding.Number).ToArray());
            await insert.ExecuteNonQueryAsync();
        }
        foreach (var (id, run, _) in runs.Where(run => run.Ended && run.Run.MayTakeBack))
        {
            await using var delete = new NpgsqlCommand(
                "DELETE FROM job_findings WHERE job_id = @id AND NOT rule || ' ' || layer = ANY (@still)", connection);
            delete.Parameters.AddWithValue("id", id);
            delete.Parameters.AddWithValue("still", run.Findings.Select(finding => $"{finding.Rule} {finding.Layer}").ToArray());
            await delete.ExecuteNonQueryAsync();
        }
    }

    /// <summary>What became of the units, once a training has ended.</summary>
    private static async Task WriteUnitsAsync(NpgsqlConnection connection, IReadOnlyList<(ClaimedRun Run, Outcome? Outcome)> runs)
    {
        if (!runs.Any(run => run.Run.Run is { Units.Count: > 0 }))
            return;
        await using var rows = await CopyRows.BeginAsync(connection, "job_units (job_id, layer, units)");
        foreach (var (run, _) in runs)
            foreach (var (layer, units) in (run.Run?.Units ?? []).Index())
            {
                await rows.StartRowAsync(3);
                rows.Write(run.Lease.Id);
                rows.Write((short)layer);
                rows.WriteJson(UnitRow.Write(units));
            }
        await rows.CompleteAsync();
    }

    private static string? ToJson<T>(T value) => value is null ? null : JsonSerializer.Serialize(value, Json.Options);
}
