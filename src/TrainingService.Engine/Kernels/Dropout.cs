using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Kernels;

/// <summary>
/// y = factor x + offset where an entry is kept, which happens with probability 1 - rate, else y = dropped. Plain dropout (Srivastava et
/// al. 2014) has factor 1 / (1 - rate) and zeros; alpha dropout (Klambauer et al. 2017) has values that keep mean and variance.
/// </summary>
internal static unsafe class Dropout
{
    /// <summary>Blocks <paramref name="from"/> to <paramref name="to"/> of units x samples; may work in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Apply(float* source, float* target, int units, int from,
        int to, double rate, float factor, float offset, float dropped, ulong key)
    {
        var threshold = Vector512.Create((uint)(rate * 4294967296.0));
        Vector512<float> a = Vector512.Create(factor), b = Vector512.Create(offset), c = Vector512.Create(dropped);
        for (var half = from * 2; half < to * 2; half++)
        {
            var samples = Noise.Samples(key, half * 16);
            var at = (long)(half / 2) * units * 32 + half % 2 * 16;
            for (var unit = 0; unit < units; unit++, at += 32)
            {
                var kept = Vector512.GreaterThanOrEqual(Noise.Bits(key, unit, samples), threshold).AsSingle();
                Vector512.ConditionalSelect(kept, Vector512.FusedMultiplyAdd(Vector512.Load(source + at), a, b), c).Store(target + at);
            }
        }
    }
}
