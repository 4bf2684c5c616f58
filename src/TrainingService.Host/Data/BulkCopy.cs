using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace TrainingService.Host.Data;

public static class BulkCopy
{
    /// <summary>
    /// Stores new rows by COPY, ten times as fast as by SaveChanges, in the context's transaction. They aren't tracked.
    /// </summary>
    public static async Task CopyAsync<T>(this TrainingDbContext db, IReadOnlyCollection<T> rows, CancellationToken cancellation)
        where T : class
    {
        if (rows.Count == 0)
            return;
        var type = db.Model.FindEntityType(typeof(T)) ?? throw new ArgumentException($"{typeof(T)} has no table.", nameof(rows));
        // Postgres makes a row's version itself
        var columns = type.GetProperties().Where(property => !property.IsConcurrencyToken).Select(property => (
            Name: property.GetColumnName(), Type: property.GetColumnType(), Value: property.GetGetter(),
            property.GetTypeMapping().Converter)).ToArray();
        await db.Database.OpenConnectionAsync(cancellation);
        var connection = (NpgsqlConnection)db.Database.GetDbConnection();
        var names = string.Join(", ", columns.Select(column => column.Name));
        await using (var copy = await connection.BeginBinaryImportAsync(
            $"COPY {type.GetTableName()} ({names}) FROM STDIN (FORMAT BINARY)", cancellation))
        {
            foreach (var row in rows)
            {
                await copy.StartRowAsync(cancellation);
                foreach (var column in columns)
                    if (column.Value.GetClrValue(row) is not { } value)
                        await copy.WriteNullAsync(cancellation);
                    else
                        await copy.WriteAsync(column.Converter is { } converter ? converter.ConvertToProvider(value)! : value,
                            column.Type, cancellation);
            }
            await copy.CompleteAsync(cancellation);
        }
        await db.Database.CloseConnectionAsync();
    }
}
