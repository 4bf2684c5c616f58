using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Data;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Models;

/// <summary>What is kept of a job's net beside its weights: all that lies between raw rows and answers.</summary>
/// <param name="Encoding">From raw rows to inputs.</param>
/// <param name="Shape">What the plan was checked against.</param>
/// <param name="Target">The column that it predicts.</param>
public sealed record ModelCard(FeatureEncoding Encoding, DataShape Shape, string Target);

/// <summary>A net that has just been trained, on its way into the database: little-endian float32, deflated, in pieces.</summary>
/// <param name="Sha256">Of the numbers.</param>
/// <param name="Bytes">Of the numbers.</param>
/// <param name="Chunks">See <see cref="Deflated"/>.</param>
/// <param name="Card">What else is needed.</param>
public sealed record TrainedModel(string Sha256, long Bytes, IReadOnlyList<byte[]> Chunks, ModelCard Card)
{
    /// <param name="weights">The numbers.</param>
    /// <param name="card">What else is needed.</param>
    public static TrainedModel Of(ReadOnlySpan<byte> weights, ModelCard card)
    {
        return new(Convert.ToHexStringLower(SHA256.HashData(weights)), weights.Length, Deflated.Pack(weights), card);
    }

    /// <summary>
    /// Adds the job's net to the transaction at hand. Equal weights are stored once: their row is locked first, so that they can't go with
    /// another job's end in the same moment.
    /// </summary>
    public async Task StoreAsync(TrainingDbContext db, Guid jobId, DateTimeOffset now, ModelLimits limits)
    {
        var packed = Chunks.Sum(chunk => (long)chunk.Length);
        var row = new JobModel { JobId = jobId, Card = Card, StoredAt = now };
        db.Add(row);
        if (packed > limits.JobBytes)
        {
            row.RetiredAt = now;
            row.RetiredReason = $"Its weights take {packed / 1e6:N1} MB, more than the {limits.JobBytes / 1e6:N0} MB that a job may keep "
                + $"({ModelLimits.JobSetting}).";
            return;
        }
        row.Sha256 = Sha256;
        var isNew = await db.Database.SqlQuery<bool>($"""
            INSERT INTO weights (sha256, bytes, stored_bytes, stored_at) VALUES ({Sha256}, {Bytes}, {packed}, {now})
            ON CONFLICT (sha256) DO UPDATE SET stored_at = excluded.stored_at RETURNING (xmax = 0) AS "Value"
            """).ToListAsync();
        if (isNew is [true])
            db.AddRange(Chunks.Select((chunk, part) => new WeightChunk { Sha256 = Sha256, Part = part, Data = chunk }));
    }

    /// <summary>The numbers of stored weights.</summary>
    /// <exception cref="InvalidDataException">They are not the ones that were stored.</exception>
    public static async Task<byte[]> ReadAsync(TrainingDbContext db, string sha256, CancellationToken cancellation)
    {
        var bytes = await db.Set<StoredWeights>().Where(w => w.Sha256 == sha256).Select(w => w.Bytes).SingleAsync(cancellation);
        await using var command = new NpgsqlCommand("SELECT data FROM weight_chunks WHERE sha256 = $1 ORDER BY part");
        command.Parameters.AddWithValue(sha256);
        var weights = await Deflated.ReadAsync(db, command, bytes, cancellation);
        return Convert.ToHexStringLower(SHA256.HashData(weights)) == sha256 ? weights
            : throw new InvalidDataException($"The stored weights {sha256} are damaged.");
    }
}
