using System.Data;
using System.IO.Compression;
using System.IO.Pipelines;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Host.Data;

namespace TrainingService.Host.Models;

/// <summary>Numbers in the database: deflated, in pieces of about a megabyte of them each.</summary>
public static class Deflated
{
    private const int ChunkBytes = 1 << 20;

    /// <summary>Below this share of its size the first piece must come for the others to be worth the time.</summary>
    private const double WorthIt = 0.95;

    /// <summary>As fast as can be; numbers that were trained often don't shrink at all, and then are only framed.</summary>
    public static IReadOnlyList<byte[]> Pack(ReadOnlySpan<byte> numbers)
    {
        var first = numbers[..Math.Min(ChunkBytes, numbers.Length)];
        var pays = numbers.Length == first.Length
            || Pack(first, CompressionLevel.Fastest).Sum(piece => piece.Length) < WorthIt * first.Length;
        var level = pays ? CompressionLevel.Fastest : CompressionLevel.NoCompression;
        return Pack(numbers, level);
    }

    private static List<byte[]> Pack(ReadOnlySpan<byte> numbers, CompressionLevel level)
    {
        var chunks = new List<byte[]>();
        using var packed = new MemoryStream();
        using (var deflate = new ZLibStream(packed, level, leaveOpen: true))
            for (var at = 0; at < numbers.Length; at += ChunkBytes)
            {
                deflate.Write(numbers.Slice(at, Math.Min(ChunkBytes, numbers.Length - at)));
                Cut();
            }
        Cut();
        return chunks;

        void Cut()
        {
            if (packed.Length > 0)
                chunks.Add(packed.ToArray());
            packed.SetLength(0);
        }
    }

    /// <summary>What was packed, inflated as it comes, so that the pieces never lie in memory as a whole beside it.</summary>
    /// <param name="db">Where it is.</param>
    /// <param name="command">Reads the pieces in their order.</param>
    /// <param name="bytes">How many there were.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="InvalidDataException">The pieces are not those that were stored.</exception>
    /// <exception cref="EndOfStreamException">Some are missing.</exception>
    public static async Task<byte[]> ReadAsync(TrainingDbContext db, NpgsqlCommand command, long bytes, CancellationToken cancellation)
    {
        var (pipe, numbers) = (new Pipe(), new byte[bytes]);
        var filling = FillAsync();
        try
        {
            await using var inflate = new ZLibStream(pipe.Reader.AsStream(), CompressionMode.Decompress);
            await inflate.ReadExactlyAsync(numbers, cancellation);
        }
        finally
        {
            // without which a filler whose reader gave up would wait for ever
            await pipe.Reader.CompleteAsync();
            await filling;
        }
        return numbers;

        async Task FillAsync()
        {
            Exception? failure = null;
            try
            {
                await db.Database.OpenConnectionAsync(cancellation);
                command.Connection = (NpgsqlConnection)db.Database.GetDbConnection();
                await using var chunks = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellation);
                while (await chunks.ReadAsync(cancellation))
                {
                    await using var chunk = chunks.GetStream(0);
                    await chunk.CopyToAsync(pipe.Writer, cancellation);
                }
            }
            catch (Exception e)
            {
                failure = e;
            }
            finally
            {
                await db.Database.CloseConnectionAsync();
            }
            await pipe.Writer.CompleteAsync(failure);
        }
    }
}
