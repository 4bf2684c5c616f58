using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

public sealed class IntervalTests
{
    /// <summary>Skewed to the right.</summary>
    private static readonly double[] Skewed = [.2, .5, .1, 1.7, .4, .9, 3.1, .3, .6, .8, 2.2, .1];

    // scipy 1.10.1: stats.bootstrap(method="BCa"), means of 20 runs of 100,000 resamples; one run of 10,000 scatters
    // by up to 0.07 (maize) and 0.03.
    [Fact]
    public void Bca_agrees_with_scipy()
    {
        AssertNear(new(-0.2086, 4.5404), new Bootstrap([.. SignFlipTests.Maize.Order()]).At(1.959963985), 0.12);
        AssertNear(new(0.5083, 1.5921), new Bootstrap([.. Skewed.Order()]).At(1.959963985), 0.05);
        AssertNear(new(0.5083, 1.5921), new Bootstrap([.. Skewed.Order()], 400_000).At(1.959963985), 0.008);
    }

    // Made by one core; an odd number of values leaves half a number of each resample over.
    [Fact]
    public void Several_cores_draw_the_same()
    {
        double[] values = [.. Enumerable.Range(0, 1001).Select(i => i * i % 997 / 997.0)];
        Assert.Equal(new(0.4792725543057442, 0.5163064051957572), new Bootstrap([.. values.Order()]).At(1.959963985));
    }

    // The same at the level 2 Phi(t_{n-1} sqrt(n / (n - 1))) - 1, and stats.t.interval: (0.0039, 5.2294) and (0.3083, 1.5083).
    [Fact]
    public void The_interval_is_on_each_side_the_wider_of_expanded_bca_and_student()
    {
        AssertNear(new(-0.6333, 5.2294), new MeanInterval(SignFlipTests.Maize, resamples: 400_000).At(0.05, 0)!.Value, 0.03);
        AssertNear(new(0.3083, 1.7338), new MeanInterval(Skewed, resamples: 400_000).At(0.05, 0)!.Value, 0.015);
        // R: t.test(sleep differences, conf.level = 0.9): -2.2930, -0.8670; the outlier at -4.6 pulls BCa's lower end.
        var sleep = new MeanInterval(SignFlipTests.Sleep).At(0.1, 0)!.Value;
        Assert.Equal(-0.866994733, sleep.Upper, 1e-9);
        Assert.InRange(sleep.Lower, -2.9, -2.2931);
    }

    // By hand: mean 0.90833, sd 0.94432, skewness 1.46541, t_11(0.975) 2.20099, z^2 / 24 = 0.16006. Once the sample's skewness:
    // g = 1.62547, 3 sd / g (1 - (1 - g (t / sqrt(12) + g / 72))^(1/3)) = 2.45933; 1.6 times is beyond 9/8 sqrt(12) / t = 1.77062.
    [Fact]
    public void Where_it_allows_for_skewness_the_end_on_the_side_of_the_tail_is_moved_out_by_hall_s_transformation()
    {
        AssertNear(new(0.30834, 3.36766), new MeanInterval(Skewed).At(0.05, 0, 1)!.Value, 1e-5);
        AssertNear(new(0.30834, 3.39211), new MeanInterval(Skewed).At(0.05, 0, 1.6)!.Value, 1e-5);
        // Without skewness both ends move a little: sd 1.32288, t_6(0.975) 2.44691, g = z^2 / 14; Student's half width is 1.22346.
        AssertNear(new(-1.35509, 1.35509), new MeanInterval([-2, -1, 0, 1, 2, 0.5, -0.5]).At(0.05, 0, 1)!.Value, 1e-5);
        // The longer the tail, the further the end: the largest value pulled out, at equal mean and sd.
        var ends = Enumerable.Range(0, 8).Select(pull =>
        {
            double[] values = [-1.2, -0.7, -0.2, 0.2, 0.7, 1.2 + pull];
            var (mean, sd) = (values.Average(), MathNet.Numerics.Statistics.Statistics.StandardDeviation(values));
            return new MeanInterval([.. values.Select(value => (value - mean) / sd)]).At(0.05, 0, 1)!.Value.Upper;
        }).ToList();
        // up to where it is capped
        Assert.All(ends.Zip(ends.Skip(1)), pair => Assert.True(pair.Second > pair.First - 1e-9));
        Assert.InRange(ends[^1], 4 * 2.57058 / Math.Sqrt(6), 4.2 * 2.57058 / Math.Sqrt(6));
    }

    [Fact]
    public void Equal_data_give_equal_intervals_in_any_order_and_mirrored_data_mirrored_ones()
    {
        var interval = new MeanInterval(Skewed).At(0.05, 0)!.Value;
        Assert.Equal(interval, new MeanInterval([.. Skewed.Reverse()]).At(0.05, 0));
        Assert.Equal(new(-interval.Upper, -interval.Lower), new MeanInterval([.. Skewed.Select(x => -x)]).At(0.05, 0));
        Assert.NotEqual(interval, new MeanInterval([.. Skewed[1..], 0.21]).At(0.05, 0));
    }

    [Fact]
    public void Few_or_equal_values_have_the_interval_that_they_deserve()
    {
        Assert.Null(new MeanInterval([]).At(0.05, 0));
        Assert.Null(new MeanInterval([3]).At(0.05, 0));
        // t_1(0.975) = 12.7062; the standard error of (1, 3) is 1.
        AssertNear(new(2 - 12.7062, 2 + 12.7062), new MeanInterval([1, 3]).At(0.05, 0)!.Value, 1e-4);
        // Equal values don't tell how others would vary: no interval without a step, and none without width with one.
        Assert.Null(new MeanInterval([2, 2]).At(0.05, 0));
        Assert.Null(new MeanInterval(new double[20]).At(0.05, 0));
        AssertNear(new(2 - 0.1 * 0.841886, 2 + 0.1 * 0.841886), new MeanInterval([2, 2]).At(0.05, 0.1)!.Value, 1e-6);
        // One value apart from the rest in the last digit of single precision.
        Assert.Equal(0, Width(new MeanInterval([0.1, 0.1, 0.1 + 1e-8, 0.1]).At(0.05, 0)!.Value), 1e-7);
    }

    [Fact]
    public void Ties_prove_no_more_than_their_number()
    {
        // 10 ties on 30 rows: a share of 1 - 0.05^(1/10) = 0.2589 of other values would still leave ten ties in one case of twenty.
        var interval = new MeanInterval(new double[10]).At(0.1, 1 / 30.0)!.Value;
        AssertNear(new(-0.25887 / 30, 0.25887 / 30), interval, 1e-6);
        // Where the values vary the step is of no account.
        Assert.Equal(new MeanInterval(Skewed).At(0.05, 0), new MeanInterval(Skewed).At(0.05, 0.1));
    }

    private static double Width(Interval interval) => interval.Upper - interval.Lower;

    private static void AssertNear(Interval expected, Interval actual, double tolerance)
    {
        Assert.Equal(expected.Lower, actual.Lower, tolerance);
        Assert.Equal(expected.Upper, actual.Upper, tolerance);
    }
}
