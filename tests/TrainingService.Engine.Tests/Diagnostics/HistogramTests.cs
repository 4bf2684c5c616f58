using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Memory;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

public sealed unsafe class HistogramTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(17, 45)]
    [InlineData(64, 128)]
    public void Every_activation_is_in_its_bin_but_zeros_and_what_is_not_finite(int units, int samples)
    {
        var random = new Random(units);
        var values = Enumerable.Range(0, units * samples).Select(i => (i % 7) switch
        {
            0 => 0f,
            1 when units > 1 => float.NaN,
            2 when units > 1 => float.PositiveInfinity,
            _ => random.NextSingle() * 4 - 1,
        }).ToArray();
        if (units == 1)
            values = [0.5f];
        var histogram = Count(units, samples, values).Value!;
        var expected = new int[Histogram.Bins];
        foreach (var value in values.Where(v => v != 0 && float.IsFinite(v)))
            expected[Math.Clamp((int)((value - histogram.Low) * (Histogram.Bins / (histogram.High - histogram.Low))),
                0, Histogram.Bins - 1)]++;
        Assert.Equal(expected, histogram.Counts);
        Assert.True(histogram.Low < histogram.High);
    }

    [Fact]
    public void A_rectifiers_histogram_begins_at_0() => Assert.Equal(0, Count(1, 3, [0, 2, 5]).Value!.Low);

    [Fact]
    public void Zeros_alone_have_none() => Assert.Null(Count(2, 2, [0, 0, 0, float.NaN]).Value);

    [Fact]
    public void What_a_later_batch_has_beyond_the_edges_is_in_the_outer_bins()
    {
        var counter = Count(1, 2, [-1, 1]);
        Add(counter, 1, 2, [-100, 100]);
        Assert.Equal((1, 1, 4), (counter.Value!.Counts[0], counter.Value.Counts[^1], counter.Value.Counts.Sum()));
    }

    [Fact]
    public void Of_many_rows_of_a_wide_layer_some_batches_are_counted()
    {
        var counter = new HistogramCounter(64, 2048);
        float[] ones = [.. Enumerable.Repeat(1f, 64 * 64)];
        for (var batch = 0; batch < 2048 / 64; batch++)
            Add(counter, 64, 64, ones);
        Assert.Equal(256 * 64, counter.Value!.Counts.Sum());
    }

    private static HistogramCounter Count(int units, int samples, float[] values)
    {
        var counter = new HistogramCounter(units, samples);
        Add(counter, units, samples, values);
        return counter;
    }

    private static void Add(HistogramCounter counter, int units, int samples, float[] values)
    {
        var block = new float[units * Layout.Padded(samples)];
        for (var unit = 0; unit < units; unit++)
            for (var s = 0; s < samples; s++)
                block[Layout.Block(unit, s, units)] = values[unit * samples + s];
        fixed (float* h = block)
            counter.Add(h, samples);
    }
}
