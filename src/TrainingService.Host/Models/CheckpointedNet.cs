using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>The net of a run that goes on, as its newest checkpoint has it.</summary>
public static class CheckpointedNet
{
    /// <summary>
    /// Null where there is no checkpoint that can be used, or the net is too large to be set to one for a look at it; of images, too, of
    /// which nobody asks it.
    /// </summary>
    public static async Task<LoadedModel?> FindAsync(TrainingDbContext db, DatasetRegistry datasets, Guid id,
        CancellationToken cancellation)
    {
        var checkpoints = await db.Checkpoints.AsNoTracking().Where(c => c.JobId == id).OrderByDescending(c => c.Step)
            .ToListAsync(cancellation);
        if (checkpoints.Count == 0 || await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job
            || datasets.Find(job.Spec.Dataset) is not { } dataset || dataset.FindObstacle() is not null
            || dataset.Card.Image is not null)
            return null;
        var seed = job.Spec.Training?.Seed ?? 1;
        var data = datasets.Load(job.Spec.Dataset, seed);
        var plan = StoredNet.PlanOf(job.Spec, data.Shape);
        if (plan.ParameterCount > Replay.MostParameters)
            return null;
        var card = new ModelCard(datasets.Encoding(job.Spec.Dataset, seed), data.Shape, dataset.Card.Target);
        foreach (var checkpoint in checkpoints)
            try
            {
                using var trainer = new Trainer(plan, data, cancellation: cancellation);
                trainer.Restore(await ReadStateAsync(db, checkpoint, cancellation),
                    ofAnotherPlan: checkpoint.Step == job.FromCheckpoint?.Step);
                var state = new TrainingResult
                {
                    WeightsSha256 = "",
                    WeightsStep = checkpoint.Step,
                    ParameterCount = plan.ParameterCount,
                    DatasetSha256 = dataset.Sha256,
                };
                return LoadedModel.Of(new ModelSource(id, "", job.Spec, state, card), plan, trainer.Net());
            }
            catch (Exception e) when (e is InvalidStateException or InvalidDataException or EndOfStreamException)
            {
                // the worker tells it when it needs the checkpoint
            }
        return null;
    }

    /// <summary>What the engine captured.</summary>
    /// <exception cref="InvalidDataException">The pieces are not those that were stored.</exception>
    /// <exception cref="EndOfStreamException">Some are missing.</exception>
    public static async Task<byte[]> ReadStateAsync(TrainingDbContext db, Checkpoint checkpoint, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT data FROM checkpoint_chunks WHERE job_id = $1 AND step = $2 ORDER BY part");
        command.Parameters.AddWithValue(checkpoint.JobId);
        command.Parameters.AddWithValue(checkpoint.Step);
        return await Deflated.ReadAsync(db, command, checkpoint.Bytes, cancellation);
    }
}
