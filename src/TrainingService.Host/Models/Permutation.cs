using TrainingService.Engine.Data;
using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Models;

/// <summary>
/// Permutation importance (Breiman 2001, Random forests, section 10; Fisher, Rudin &amp; Dominici 2019): by how much a net gets worse when
/// one column's values are shuffled among the rows, so that it tells nothing any more.
/// </summary>
public static class Permutation
{
    private const int Repeats = 5;

    /// <summary>Multiply-adds that an explanation may cost: some seconds of one core.</summary>
    private const double Work = 2e11;

    /// <param name="model">To be explained.</param>
    /// <param name="test">The rows that no decision of its run looked at.</param>
    /// <param name="seed">Of the shuffles.</param>
    /// <param name="cancellation">Between two shuffles.</param>
    public static FeatureImportance Of(LoadedModel model, DataSplit test, long seed, CancellationToken cancellation)
    {
        var (columns, width) = (model.Card.Encoding.Columns, model.Card.Shape.Features);
        var each = (double)model.Source.Result.ParameterCount * Repeats * columns.Count;
        var rows = (int)Math.Clamp(Work / each, Math.Min(50, test.Rows), test.Rows);
        var features = new float[rows * width];
        test.Features.Read([.. Enumerable.Range(0, rows)], features);
        var baseline = Score(model, features, test, rows);
        var better = model.Card.Shape.Target is TargetKind.Classes ? 1 : -1;
        var worth = new List<FeatureWorth>();
        var first = 0;
        foreach (var (c, column) in columns.Index())
        {
            var losses = new double[Repeats];
            for (var repeat = 0; repeat < Repeats; repeat++)
            {
                cancellation.ThrowIfCancellationRequested();
                int[] order = [.. Enumerable.Range(0, rows)];
                new SplitMix64((long)SplitMix64.Mix(SplitMix64.Mix((ulong)seed) + (ulong)(c * Repeats + repeat))).Shuffle(order);
                var shuffled = (float[])features.Clone();
                for (var row = 0; row < rows; row++)
                    features.AsSpan(order[row] * width + first, column.Width).CopyTo(shuffled.AsSpan(row * width + first));
                losses[repeat] = better * (baseline - Score(model, shuffled, test, rows));
            }
            first += column.Width;
            var mean = losses.Average();
            worth.Add(new(column.Name, mean, Math.Sqrt(losses.Sum(loss => (loss - mean) * (loss - mean)) / (Repeats - 1))));
        }
        return new(better > 0 ? "accuracy" : "rmse", baseline, rows, Repeats, seed,
            [.. worth.OrderByDescending(feature => feature.Mean).ThenBy(feature => feature.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Accuracy, or root of the mean squared error.</summary>
    private static double Score(LoadedModel model, float[] features, DataSplit test, int rows)
    {
        var classes = new int[test.Labels.Length > 0 ? rows : 0];
        var values = new double[rows * model.Net.Columns];
        model.Net.Answer(features, values, classes);
        if (classes.Length > 0)
            return classes.Index().Count(row => test.Labels[row.Index] == row.Item) / (double)rows;
        return Math.Sqrt(values.Index().Sum(value => Square(value.Item - test.Values[value.Index])) / values.Length);

        static double Square(double x) => x * x;
    }
}
