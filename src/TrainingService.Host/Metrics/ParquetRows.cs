using Parquet;
using Parquet.Schema;

namespace TrainingService.Host.Metrics;

/// <summary>A field of exported rows.</summary>
/// <param name="Name">As in JSON.</param>
/// <param name="Type">long, double, float or string; every value may be missing.</param>
/// <param name="Value">Of that type, or null.</param>
public sealed record RowField<TRow>(string Name, Type Type, Func<TRow, object?> Value);

/// <summary>
/// Rows as an Apache Parquet file. Columns are collected for one row group at a time; the compressed file is put together in memory,
/// since its writer must be able to seek, and a container need have no place for temporary files.
/// </summary>
public static class ParquetRows
{
    private const int GroupRows = 50_000;

    public static async Task WriteAsync<TRow>(Stream stream, IAsyncEnumerable<TRow> rows,
        IReadOnlyList<RowField<TRow>> fields, CancellationToken cancellation)
    {
        var columns = fields.Select(field => (field.Value, Column: Column.Of(field.Name, field.Type))).ToList();
        using var file = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(new ParquetSchema(columns.Select(column => column.Column.Field)),
            file, cancellationToken: cancellation))
        {
            var waiting = 0;
            await foreach (var row in rows.WithCancellation(cancellation))
            {
                foreach (var (value, column) in columns)
                    column.Add(value(row));
                if (++waiting == GroupRows)
                {
                    await FlushAsync(writer);
                    waiting = 0;
                }
            }
            if (waiting > 0)
                await FlushAsync(writer);
        }
        file.Position = 0;
        await file.CopyToAsync(stream, cancellation);

        async Task FlushAsync(ParquetWriter writer)
        {
            using var group = writer.CreateRowGroup();
            foreach (var (_, column) in columns)
                await column.WriteAsync(group, cancellation);
            group.CompleteValidate();
        }
    }

    private abstract class Column(DataField field)
    {
        public DataField Field { get; } = field;

        public static Column Of(string name, Type type) =>
            type == typeof(long) ? new Numbers<long>(name) : type == typeof(float) ? new Numbers<float>(name)
                : type == typeof(double) ? new Numbers<double>(name) : new Texts(name);

        public abstract void Add(object? value);

        public abstract Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellation);
    }

    private sealed class Numbers<T>(string name) : Column(new DataField(name, typeof(T), isNullable: true)) where T : struct
    {
        private readonly List<T?> _values = [];

        public override void Add(object? value) => _values.Add((T?)value);

        public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellation)
        {
            await group.WriteAsync<T>(Field, _values.ToArray().AsMemory(), cancellationToken: cancellation);
            _values.Clear();
        }
    }

    private sealed class Texts(string name) : Column(new DataField(name, typeof(string), isNullable: true))
    {
        private readonly List<string?> _values = [];

        public override void Add(object? value) => _values.Add((string?)value);

        public override async Task WriteAsync(ParquetRowGroupWriter group, CancellationToken cancellation)
        {
            await group.WriteAsync(Field, [.. _values]);
            _values.Clear();
        }
    }
}
