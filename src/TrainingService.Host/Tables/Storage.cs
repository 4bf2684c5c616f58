using System.Runtime.InteropServices;

namespace TrainingService.Host.Tables;

/// <summary>How a column's values lie in memory and in the database.</summary>
public enum StorageType
{
    /// <summary>One byte; the largest stands for a missing value, as in the other two.</summary>
    Byte,

    /// <summary>Two bytes.</summary>
    UShort,

    /// <summary>Four bytes.</summary>
    UInt,

    /// <summary>Four bytes; NaN stands for a missing value.</summary>
    Float,

    /// <summary>Eight bytes; NaN stands for a missing value.</summary>
    Double,
}

/// <summary>
/// The smallest type that holds a column. Codes are exact: the value is (code + Offset) / Divisor, which for a number that was written
/// with a few decimals is the very number that its text stands for.
/// </summary>
/// <param name="Type">Type of the codes.</param>
/// <param name="Offset">Least value times the divisor; 0 for floats.</param>
/// <param name="Divisor">1, 10, 100, ...; 1 for floats.</param>
public sealed record Storage(StorageType Type, long Offset = 0, long Divisor = 1)
{
    private const int MostDigits = 9;

    // Up to here doubles are whole numbers without gaps.
    private const double Exact = 1L << 53;

    // A float has 24 bits: with values this much larger than their range, at least 20 of them tell values apart.
    private const double Float24 = 16;

    public static Storage OfCodes(int count) => new(count < byte.MaxValue ? StorageType.Byte
        : count < ushort.MaxValue ? StorageType.UShort : StorageType.UInt);

    public static Storage Of(NumberSummary numbers)
    {
        if (numbers.Count == 0)
            return new(StorageType.Byte);
        var largest = Math.Max(Math.Abs(numbers.Min), Math.Abs(numbers.Max));
        if (numbers.Digits <= MostDigits)
        {
            var divisor = (long)Math.Pow(10, numbers.Digits);
            if (largest * divisor < Exact)
            {
                var (low, high) = ((long)Math.Round(numbers.Min * divisor), (long)Math.Round(numbers.Max * divisor));
                var range = (ulong)(high - low);
                if (range < uint.MaxValue)
                    return new(range < byte.MaxValue ? StorageType.Byte : range < ushort.MaxValue ? StorageType.UShort : StorageType.UInt,
                        low, divisor);
            }
        }
        return new(largest <= Float24 * (numbers.Max - numbers.Min) && largest <= float.MaxValue && (largest == 0 || largest > 1e-30)
            ? StorageType.Float : StorageType.Double);
    }

    public int Bytes => Type switch
    {
        StorageType.Byte => 1,
        StorageType.UShort => 2,
        StorageType.UInt or StorageType.Float => 4,
        _ => 8,
    };
}

/// <summary>The values of a column, a code for each row.</summary>
public sealed class ColumnValues
{
    private readonly byte[] _bytes = [];
    private readonly ushort[] _ushorts = [];
    private readonly uint[] _uints = [];
    private readonly float[] _floats = [];
    private readonly double[] _doubles = [];

    public ColumnValues(Storage storage, int rows)
    {
        Storage = storage;
        switch (storage.Type)
        {
            case StorageType.Byte:
                _bytes = new byte[rows];
                break;
            case StorageType.UShort:
                _ushorts = new ushort[rows];
                break;
            case StorageType.UInt:
                _uints = new uint[rows];
                break;
            case StorageType.Float:
                _floats = new float[rows];
                break;
            default:
                _doubles = new double[rows];
                break;
        }
    }

    public Storage Storage { get; }

    /// <summary>NaN for a missing value.</summary>
    public double this[int row]
    {
        get => Storage.Type switch
        {
            StorageType.Byte => _bytes[row] is var code and not byte.MaxValue ? Value(code) : double.NaN,
            StorageType.UShort => _ushorts[row] is var code and not ushort.MaxValue ? Value(code) : double.NaN,
            StorageType.UInt => _uints[row] is var code and not uint.MaxValue ? Value(code) : double.NaN,
            StorageType.Float => _floats[row],
            _ => _doubles[row],
        };
        set
        {
            switch (Storage.Type)
            {
                case StorageType.Byte:
                    _bytes[row] = double.IsNaN(value) ? byte.MaxValue : (byte)Code(value);
                    break;
                case StorageType.UShort:
                    _ushorts[row] = double.IsNaN(value) ? ushort.MaxValue : (ushort)Code(value);
                    break;
                case StorageType.UInt:
                    _uints[row] = double.IsNaN(value) ? uint.MaxValue : (uint)Code(value);
                    break;
                case StorageType.Float:
                    _floats[row] = (float)value;
                    break;
                default:
                    _doubles[row] = value;
                    break;
            }
        }
    }

    /// <summary>The codes, little-endian.</summary>
    public Span<byte> Bytes => Storage.Type switch
    {
        StorageType.Byte => _bytes,
        StorageType.UShort => MemoryMarshal.AsBytes(_ushorts.AsSpan()),
        StorageType.UInt => MemoryMarshal.AsBytes(_uints.AsSpan()),
        StorageType.Float => MemoryMarshal.AsBytes(_floats.AsSpan()),
        _ => MemoryMarshal.AsBytes(_doubles.AsSpan()),
    };

    private double Value(uint code) => (code + Storage.Offset) / (double)Storage.Divisor;

    private long Code(double value) => (long)Math.Round(value * Storage.Divisor) - Storage.Offset;
}
