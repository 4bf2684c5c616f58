namespace TrainingService.Engine.Tests.Golden;

/// <summary>The generator that big.json's weights and data come from.</summary>
public sealed class SplitMix64(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
        z = (z ^ z >> 27) * 0x94D049BB133111EB;
        return z ^ z >> 31;
    }

    /// <summary>In [-scale, scale), exact in float32.</summary>
    public double Symmetric(double scale) => (2 * ((Next() >> 40) * (1.0 / 16777216)) - 1) * scale;

    public double[] Symmetric(int count, double scale) => [.. Enumerable.Range(0, count).Select(_ => Symmetric(scale))];
}
