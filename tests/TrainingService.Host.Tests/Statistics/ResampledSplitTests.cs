using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Statistics;

/// <summary>
/// Nadeau and Bengio's correction, tried: data sets from a known population, stratified splits of each that change with the seed, and two
/// learners trained on them. What is to be covered is their mean difference in accuracy over data sets of this size.
/// </summary>
public sealed class ResampledSplitTests(ITestOutputHelper output)
{
    private const int Features = 5;

    // Of 400 data sets; a share has a standard error of up to 2.5 points.
    [Theory]
    [InlineData(10, 80, 20, 0.86, 0.88, 1)]
    [InlineData(30, 80, 20, 0.7, 0.88, 1)]
    [InlineData(30, 160, 80, 0.7, 0.88, 1)]
    public void An_interval_over_splits_covers_new_data_only_with_the_correction(int seeds, int train, int test,
        double plainAtMost, double atLeast, double atMost)
    {
        var (plain, corrected) = Coverage(seeds, train, test, 400, 1000);
        Assert.InRange(plain, 0.3, plainAtMost);
        Assert.InRange(corrected, atLeast, atMost);
    }

    // The table in MeanInterval.
    [Theory]
    [Trait("Category", "Simulation")]
    [InlineData(6, 80, 20)]
    [InlineData(10, 80, 20)]
    [InlineData(30, 80, 20)]
    [InlineData(10, 160, 80)]
    [InlineData(30, 160, 80)]
    [InlineData(10, 180, 20)]
    [InlineData(30, 180, 20)]
    public void Coverage_is_as_documented(int seeds, int train, int test)
    {
        var (plain, corrected) = Coverage(seeds, train, test, 3000, 1000);
        output.WriteLine($"{seeds} seeds, {train}/{test}: plain {plain:0.000}, corrected {corrected:0.000}");
        Assert.InRange(plain, 0.3, 0.92);
        Assert.InRange(corrected, 0.9, 1);
    }

    private static (double Plain, double Corrected) Coverage(int seeds, int train, int test, int sets, int resamples)
    {
        var random = new SplitMix64(31 * seeds + train + test);
        var truth = Enumerable.Range(0, 2000).Average(_ => Difference(Draw(random, train), Draw(random, 1000)));
        var (plain, corrected) = (0, 0);
        for (var set = 0; set < sets; set++)
        {
            var rows = Draw(random, train + test);
            var differences = Draws.Of(seeds, () =>
            {
                var (training, testing) = Split(random, rows, test);
                return Difference(training, testing);
            });
            plain += Covers(0) ? 1 : 0;
            corrected += Covers(test / (double)train) ? 1 : 0;

            bool Covers(double testToTrain) =>
                new MeanInterval(differences, testToTrain, resamples).At(0.05, 1.0 / test) is { } interval && !interval.Excludes(truth);
        }
        return (plain / (double)sets, corrected / (double)sets);
    }

    /// <summary>
    /// Two classes in equal shares: normal features, 0.4 standard deviations of one on either side of the middle, correlated by 0.6 with
    /// the next, so that least squares sees more than the means do once there are rows enough.
    /// </summary>
    private static double[][] Draw(SplitMix64 random, int rows) => [.. Enumerable.Range(0, rows).Select(row =>
    {
        var label = row % 2 == 0 ? 1.0 : -1;
        var z = random.Normal(Features);
        return (double[])[.. Enumerable.Range(0, Features)
            .Select(i => 0.8 * z[i] + 0.6 * z[(i + 1) % Features] + 0.4 * label * (i < 2 ? 1 : 0)), label];
    })];

    private static (double[][] Train, double[][] Test) Split(SplitMix64 random, double[][] rows, int test)
    {
        var shuffled = rows.OrderBy(_ => random.Next()).ToArray();
        var (positive, negative) = (shuffled.Where(row => row[^1] > 0).ToArray(), shuffled.Where(row => row[^1] < 0).ToArray());
        return ([.. positive[(test / 2)..], .. negative[(test / 2)..]], [.. positive[..(test / 2)], .. negative[..(test / 2)]]);
    }

    /// <summary>Accuracy of least squares minus that of the nearest class mean.</summary>
    private static double Difference(double[][] train, double[][] test)
    {
        var (squares, means) = (LeastSquares(train), NearestMean(train));
        return test.Average(row => (Hit(squares, row) ? 1.0 : 0) - (Hit(means, row) ? 1.0 : 0));

        static bool Hit(double[] weights, double[] row)
        {
            var score = weights[Features];
            for (var i = 0; i < Features; i++)
                score += weights[i] * row[i];
            return score > 0 == row[Features] > 0;
        }
    }

    private static double[] NearestMean(double[][] train)
    {
        double Mean(int feature, double label) => train.Where(row => row[^1] == label).Average(row => row[feature]);
        var (positive, negative) = (Draws.Of(Features, i => Mean(i, 1)), Draws.Of(Features, i => Mean(i, -1)));
        double[] weights = [.. positive.Zip(negative, (p, n) => p - n)];
        return [.. weights, -weights.Zip(positive.Plus(negative), (w, sum) => w * sum / 2).Sum()];
    }

    private static double[] LeastSquares(double[][] train)
    {
        var rows = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(train.Length, Features + 1,
            (row, column) => column < Features ? train[row][column] : 1);
        var labels = MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(train.Length, row => train[row][^1]);
        return [.. rows.TransposeThisAndMultiply(rows).Solve(rows.TransposeThisAndMultiply(labels))];
    }
}
