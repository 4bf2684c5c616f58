using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Uploads;

/// <summary>Writes a table into the database: all of it or nothing.</summary>
internal static class DatasetStore
{
    /// <summary>The content's id and hash; one that is there already is not stored twice.</summary>
    /// <param name="db">With a transaction that is the caller's to commit.</param>
    /// <param name="file">The file.</param>
    /// <param name="plan">Without problems.</param>
    /// <param name="now">When it is stored.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async Task<(Guid Id, string Sha256, IReadOnlyList<TableWarning> Leaks)> WriteAsync(TrainingDbContext db, TableFile file,
        TablePlan plan, DateTimeOffset now, CancellationToken cancellation)
    {
        var encoder = new TableEncoder(plan);
        var id = Guid.CreateVersion7(now);
        // Its hash is known when all rows have been read.
        var content = new DatasetContent { Id = id, Sha256 = id.ToString("N"), Schema = Schema(plan, encoder, file), CreatedAt = now };
        db.DatasetContents.Add(content);
        await db.SaveChangesAsync(cancellation);
        db.ChangeTracker.Clear();
        var number = 0;
        foreach (var chunk in encoder.Encode(file.Open, pack: true, cancellation))
        {
            await InsertAsync(db, id, chunk, cancellation);
            number = chunk.Number + 1;
        }
        var split = TestRows.Of(plan, encoder);
        var (bits, dataSha256) = encoder.End(number, split.IsTest);
        await InsertAsync(db, id, bits, cancellation);
        var schema = content.Schema with
        {
            Split = split.Rule,
            TestRows = split.Count,
            TestFraction = split.Fraction,
            Stratified = split.Stratified,
            DataSha256 = dataSha256,
        };
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(schema, Json.Options)));
        var leaks = encoder.Leaks.Found().ToList();
        if (await db.DatasetContents.AsNoTracking().Where(c => c.Sha256 == sha256).Select(c =>
            c.Id).ToListAsync(cancellation) is [var known])
        {
            await db.DatasetContents.Where(c => c.Id == id).ExecuteDeleteAsync(cancellation);
            return (known, sha256, leaks);
        }
        await db.DatasetContents.Where(c => c.Id == id)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.Sha256, sha256).SetProperty(c => c.Schema, schema), cancellation);
        return (id, sha256, leaks);
    }

    private static Task<int> InsertAsync(TrainingDbContext db, Guid id, Chunk chunk, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync(
            $"INSERT INTO dataset_chunks (content_id, number, packed) VALUES ({id}, {chunk.Number}, {chunk.Packed})", cancellation);

    private static StoredTable Schema(TablePlan plan, TableEncoder encoder, TableFile file) => new()
    {
        Rows = (int)plan.Profile.Rows,
        DroppedRows = (int)plan.Profile.DroppedRows,
        Features = [.. plan.Features.Select(feature => StoredColumn.Of(feature, plan.Profile.Names[feature.Source]))],
        Target = StoredColumn.Of(plan.Target ?? throw new ArgumentException("a plan with problems", nameof(plan)),
            plan.Profile.Names[plan.Target.Source]),
        Group = plan.Group is null ? null : StoredColumn.Of(plan.Group, plan.Group.Name),
        Time = plan.Time is null ? null : StoredColumn.Of(plan.Time, plan.Time.Name),
        Image = file.Image,
        ChunkRows = encoder.ChunkRows,
        Split = SplitRule.Drawn,
        TestRows = 0,
        DataSha256 = "",
    };
}
