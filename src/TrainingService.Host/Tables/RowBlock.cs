using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace TrainingService.Host.Tables;

/// <summary>Columns that are stored alike, in their codes and row by row, so that rows are quick to read in any order.</summary>
public abstract class RowBlock
{
    /// <param name="columns">How each is stored; all are of one type.</param>
    /// <param name="rows">Number of rows.</param>
    public static RowBlock Of(IReadOnlyList<Storage> columns, int rows) => columns[0].Type switch
    {
        StorageType.Byte => new RowBlock<byte>(columns, rows),
        StorageType.UShort => new RowBlock<ushort>(columns, rows),
        StorageType.UInt => new RowBlock<uint>(columns, rows),
        StorageType.Float => new RowBlock<float>(columns, rows),
        _ => new RowBlock<double>(columns, rows),
    };

    /// <summary>Number of columns.</summary>
    public abstract int Width { get; }

    public abstract bool HasMissing { get; }

    /// <summary>A row's values; NaN where one is missing.</summary>
    /// <param name="row">Which.</param>
    /// <param name="values">Gets one a column.</param>
    public abstract void Read(int row, Span<double> values);

    /// <summary>Asks for a row's memory, which will be read soon, without waiting for it.</summary>
    public abstract void Prefetch(int row);

    /// <summary>A value as people wrote it: a float's shortest text; null where it is missing.</summary>
    public abstract object? Shown(int row, int column);

    /// <summary>Takes a column's codes, little-endian, from a row on.</summary>
    public abstract void Write(int column, int row, ReadOnlySpan<byte> codes);
}

/// <inheritdoc/>
public sealed class RowBlock<T> : RowBlock where T : unmanaged, INumber<T>, IMinMaxValue<T>
{
    // In pieces, since an array ends at 2^31 numbers.
    private const int PieceBits = 14;

    private static readonly bool IsWhole = typeof(T) != typeof(float) && typeof(T) != typeof(double);

    private readonly T[][] _pieces;
    private readonly int _bits;
    private readonly double[] _offsets, _divisors;
    private readonly bool _isScaled;
    private bool _hasMissing;

    public RowBlock(IReadOnlyList<Storage> columns, int rows)
    {
        Width = columns.Count;
        _bits = PieceBits;
        _pieces = [.. Enumerable.Range(0, (rows >> _bits) + 1)
            .Select(piece => new T[Math.Min(1 << _bits, rows - (piece << _bits)) * Width])];
        _offsets = [.. columns.Select(column => (double)column.Offset)];
        _divisors = [.. columns.Select(column => (double)column.Divisor)];
        _isScaled = columns.Any(column => column is not { Offset: 0, Divisor: 1 });
    }

    /// <summary>Rows as they are: no whole number stands for a missing one.</summary>
    /// <param name="width">Number of columns.</param>
    /// <param name="values">(rows, columns), row by row.</param>
    public RowBlock(int width, T[] values)
    {
        (Width, _bits, _pieces, _offsets, _divisors) = (width, 31, [values], [], []);
        _hasMissing = !IsWhole && Array.Exists(values, T.IsNaN);
    }

    public override int Width { get; }

    public override bool HasMissing => _hasMissing;

    private Span<T> Row(int row) => _pieces[row >> _bits].AsSpan((row & (int)((1L << _bits) - 1)) * Width, Width);

    public override void Read(int row, Span<double> values)
    {
        Widen(Row(row), values);
        if (!IsWhole || !_isScaled && !_hasMissing)
            return;
        // (code + offset) / divisor, which is exact: see Storage
        var missing = double.CreateChecked(T.MaxValue);
        ref var value = ref MemoryMarshal.GetReference(values);
        var done = 0;
        for (; done <= Width - Vector512<double>.Count; done += Vector512<double>.Count)
        {
            var codes = Vector512.LoadUnsafe(ref value, (nuint)done);
            var whole = (codes + Vector512.Create(_offsets, done)) / Vector512.Create(_divisors, done);
            Vector512.ConditionalSelect(Vector512.Equals(codes, Vector512.Create(missing)), Vector512.Create(double.NaN), whole)
                .StoreUnsafe(ref value, (nuint)done);
        }
        for (; done < Width; done++)
            values[done] = values[done] == missing ? double.NaN : (values[done] + _offsets[done]) / _divisors[done];
    }

    public override unsafe void Prefetch(int row)
    {
        const int Line = 64;
        if (!Sse.IsSupported)
            return;
        var bytes = MemoryMarshal.AsBytes(Row(row));
        for (var at = 0; at < bytes.Length; at += Line)
            Sse.Prefetch0(Unsafe.AsPointer(ref bytes[at]));
    }

    public override object? Shown(int row, int column)
    {
        var values = new double[Width];
        Read(row, values);
        return double.IsNaN(values[column]) ? null : Row(row)[column] is float single ? (object)single : values[column];
    }

    public override void Write(int column, int row, ReadOnlySpan<byte> codes)
    {
        foreach (var code in MemoryMarshal.Cast<byte, T>(codes))
        {
            Row(row++)[column] = code;
            _hasMissing |= IsWhole ? code == T.MaxValue : T.IsNaN(code);
        }
    }

    private static void Widen(ReadOnlySpan<T> from, Span<double> to)
    {
        if (typeof(T) == typeof(double))
            MemoryMarshal.Cast<T, double>(from).CopyTo(to);
        else if (typeof(T) == typeof(float))
            Widen(MemoryMarshal.Cast<T, float>(from), to);
        else if (typeof(T) == typeof(byte))
            Widen(MemoryMarshal.AsBytes(from), to);
        else if (typeof(T) == typeof(ushort))
            Widen(MemoryMarshal.Cast<T, ushort>(from), to);
        else
            for (var i = 0; i < from.Length; i++)
                to[i] = double.CreateTruncating(from[i]);
    }

    private static void Widen(ReadOnlySpan<byte> from, Span<double> to)
    {
        ref var code = ref MemoryMarshal.GetReference(from);
        ref var value = ref MemoryMarshal.GetReference(to);
        var done = 0;
        for (; done <= from.Length - Vector128<byte>.Count; done += Vector128<byte>.Count)
        {
            var shorts = Vector256.WidenLower(Vector128.LoadUnsafe(ref code, (nuint)done).ToVector256Unsafe());
            // a float holds them all
            Put(Vector512.ConvertToSingle(Vector512.WidenLower(shorts.ToVector512Unsafe()).AsInt32()), ref value, done);
        }
        for (; done < from.Length; done++)
            to[done] = from[done];
    }

    private static void Widen(ReadOnlySpan<ushort> from, Span<double> to)
    {
        ref var code = ref MemoryMarshal.GetReference(from);
        ref var value = ref MemoryMarshal.GetReference(to);
        var done = 0;
        for (; done <= from.Length - Vector256<ushort>.Count; done += Vector256<ushort>.Count)
            Put(Vector512.ConvertToSingle(Vector512.WidenLower(Vector256.LoadUnsafe(ref code, (nuint)done).ToVector512Unsafe()).AsInt32()),
                ref value, done);
        for (; done < from.Length; done++)
            to[done] = from[done];
    }

    private static void Widen(ReadOnlySpan<float> from, Span<double> to)
    {
        ref var number = ref MemoryMarshal.GetReference(from);
        ref var value = ref MemoryMarshal.GetReference(to);
        var done = 0;
        for (; done <= from.Length - Vector512<float>.Count; done += Vector512<float>.Count)
            Put(Vector512.LoadUnsafe(ref number, (nuint)done), ref value, done);
        for (; done < from.Length; done++)
            to[done] = from[done];
    }

    private static void Put(Vector512<float> values, ref double to, int at)
    {
        Vector512.WidenLower(values).StoreUnsafe(ref to, (nuint)at);
        Vector512.WidenUpper(values).StoreUnsafe(ref to, (nuint)(at + Vector512<double>.Count));
    }
}
