using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Kernels;

/// <summary>
/// Inverted dropout (Srivastava et al. 2014): an entry is kept with probability 1 - rate and then divided by it. Whether (unit, sample) is kept is a
/// hash of the key and the two, so the backward pass asks again and nothing depends on the order of work.
/// </summary>
internal static unsafe class Dropout
{
    /// <summary>target = source where kept, divided by 1 - rate, else 0; may work in place. <paramref name="key"/> stands for seed, layer and step.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float* source, float* target, int units, int blocks, double rate, ulong key)
    {
        var threshold = Vector512.Create((uint)(rate * 4294967296.0));
        var factor = Vector512.Create((float)(1 / (1 - rate)));
        var lanes = Vector512.Create(0u, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        var high = Vector512.Create((uint)(key >> 32));
        for (var half = 0; half < blocks * 2; half++)
        {
            var samples = Mix((lanes + Vector512.Create((uint)half * 16)) * Vector512.Create(0x9E3779B1u) ^ high);
            var offset = (long)(half / 2) * units * 32 + half % 2 * 16;
            for (var unit = 0; unit < units; unit++, offset += 32)
            {
                var bits = Mix(samples ^ Vector512.Create((uint)RandomStream.Mix(key + (uint)unit)));
                (Vector512.Load(source + offset) * factor & Vector512.GreaterThanOrEqual(bits, threshold).AsSingle()).Store(target + offset);
            }
        }
    }

    /// <summary>MurmurHash3's finaliser on 32 bits: a bijection that scatters neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Mix(Vector512<uint> x)
    {
        x = (x ^ x >>> 16) * Vector512.Create(0x85EBCA6Bu);
        x = (x ^ x >>> 13) * Vector512.Create(0xC2B2AE35u);
        return x ^ x >>> 16;
    }
}
