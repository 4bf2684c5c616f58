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
/// xoshiro256++ (Blackman &amp; Vigna 2019), its state drawn by SplitMix64 from (seed, purpose, index): equal keys give
/// equal numbers on every machine.
/// </summary>
internal struct RandomStream : IBelow
{
    private ulong _a, _b, _c, _d;

    public RandomStream(long seed, StreamPurpose purpose, long index)
    {
        var key = SplitMix64.Mix(SplitMix64.Mix((ulong)seed) ^ SplitMix64.Mix(((ulong)purpose << 56) + (ulong)index));
        _a = SplitMix64.Mix(key + 1);
        _b = SplitMix64.Mix(key + 2);
        _c = SplitMix64.Mix(key + 3);
        _d = SplitMix64.Mix(key + 4);
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
    public double Uniform() => SplitMix64.Uniform(Next());

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

    /// <summary>Puts the items into random order.</summary>
    public void Shuffle(Span<int> items) => Order.Shuffle(ref this, items);
}
