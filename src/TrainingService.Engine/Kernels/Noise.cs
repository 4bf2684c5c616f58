using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Kernels;

/// <summary>
/// Random bits for every (unit, sample) of a layer as a hash of a key and the two: nothing is kept, the backward pass asks again, and no
/// bit depends on the order of work or on the batch's layout.
/// </summary>
internal static class Noise
{
    /// <summary>The key of one layer at one step of one run.</summary>
    public static ulong Key(long seed, int layer, long step) =>
        SplitMix64.Mix(SplitMix64.Mix(SplitMix64.Mix((ulong)seed + ((ulong)StreamPurpose.Noise << 56)) + (ulong)layer) + (ulong)step);

    /// <summary>The samples' part of the hash for 16 samples from <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Samples(ulong key, int first)
    {
        var index = Vector512.Create(0u, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) + Vector512.Create((uint)first);
        return Mix(index * Vector512.Create(0x9E3779B1u) ^ Vector512.Create((uint)(key >> 32)));
    }

    /// <summary>32 random bits for each of 16 samples of one unit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<uint> Bits(ulong key, int unit, Vector512<uint> samples) =>
        Mix(samples ^ Vector512.Create((uint)SplitMix64.Mix(key + (uint)unit)));

    /// <summary>MurmurHash3's finaliser on 32 bits: a bijection that scatters neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Mix(Vector512<uint> x)
    {
        x = (x ^ x >>> 16) * Vector512.Create(0x85EBCA6Bu);
        x = (x ^ x >>> 13) * Vector512.Create(0xC2B2AE35u);
        return x ^ x >>> 16;
    }
}
