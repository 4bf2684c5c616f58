using System.Security.Cryptography;

namespace TrainingService.Host.Tables;

/// <summary>Rows of a table, encoded.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Packed">Their bytes.</param>
public sealed record Chunk(int Number, byte[] Packed);

/// <summary>The second reading of a file: its rows become codes. What splits need stays in memory.</summary>
public sealed class TableEncoder
{
    /// <summary>What a Parquet file may do whose packed bytes are damaged.</summary>
    public const string ReadsOtherwise = "the file is damaged: it reads otherwise the second time";

    private readonly TablePlan _plan;
    private readonly PlannedColumn[] _columns;
    private readonly int _target;
    private readonly GroupCodes _groups = new();
    private readonly ColumnValues[] _values;
    private readonly int[] _bytes;
    private readonly byte[] _shuffled;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public TableEncoder(TablePlan plan)
    {
        var target = plan.Target ?? throw new ArgumentException("a plan with problems", nameof(plan));
        _plan = plan;
        _target = plan.Features.Count;
        _columns = [.. plan.Features, target, .. plan.Group is null ? [] : (PlannedColumn[])[plan.Group],
            .. plan.Time is null ? [] : (PlannedColumn[])[plan.Time]];
        var rows = checked((int)plan.Profile.Rows);
        ChunkRows = Math.Min(rows, Chunks.RowsOf(_columns.Select(column => column.Storage)));
        _values = [.. _columns.Select(column => new ColumnValues(column.Storage, ChunkRows))];
        _bytes = [.. _columns.Select(column => column.Storage.Bytes)];
        _shuffled = new byte[ChunkRows * _bytes.Sum()];
        Labels = target.Categories is null || target.Kind == ColumnKind.Ordinal ? [] : new ushort[rows];
        TestRows = new bool[plan.Profile.TestRows > 0 ? rows : 0];
        Groups = new int[plan.Group is null ? 0 : rows];
        Times = new double[plan.Time is null ? 0 : rows];
        Leaks = new(plan);
    }

    public int ChunkRows { get; }

    /// <summary>Class of each row; empty if the target is a number.</summary>
    public ushort[] Labels { get; }

    /// <summary>Whether each row came from the file of test rows; empty without one.</summary>
    public bool[] TestRows { get; }
    public Leaks Leaks { get; }

    /// <summary>Group of each row; empty without groups.</summary>
    public int[] Groups { get; }

    /// <summary>When each row was; empty if that was not asked.</summary>
    public double[] Times { get; }

    /// <summary>Reads all rows and hands on each chunk as soon as it is full.</summary>
    public IEnumerable<Chunk> Encode(Func<RowSource> open, bool pack, CancellationToken cancellation)
    {
        using var source = open();
        var missing = new Missing(_plan.Options.Missing);
        var decimals = _plan.Profile.Decimals;
        var cells = new double[_columns.Length];
        int row = 0, number = 0, filled = 0;
        while (source.Read())
        {
            if (source.Row % 4096 == 0)
                cancellation.ThrowIfCancellationRequested();
            cells[_target] = _columns[_target].Read(source[_columns[_target].Source], decimals, missing);
            if (double.IsNaN(cells[_target]))
                continue;
            for (var c = 0; c < cells.Length; c++)
                if (c != _target)
                    cells[c] = _columns[c] == _plan.Group ? _groups.Of(source[_columns[c].Source], missing, _columns[c].Name)
                        : _columns[c].Read(source[_columns[c].Source], decimals, missing);
            if (row == _plan.Profile.Rows)
                throw new TableException(ReadsOtherwise);
            for (var c = 0; c < cells.Length; c++)
                _values[c][filled] = cells[c];
            if (Labels.Length > 0)
                Labels[row] = (ushort)cells[_target];
            if (Groups.Length > 0)
                Groups[row] = (int)cells[_target + 1];
            if (Times.Length > 0)
                Times[row] = cells[^1];
            if (TestRows.Length > 0)
                TestRows[row] = source.IsTest;
            Leaks.Add(cells.AsSpan(0, _target + 1));
            row++;
            if (++filled == ChunkRows)
            {
                yield return Flush(number++, filled, pack);
                filled = 0;
            }
        }
        if (row != _plan.Profile.Rows)
            throw new TableException(ReadsOtherwise);
        if (filled > 0)
            yield return Flush(number, filled, pack);
    }

    /// <summary>The bits of the test rows, and the hash of everything.</summary>
    public (Chunk Chunk, string Sha256) End(int number, bool[] isTest)
    {
        var bits = new byte[(isTest.Length + 7) / 8];
        for (var row = 0; row < isTest.Length; row++)
            if (isTest[row])
                bits[row / 8] |= (byte)(1 << (row % 8));
        _hash.AppendData(bits);
        return (new(number, Chunks.Pack(bits)), Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    private Chunk Flush(int number, int rows, bool pack)
    {
        var at = 0;
        for (var c = 0; c < _values.Length; c++)
        {
            var length = rows * _bytes[c];
            var codes = _values[c].Bytes[..length];
            _hash.AppendData(codes);
            Chunks.Shuffle(codes, _bytes[c], _shuffled.AsSpan(at, length));
            at += length;
        }
        return new(number, pack ? Chunks.Pack(_shuffled.AsSpan(0, at)) : []);
    }
}
