using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>From where a job can go on.</summary>
/// <param name="Step">Optimiser steps done.</param>
/// <param name="Epoch">Epochs finished.</param>
/// <param name="Attempt">Which attempt of the job got so far.</param>
/// <param name="CreatedAt">When it was stored.</param>
/// <param name="Bytes">Size of the run's state.</param>
/// <param name="StoredBytes">What that takes in the database.</param>
/// <param name="EngineVersion">Version of the engine that trained up to there.</param>
/// <param name="InstructionSet">Which vector instructions it used.</param>
public sealed record CheckpointResponse(long Step, int Epoch, int Attempt, DateTimeOffset CreatedAt, long Bytes, long StoredBytes,
    string EngineVersion, string InstructionSet);

public static class ListCheckpoints
{
    /// <summary>From where a job can go on</summary>
    /// <remarks>
    /// A run that takes longer than `TRAINING_CHECKPOINT_SECONDS` (10) is stored about that often, and when it is paused or its worker is
    /// stopped; the last two are kept. Whatever happens to its worker, it goes on from the newest that can be read, with the same numbers
    /// as if nothing had happened. They go when the job succeeds, and with the job; those of a sweep's job when it ends.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="200">Its checkpoints, the newest first; none before the first.</response>
    public static async Task<Results<Ok<Page<CheckpointResponse>>, ProblemHttpResult>> Handle(Guid id, TrainingDbContext db,
        CancellationToken cancellation)
    {
        if (!await db.Jobs.AnyAsync(job => job.Id == id, cancellation))
            return GetJob.NotFound(id);
        return TypedResults.Ok(new Page<CheckpointResponse>(await db.Checkpoints.Where(c => c.JobId == id).OrderByDescending(c => c.Step)
            .Select(c => new CheckpointResponse(c.Step, c.Epoch, c.Attempt, c.CreatedAt, c.Bytes, c.StoredBytes, c.EngineVersion,
                c.InstructionSet)).ToListAsync(cancellation), null));
    }
}
