using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Findings;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;

namespace TrainingService.Host.Worker;

/// <summary>
/// Sets a run to where an earlier attempt was: the net to a checkpoint, what the rules know to what the stored measurements up to there
/// tell, in the order in which they were made. What lies beyond is deleted and will be measured again, to the same bits.
/// </summary>
/// <param name="lease">Whose run it is.</param>
/// <param name="databases">Where its checkpoints are.</param>
/// <param name="log">Where it says why one can't be used.</param>
/// <param name="outage">By which the database is asked.</param>
/// <param name="stop">Ends it.</param>
internal sealed class Resumption(Lease lease, IDbContextFactory<TrainingDbContext> databases, ILogger log, Outage outage,
    CancellationToken stop)
{
    private sealed record Past(IReadOnlyList<MetricRow> Metrics, IReadOnlyList<LayerRow> Layers);

    /// <summary>The checkpoint that it goes on from; null if none can be used and it begins at step 0.</summary>
    public Checkpoint? Restore(Trainer trainer, Watch watch, MetricWriter metrics)
    {
        foreach (var checkpoint in outage.Through(Generations, stop))
        {
            stop.ThrowIfCancellationRequested();
            if (Restore(checkpoint, trainer) is not { } past)
                continue;
            outage.Through(() => Forget(checkpoint.Step), stop);
            Replay(past, watch);
            metrics.Resume(past.Metrics.Count, [.. past.Layers.Select(row => row.Step)]);
            log.LogInformation("Job {Job} goes on at step {Step}.", lease.Id, checkpoint.Step);
            return checkpoint;
        }
        if (lease.ForkedAt is { } step)
            throw new InvalidSpecException(
                $"The checkpoint at step {step} that it was to go on from can't be used; the worker's log says why.");
        outage.Through(() => Forget(-1), stop);
        return null;
    }

    private List<Checkpoint> Generations()
    {
        using var db = databases.CreateDbContext();
        return [.. db.Checkpoints.AsNoTracking().Where(c => c.JobId == lease.Id).OrderByDescending(c => c.Step)];
    }

    private Past? Restore(Checkpoint checkpoint, Trainer trainer)
    {
        try
        {
            var past = outage.Through(() => ReadPast(checkpoint), stop);
            if (past.Metrics.Count + past.Layers.Count != checkpoint.Rows)
                throw new InvalidStateException(
                    $"{past.Metrics.Count + past.Layers.Count:N0} rows of measurements are stored up to there, not {checkpoint.Rows:N0}.");
            trainer.Restore(outage.Through(() => ReadState(checkpoint), stop),
                new(checkpoint.Seconds, checkpoint.DiagnosticsSeconds, checkpoint.FastestEpochSeconds),
                ofAnotherPlan: checkpoint.Step == lease.ForkedAt);
            return past;
        }
        catch (Exception e) when (e is InvalidStateException or InvalidDataException or EndOfStreamException)
        {
            log.LogWarning("Job {Job}: the checkpoint at step {Step} can't be used; the one before is tried. {Reason}",
                lease.Id, checkpoint.Step, e.Message);
            return null;
        }
    }

    private byte[] ReadState(Checkpoint checkpoint)
    {
        using var db = databases.CreateDbContext();
        return CheckpointedNet.ReadStateAsync(db, checkpoint, stop).GetAwaiter().GetResult();
    }

    private Past ReadPast(Checkpoint checkpoint)
    {
        using var db = databases.CreateDbContext();
        return new(
            [.. db.Metrics.AsNoTracking().Where(m => m.JobId == lease.Id && m.Step <= checkpoint.Step && m.Split != Split.Test)
                .OrderBy(m => m.Step).ThenBy(m => m.Split)],
            [.. db.Layers.AsNoTracking().Where(l => l.JobId == lease.Id && l.Step <= checkpoint.Step)
                .OrderBy(l => l.Step).ThenBy(l => l.Layer)]);
    }

    /// <summary>Deletes what lies beyond a step, and what is only told of the whole run, if the job is still ours.</summary>
    private bool Forget(long step)
    {
        var isOurs = false;
        Lease.WriteAsync(databases, [lease], async (db, owned) =>
        {
            if (!(isOurs = owned.ContainsKey(lease.Id)))
                return;
            await db.Checkpoints.Where(c => c.JobId == lease.Id && c.Step > step).ExecuteDeleteAsync();
            await db.Metrics.Where(m => m.JobId == lease.Id && (m.Step > step || m.Split == Split.Test)).ExecuteDeleteAsync();
            await db.Layers.Where(l => l.JobId == lease.Id && l.Step > step).ExecuteDeleteAsync();
            await db.Units.Where(u => u.JobId == lease.Id).ExecuteDeleteAsync();
            await db.Findings.Where(f => f.JobId == lease.Id).ExecuteDeleteAsync();
        }).GetAwaiter().GetResult();
        return isOurs ? true : throw new OperationCanceledException("The job is another's.");
    }

    /// <summary>As the trainer told it: of a step the losses, then the layers; before the first one the other way round.</summary>
    private static void Replay(Past past, Watch watch)
    {
        var at = 0;
        foreach (var layers in past.Layers.GroupBy(row => row.Step))
        {
            for (; at < past.Metrics.Count && past.Metrics[at].Step <= layers.Key && layers.Key > 0; at++)
                watch.Add(past.Metrics[at]);
            watch.Add([.. layers]);
        }
        for (; at < past.Metrics.Count; at++)
            watch.Add(past.Metrics[at]);
    }
}
