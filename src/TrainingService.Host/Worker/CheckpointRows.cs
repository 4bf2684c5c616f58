using Npgsql;
using NpgsqlTypes;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>Checkpoints in the tables.</summary>
internal static class CheckpointRows
{
    /// <summary>
    /// Stores a run's state in the transaction that stores its measurements up to there. What is older than the last generations goes,
    /// but for the checkpoint that a clone began with.
    /// </summary>
    public static async Task WriteAsync(NpgsqlConnection connection, Lease lease, CapturedRun captured)
    {
        // a commit of which we did not hear has stored it before
        await using (var insert = new NpgsqlCommand("""
            INSERT INTO checkpoints (job_id, step, epoch, attempt, rows, seconds, diagnostics_seconds, fastest_epoch_seconds, bytes,
                stored_bytes, engine_version, instruction_set, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now()) ON CONFLICT DO NOTHING
            """, connection))
        {
            foreach (var value in (object[])[lease.Id, captured.Step, captured.Epoch, lease.Attempt, captured.Rows, captured.Times.Seconds,
                captured.Times.DiagnosticsSeconds, (object?)captured.Times.FastestEpochSeconds ?? DBNull.Value,
                (long)captured.State.Length, captured.Chunks.Sum(chunk => (long)chunk.Length), EngineInfo.Version,
                EngineInfo.InstructionSet])
                insert.Parameters.Add(new() { Value = value });
            if (await insert.ExecuteNonQueryAsync() == 0)
                return;
        }
        await using (var copy = await connection.BeginBinaryImportAsync(
            "COPY checkpoint_chunks (job_id, step, part, data) FROM STDIN (FORMAT BINARY)"))
        {
            foreach (var (part, chunk) in captured.Chunks.Index())
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(lease.Id, NpgsqlDbType.Uuid);
                await copy.WriteAsync(captured.Step, NpgsqlDbType.Bigint);
                await copy.WriteAsync(part, NpgsqlDbType.Integer);
                await copy.WriteAsync(chunk, NpgsqlDbType.Bytea);
            }
            await copy.CompleteAsync();
        }
        await using var delete = new NpgsqlCommand("""
            DELETE FROM checkpoints WHERE job_id = $1
                AND step < (SELECT min(step) FROM (SELECT step FROM checkpoints WHERE job_id = $1 ORDER BY step DESC LIMIT $2) newest)
                AND step IS DISTINCT FROM (SELECT (from_checkpoint ->> 'step')::bigint FROM jobs WHERE id = $1)
            """, connection);
        delete.Parameters.Add(new() { Value = lease.Id });
        delete.Parameters.Add(new() { Value = Checkpoint.Generations });
        await delete.ExecuteNonQueryAsync();
    }

    /// <summary>Once these jobs have ended well, or are evidence of a sweep, nothing goes on from there.</summary>
    public static async Task DeleteAsync(NpgsqlConnection connection, Guid[] jobs)
    {
        if (jobs.Length == 0)
            return;
        await using var delete = new NpgsqlCommand("DELETE FROM checkpoints WHERE job_id = ANY ($1)", connection);
        delete.Parameters.Add(new() { Value = jobs });
        await delete.ExecuteNonQueryAsync();
    }

    /// <summary>What an attempt ran that is given back counts towards the job's timeout.</summary>
    public static async Task AddTimeAsync(NpgsqlConnection connection, Guid job, double seconds)
    {
        await using var update = new NpgsqlCommand("UPDATE jobs SET ran_seconds = ran_seconds + $2 WHERE id = $1", connection);
        update.Parameters.Add(new() { Value = job });
        update.Parameters.Add(new() { Value = seconds });
        await update.ExecuteNonQueryAsync();
    }
}
