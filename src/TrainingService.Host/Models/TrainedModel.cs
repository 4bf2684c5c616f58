using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
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
/// <param name="Chunks">Deflated, at most <see cref="ChunkBytes"/> each.</param>
/// <param name="Card">What else is needed.</param>
public sealed record TrainedModel(string Sha256, long Bytes, IReadOnlyList<byte[]> Chunks, ModelCard Card)
{
    private const int ChunkBytes = 1 << 20;

    public static TrainedModel Of(float[] weights, ModelCard card)
    {
        var bytes = MemoryMarshal.AsBytes<float>(weights);
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            deflate.Write(bytes);
        return new(Convert.ToHexStringLower(SHA256.HashData(bytes)), bytes.Length, [.. packed.ToArray().Chunk(ChunkBytes)], card);
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
    public static async Task<float[]> ReadAsync(TrainingDbContext db, string sha256, CancellationToken cancellation)
    {
        var bytes = await db.Set<StoredWeights>().Where(w => w.Sha256 == sha256).Select(w => w.Bytes).SingleAsync(cancellation);
        using var packed = new MemoryStream();
        await foreach (var chunk in db.Set<WeightChunk>().AsNoTracking().Where(c => c.Sha256 == sha256).OrderBy(c => c.Part)
            .Select(c => c.Data).AsAsyncEnumerable().WithCancellation(cancellation))
            packed.Write(chunk);
        packed.Position = 0;
        var weights = new float[bytes / sizeof(float)];
        using var inflate = new ZLibStream(packed, CompressionMode.Decompress);
        inflate.ReadExactly(MemoryMarshal.AsBytes(weights.AsSpan()));
        return Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(weights.AsSpan()))) == sha256 ? weights
            : throw new InvalidDataException($"The stored weights {sha256} are damaged.");
    }
}
