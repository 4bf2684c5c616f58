using System.Runtime.CompilerServices;

namespace TrainingService.Engine.Randomness;

/// <summary>
/// The integer generator of Steele, Lea and Flood (2014): splits and synthetic rows, which must be the same on every machine and runtime,
/// as <see cref="Random"/> doesn't promise. Beside <see cref="RandomStream"/>, which has streams by purpose and better numbers, it stays
/// for the sake of splits that were made before; so do its own ways to a whole number below a bound (by rejection of what is too large)
/// and to a normal one (Box and Muller).
/// </summary>
public sealed class SplitMix64(long seed) : IBelow
{
    /// <summary>Between two states: from a seed, the k-th number is <c>Mix(seed + k Step)</c>, k from 0.</summary>
    public const ulong Step = 0x9E3779B97F4A7C15;

    private ulong _state = unchecked((ulong)seed);

    /// <summary>The generator's output after one step from <paramref name="state"/>: a bijection that scatters neighbours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong state)
    {
        state += Step;
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9;
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB;
        return state ^ (state >> 31);
    }

    /// <summary>A number in [0, 1), a multiple of 2^-53, from 64 random bits.</summary>
    public static double Uniform(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        var bits = Mix(_state);
        _state += Step;
        return bits;
    }

    /// <summary>Uniform in [0, bound), without bias.</summary>
    public int Next(int bound)
    {
        // the largest multiple of the bound; what lies above would favour small values
        var limit = ulong.MaxValue - ulong.MaxValue % (ulong)bound;
        ulong value;
        do
            value = Next();
        while (value >= limit);
        return (int)(value % (ulong)bound);
    }

    /// <summary>Uniform in [0, 1), a multiple of 2^-53.</summary>
    public double NextDouble() => Uniform(Next());

    /// <summary>Standard normal.</summary>
    public double NextNormal() => Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>Puts the items into random order.</summary>
    public void Shuffle(Span<int> items)
    {
        var self = this;
        Order.Shuffle(ref self, items);
    }

    int IBelow.Below(int bound) => Next(bound);
}
