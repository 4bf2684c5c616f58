using TrainingService.Engine.Kernels;
using TrainingService.Engine.Tests.Memory;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

[Trait("Category", "Kernel")]
public sealed unsafe class DropoutTests
{
    private const int Units = 50, Blocks = 20;

    [Theory, InlineData(0.1), InlineData(0.5), InlineData(0.9), InlineData(0.999)]
    public void Drops_the_given_share_and_scales_the_rest(double rate)
    {
        var result = Ones(rate, 7);
        Assert.All(result, v => Assert.True(v == 0 || v == (float)(1 / (1 - rate))));
        var expected = rate * result.Length;
        Assert.InRange(result.Count(v => v == 0), expected - 5 * Math.Sqrt(expected * (1 - rate)),
            expected + 5 * Math.Sqrt(expected * (1 - rate)));
    }

    [Fact]
    public void A_tiny_rate_keeps_nearly_everything() => Assert.InRange(Ones(1e-6, 1).Count(v => v == 0), 0, 3);

    [Fact]
    public void Equal_keys_drop_the_same_and_others_differ()
    {
        Assert.Equal(Ones(0.5, 3), Ones(0.5, 3));
        var first = Ones(0.5, 3);
        foreach (var key in new ulong[] { 2, 4, 3 + (1UL << 32), 3 + (1UL << 63) })
            AssertUnrelated(first, Ones(0.5, key));
    }

    [Fact]
    public void Every_part_of_a_noise_key_counts()
    {
        ulong[] keys =
        [
            .. from seed in new[] { 0L, 1, -1 }
               from layer in Enumerable.Range(0, 20)
               from step in Enumerable.Range(1, 50)
               select Noise.Key(seed, layer, step),
        ];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        AssertUnrelated(Ones(0.5, Noise.Key(1, 0, 1)), Ones(0.5, Noise.Key(1, 1, 1)));
        AssertUnrelated(Ones(0.5, Noise.Key(1, 0, 1)), Ones(0.5, Noise.Key(1, 0, 2)));
    }

    [Fact]
    public void Neighbouring_units_and_samples_are_unrelated()
    {
        var mask = Ones(0.5, 11);
        AssertUnrelated([.. mask.SkipLast(32)], [.. mask.Skip(32)]);
        AssertUnrelated([.. mask.SkipLast(1)], [.. mask.Skip(1)]);
        AssertUnrelated([.. mask.SkipLast(Units * 32)], [.. mask.Skip(Units * 32)]);
    }

    [Fact]
    public void Works_in_place_and_asks_the_same_again()
    {
        using GuardedBuffer source = new(Units * Blocks * 32), target = new(source.Length);
        for (var i = 0; i < source.Length; i++)
            source.Values[i] = i + 1;
        Apply(source, target, 0.3, 5);
        Apply(source, source, 0.3, 5);
        source.AssertIntact();
        target.AssertIntact();
        Assert.Equal(target.Values, source.Values);
    }

    private static float[] Ones(double rate, ulong key)
    {
        using var values = new GuardedBuffer(Units * Blocks * 32);
        values.Values.Fill(1);
        Apply(values, values, rate, key);
        values.AssertIntact();
        return values.Values.ToArray();
    }

    /// <summary>In two pieces, as two threads would do it.</summary>
    private static void Apply(GuardedBuffer source, GuardedBuffer target, double rate, ulong key)
    {
        Dropout.Apply(source.Pointer, target.Pointer, Units, 7, Blocks, rate, (float)(1 / (1 - rate)), 0, 0, key);
        Dropout.Apply(source.Pointer, target.Pointer, Units, 0, 7, rate, (float)(1 / (1 - rate)), 0, 0, key);
    }

    /// <summary>Two masks of rate one half that agree in about half of their places.</summary>
    private static void AssertUnrelated(float[] a, float[] b)
    {
        var agree = a.Zip(b).Count(p => p.First == p.Second);
        Assert.InRange(agree, a.Length / 2 - 5 * Math.Sqrt(a.Length) / 2, a.Length / 2 + 5 * Math.Sqrt(a.Length) / 2);
    }
}
