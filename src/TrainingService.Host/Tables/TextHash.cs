using System.Buffers.Binary;
using System.Numerics;
using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Tables;

/// <summary>64 bits of a text; equal on all machines for equal seeds.</summary>
public static class TextHash
{
    public static ulong Of(ReadOnlySpan<byte> text, ulong seed = 0)
    {
        var hash = SplitMix64.Mix(seed ^ (ulong)text.Length);
        for (; text.Length >= 8; text = text[8..])
            hash = Step(hash, BinaryPrimitives.ReadUInt64LittleEndian(text));
        ulong rest = 0;
        for (var i = 0; i < text.Length; i++)
            rest |= (ulong)text[i] << (8 * i);
        return SplitMix64.Mix(Step(hash, rest));
    }

    public static ulong Of(double number) => SplitMix64.Mix((ulong)BitConverter.DoubleToInt64Bits(number == 0 ? 0 : number));

    private static ulong Step(ulong hash, ulong word) => BitOperations.RotateLeft((hash ^ word) * 0x9E37_79B9_7F4A_7C15, 29);
}

/// <summary>
/// How many different values a column has, within some percent: the smallest of their hashes lie as densely as there are values
/// (Bar-Yossef et al. 2002, Counting distinct elements in a data stream).
/// </summary>
public sealed class DistinctSketch
{
    private const int Kept = 128;

    private readonly ulong[] _smallest = new ulong[Kept];
    private int _count;

    public void Add(ulong hash)
    {
        if (_count == Kept && hash >= _smallest[Kept - 1])
            return;
        var at = Array.BinarySearch(_smallest, 0, _count, hash);
        if (at >= 0)
            return;
        at = ~at;
        if (_count < Kept)
            _count++;
        Array.Copy(_smallest, at, _smallest, at + 1, _count - 1 - at);
        _smallest[at] = hash;
    }

    /// <summary>Exact below 128, within a fifth else.</summary>
    public double Estimate => _count < Kept ? _count : (Kept - 1) / (_smallest[Kept - 1] / (double)ulong.MaxValue);
}
