using System.Buffers;
using TrainingService.Engine.Data;

namespace TrainingService.Host.Datasets;

/// <summary>Rows of a split as numbers of a table's rows, encoded whenever a batch is gathered: all seeds share the table.</summary>
public sealed class EncodedRows(Table table, FeatureEncoder encoder, int[] places) : FeatureRows
{
    public override int Rows => places.Length;
    public override int Columns => encoder.Shift.Length;
    public override long Bytes => sizeof(int) * (long)places.Length;

    public override void Read(ReadOnlySpan<int> rows, Span<float> inputs)
    {
        var scratch = ArrayPool<double>.Shared.Rent(table.Columns);
        var cells = scratch.AsSpan(0, table.Columns);
        for (var i = 0; i < rows.Length; i++)
        {
            if (i + Table.Ahead < rows.Length)
                table.Prefetch(places[rows[i + Table.Ahead]]);
            table.Read(places[rows[i]], cells);
            encoder.Encode(cells, inputs.Slice(i * Columns, Columns));
        }
        ArrayPool<double>.Shared.Return(scratch);
    }
}
