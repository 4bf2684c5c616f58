using System.Numerics;

namespace TrainingService.Engine.Randomness;

/// <summary>What a stream of random numbers is for. Streams of different purposes or indices share nothing.</summary>
internal enum StreamPurpose
{
    Weights = 1,
    Biases = 2,
    Order = 3,
    EvaluationRows = 4,
    Noise = 5,
    Structure = 6,
    Preflight = 7,
}

/// <summary>
/// xoshiro256++ (Blackman &amp; Vigna 2019), its state drawn by SplitMix64 from (seed, purpose, index): equal keys give equal numbers on every machine.
/// </summary>
internal struct RandomStream
{
    private ulong _a, _b, _c, _d;

    public RandomStream(long seed, StreamPurpose purpose, long index)
    {
        var key = Mix(Mix((ulong)seed) ^ Mix(((ulong)purpose << 56) + (ulong)index));
        _a = Mix(key + 1);
        _b = Mix(key + 2);
        _c = Mix(key + 3);
        _d = Mix(key + 4);
    }

    /// <summary>SplitMix64's output function after one step: a bijection that scatters neighbours.</summary>
    public static ulong Mix(ulong x)
    {
        x += 0x9E3779B97F4A7C15;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    public ulong Next()
    {
        var result = BitOperations.RotateLeft(_a + _d, 23) + _a;
        var t = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= t;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>Uniform in [0, 1).</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform whole number in [0, bound), without bias (Lemire 2019).</summary>
    public int Below(int bound)
    {
        while (true)
        {
            var product = (UInt128)Next() * (ulong)bound;
            if ((ulong)product >= (ulong)bound || (ulong)product >= (0UL - (ulong)bound) % (ulong)bound)
                return (int)(product >> 64);
        }
    }

    /// <summary>Two independent standard normal numbers by the polar method (Marsaglia &amp; Bray 1964), which needs no sine.</summary>
    public (double, double) Normals()
    {
        while (true)
        {
            double x = 2 * Uniform() - 1, y = 2 * Uniform() - 1, square = x * x + y * y;
            if (square is >= 1 or 0)
                continue;
            var factor = Math.Sqrt(-2 * Math.Log(square) / square);
            return (factor * x, factor * y);
        }
    }

    /// <summary>Fisher-Yates.</summary>
    public void Shuffle(Span<int> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }
}
