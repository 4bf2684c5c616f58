namespace TrainingService.Host.Statistics;

/// <summary>
/// How much of the variance of a result over all runs of a grid each field explains, each pair of fields beyond that, and the seeds: the
/// functional ANOVA of the combinations' means (Hoeffding 1948; for tuning: Hutter et al. 2014, An efficient approach for assessing
/// hyperparameter importance). Exact where the grid is full and every combination counts once, since effects are then orthogonal. From
/// each part is taken what seeds alone would give it, (L - 1) s^2 / (C n) of a field with L values in C combinations of n seeds, s^2 the
/// variance between the seeds of a combination.
/// </summary>
/// <param name="Fields">Shares of the fields by themselves, in their order.</param>
/// <param name="Pairs">Shares of pairs of fields, beyond what both give by themselves.</param>
/// <param name="More">Share of what three and more fields do together.</param>
/// <param name="Seeds">Share of the seeds; null with one run of each combination, when it can't be told from what fields do together.
/// </param>
/// <param name="Combinations">That have a value.</param>
/// <param name="IsFull">Whether all there could be have one; if not, fields share what they explain, and shares are rough.</param>
public sealed record VarianceShares(IReadOnlyList<double> Fields, IReadOnlyList<(int One, int Other, double Share)> Pairs, double More,
    double? Seeds, int Combinations, bool IsFull)
{
    /// <param name="levels">Of each run, which value each field has, by index.</param>
    /// <param name="values">Of each run, finite.</param>
    /// <returns>Null where nothing varies.</returns>
    public static VarianceShares? Of(IReadOnlyList<int[]> levels, IReadOnlyList<double> values)
    {
        var runs = levels.Zip(values).GroupBy(run => string.Join(',', run.First))
            .Select(same => (Levels: same.First().First, Values: (double[])[.. same.Select(run => run.Second)])).ToList();
        if (runs.Count == 0)
            return null;
        var (fields, combinations) = (runs[0].Levels.Length, runs.Count);
        double[] means = [.. runs.Select(run => run.Values.Average())];
        var freedom = runs.Sum(run => run.Values.Length - 1);
        var noise = freedom == 0 ? 0 : runs.Zip(means).Sum(run => run.First.Values.Sum(value => Square(value - run.Second))) / freedom;
        // of a combination's mean
        var noiseOfMean = noise * runs.Average(run => 1.0 / run.Values.Length);
        var mean = means.Average();
        int[] counts = [.. Enumerable.Range(0, fields).Select(field => runs.Select(run => run.Levels[field]).Distinct().Count())];

        var effects = Enumerable.Range(0, fields).Select(field => runs.Select(run => run.Levels[field]).Zip(means)
            .GroupBy(run => run.First).ToDictionary(same => same.Key, same => same.Average(run => run.Second) - mean)).ToList();
        double[] own = [.. effects.Select((effect, field) => Left(runs.Average(run => Square(effect[run.Levels[field]])),
            counts[field] - 1))];
        var pairs = new List<(int One, int Other, double Share)>();
        var (explained, used) = (effects.Select((effect, field) => runs.Average(run => Square(effect[run.Levels[field]]))).Sum(),
            counts.Sum(count => count - 1));
        for (var one = 0; one < fields; one++)
            for (var other = one + 1; other < fields; other++)
            {
                var (i, j) = (one, other);
                var joint = runs.Zip(means).GroupBy(run => (run.First.Levels[i], run.First.Levels[j]))
                    .Select(same => (Count: same.Count(), Effect: same.Average(run => run.Second) - mean - effects[i][same.Key.Item1]
                        - effects[j][same.Key.Item2])).ToList();
                var variance = joint.Sum(cell => cell.Count * Square(cell.Effect)) / combinations;
                var free = (counts[i] - 1) * (counts[j] - 1);
                explained += variance;
                used += free;
                pairs.Add((i, j, Left(variance, free)));
            }
        var more = Left(means.Average(value => Square(value - mean)) - explained, combinations - 1 - used);
        var total = own.Sum() + pairs.Sum(pair => pair.Share) + more + noise;
        return total <= 0 ? null : new([.. own.Select(share => share / total)],
            [.. pairs.Select(pair => pair with { Share = pair.Share / total })], more / total, freedom == 0 ? null : noise / total,
            combinations, combinations == counts.Aggregate(1L, (product, count) => Math.Min(long.MaxValue / 10_000, product * count)));

        double Left(double variance, int free) => Math.Max(0, variance - Math.Max(0, free) * noiseOfMean / combinations);
    }

    private static double Square(double value) => value * value;
}
