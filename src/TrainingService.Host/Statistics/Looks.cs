namespace TrainingService.Host.Statistics;

/// <summary>
/// When a sweep was looked at, and how much of the risk of a false finding had been spent by then. Who looks again after each batch of
/// seeds and stops at what pleases has more than 5 % of false findings, unless all looks share the 5 %: alpha spending (Lan and DeMets,
/// "Discrete Sequential Boundaries for Clinical Trials", Biometrika 70 (1983)). By a look at t of all seeds, the share f(t) = t^1.5 is
/// spent (the power family of Kim and DeMets, Biometrika 74 (1987)).
/// </summary>
/// <remarks>
/// <para>
/// Why this function: it is one of the family alpha f(t), so that the least alpha at which a contrast is decided by now, its adjusted p,
/// exists and can go through Holm's adjustment. Of its powers 1.5 is a middle way. Of at most 60 seeds, by simulation: at power 1 (about
/// Pocock's boundary) a difference of twice delta at a spread of delta takes 9 seeds in place of 12, but what is hard to decide (no
/// difference at a spread of three times delta) is decided in 50 % in place of 57 %; at power 3 (about O'Brien and Fleming's) it is
/// decided in 64 %, but no difference, however large, before the sixteenth seed.
/// </para>
/// <para>
/// Simulated with 6 to 60 seeds in eight looks (6, 9, 12, 16, 22, 30, 40, 60), false winners in per cent of sweeps over all looks:
/// <code>
///                           1 contrast   3     6
/// normal                       3.7      4.4   2.8
/// rows of 1/36                 3.9      4.4   2.9
/// rows of 1/360                3.7      3.6   3.3
/// skewed values                4.2      3.3   2.7
/// exponential differences      3.5      5.4   5.5    (5.4, 15.8, 21.5 without allowing for skewness and contrasts)
/// </code>
/// of 2,000 sweeps each (standard error 0.4 to 0.5). A difference of delta is called equivalent in 4.3, 4.2 and 4.0 % (normal, sd a half,
/// one and two deltas), 0.3 and 4.5 % (rows of 1/36 and 1/360), 4.6 and 4.3 % (exponential with the tail beyond delta, sd a half and one
/// delta) and 1.8 % (with the tail on the other side), of 2,000 sweeps each; without the allowance in 13.3 and 11.8 %.
/// </para>
/// <para>
/// Mean number of seeds of 60 until it is decided, one contrast, 150 sweeps each: without a difference 17.1, 22.1 and 45.0 at a spread of
/// a half, one and two deltas (8.5, 17.7, 44.1 without allowing for skewness); with one of two deltas 13.5, 19.9 and 38.9 at a spread of
/// one, two and four; where it is hopeless, a spread of twelve deltas, 48.7, and 8.6 with a test split of a quarter drawn by the seed.
/// </para>
/// <para>
/// A look costs what it is planned to cost, not what it finds: later seeds, whether drawn by the sweep or added by hand, use what is left.
/// A sweep of a fixed number of seeds spends all at its end.
/// </para>
/// </remarks>
public sealed class Looks
{
    private const double Power = 1.5;

    private const int Points = 256;

    private readonly Dictionary<double, double> _levels = [];

    /// <param name="seeds">Seeds at each look, ascending.</param>
    /// <param name="spent">Share of the risk spent by each look, in [0, 1], never falling.</param>
    /// <exception cref="ArgumentException">Not so.</exception>
    public Looks(IReadOnlyList<int> seeds, IReadOnlyList<double> spent)
    {
        if (seeds.Count == 0 || seeds.Count != spent.Count)
            throw new ArgumentException($"{seeds.Count} looks can't have spent {spent.Count} shares.", nameof(spent));
        for (var look = 1; look < seeds.Count; look++)
            if (seeds[look] <= seeds[look - 1] || spent[look] < spent[look - 1])
                throw new ArgumentException("Seeds must grow from look to look, and what is spent must not fall.", nameof(seeds));
        (Seeds, Spent) = (seeds, spent);
    }

    /// <summary>One look, at the end.</summary>
    public static Looks Once { get; } = new([1], [1]);

    /// <summary>Seeds at each look.</summary>
    public IReadOnlyList<int> Seeds { get; }

    /// <summary>Share of the risk that was spent by each look.</summary>
    public IReadOnlyList<double> Spent { get; }

    /// <summary>Whether there was but one, which might spend all.</summary>
    public bool AreOne => Count == 1 && Spent[0] == 1;

    /// <summary>Looks so far.</summary>
    public int Count => Seeds.Count;

    /// <summary>The share of the risk that is spent by a look at so many of at most so many seeds.</summary>
    public static double Share(int seeds, int atMost) => seeds >= atMost ? 1 : Math.Pow((double)seeds / atMost, Power);

    /// <summary>The looks but the last ones.</summary>
    public Looks First(int looks) => looks == Count ? this : new([.. Seeds.Take(looks)], [.. Spent.Take(looks)]);

    /// <summary>Whether anything was left for an interval to spend at the last look.</summary>
    public bool HasLeft => Count == 1 || OnIntervals(Count - 1) > OnIntervals(Count - 2);

    /// <summary>The p of a contrast that is valid at any look.</summary>
    /// <param name="contrast">With the pairs of the last look.</param>
    /// <param name="outcome">The metric.</param>
    /// <param name="once">The p of somebody who looked at these pairs only.</param>
    /// <param name="contrasts">Contrasts of the family.</param>
    public double PValue(Contrast contrast, Outcome outcome, double once, int contrasts) => AreOne ? once
        : SequentialSignFlip.Test(
            [.. Ends(contrast).Select(pairs => contrast.DifferencesIn(outcome).ScoresOf(pairs, outcome))], OnTests(contrasts), contrasts);

    /// <summary>The least p that is valid at any look which so many pairs can give.</summary>
    public double LeastP(Contrast contrast) => AreOne ? SignFlip.LeastP(contrast.Pairs)
        : SequentialSignFlip.LeastP(Ends(contrast), Spent);

    /// <summary>
    /// The share of alpha that sign-flip tests have spent by each look. A look that might spend all and was not the last can't have spent
    /// more than its signs could: with four pairs, whose least p is 0.125, nothing.
    /// </summary>
    public IReadOnlyList<double> OnTests(int contrasts) =>
        [.. Spent.Select((share, look) => share < 1 || look == Count - 1 ? share : Reached(Seeds[look], Tails.Alpha / contrasts))];

    /// <summary>The largest level of the sign-flip test up to alpha, as a share of alpha; all of it where little is left.</summary>
    private static double Reached(int pairs, double alpha)
    {
        var signs = Math.Pow(2, pairs - 1);
        return pairs > 50 || Math.Floor(alpha * signs) / (alpha * signs) is not (< 0.95 and var share) ? 1 : share;
    }

    /// <summary>
    /// The risk that an interval takes at the last look: <see cref="Level"/>, or where nothing is left to spend that of somebody who had
    /// not looked before, for want of another; nothing new follows from such an interval.
    /// </summary>
    public double Risk(double alpha) => HasLeft ? Level(alpha) : alpha;

    /// <summary>Whether an earlier look, with what it might spend, found the mean difference to lie within ±delta.</summary>
    public bool FoundWithin(Contrast contrast, Outcome outcome, double delta, double testToTrain) =>
        Enumerable.Range(1, Count - 1).Any(looks =>
    {
        var differences = contrast.DifferencesIn(outcome);
        var first = First(looks);
        var pairs = differences.InOrder[..Ends(contrast)[looks - 1]];
        return first.HasLeft && pairs.Length >= SeedCount.LeastForEquivalence && Array.TrueForAll(pairs, double.IsFinite)
            && differences.StepIn(outcome) is { } step
            && new MeanInterval(pairs, testToTrain).At(first.Level(Tails.EquivalenceAlpha), step,
                MeanInterval.ForEquivalence) is { } interval
            && interval.IsWithin(outcome.Scaled(delta));
    });

    /// <summary>
    /// The two-sided risk that an interval may take at the last look, so that on each side the intervals of all looks together miss in at
    /// most <paramref name="alpha"/> / 2 (repeated confidence intervals: Jennison and Turnbull, J. R. Statist. Soc. B 51 (1989)); 0 if
    /// earlier looks have spent all. Exact for a normal mean, whose standardised sums at the looks are a Brownian motion; of a t interval
    /// it is the level that is taken, the usual approximation.
    /// </summary>
    public double Level(double alpha)
    {
        if (Count == 1)
            return alpha * Spent[0];
        lock (_levels)
            return _levels.TryGetValue(alpha, out var known) ? known : _levels[alpha] = 2 * LastLevel(alpha / 2);
    }

    /// <summary>The share spent on intervals by a look: nothing is concluded from too few seeds.</summary>
    private double OnIntervals(int look) => Seeds[look] < SeedCount.LeastForEquivalence ? 0 : Spent[look];

    /// <summary>Pairs of the contrast at each look; all of them where it doesn't say, which is the dearest.</summary>
    private IReadOnlyList<int> Ends(Contrast contrast) => contrast.PairsAtLooks.Count == Count ? contrast.PairsAtLooks
        : [.. Enumerable.Repeat(contrast.Pairs, Count)];

    /// <summary>
    /// Armitage, McPherson and Rowe (J. R. Statist. Soc. A 132 (1969)): the density of the sum at a look, of those paths that have crossed
    /// no boundary before, is that of the look before, cut off at its boundary, convolved with the increment's. The boundary is where the
    /// density's tail is what the look may spend.
    /// </summary>
    private double LastLevel(double side)
    {
        var (places, weights) = (new double[] { 0 }, new double[] { 1 });
        var (time, spent, level) = (0.0, 0.0, 0.0);
        for (var look = 0; look < Count; look++)
        {
            var now = (double)Seeds[look] / Seeds[^1];
            var step = Math.Sqrt(now - time);
            var share = side * (OnIntervals(look) - spent);
            double Beyond(double bound) => places.Zip(weights, (at, weight) => weight * Tails.Upper((bound - at) / step)).Sum();
            var (low, high) = (-8 * Math.Sqrt(now), 8 * Math.Sqrt(now));
            for (var halving = 0; halving < 50; halving++)
            {
                var middle = (low + high) / 2;
                if (Beyond(middle) > share)
                    low = middle;
                else
                    high = middle;
            }
            level = share < 1e-12 ? 0 : Tails.Upper(high / Math.Sqrt(now));
            // Simpson's rule between where nothing is left and the boundary.
            var (from, width) = (-7 * Math.Sqrt(now), (high + 7 * Math.Sqrt(now)) / Points);
            var next = new double[Points + 1];
            for (var i = 0; i <= Points; i++)
            {
                var density = 0.0;
                for (var j = 0; j < places.Length; j++)
                {
                    var z = (from + i * width - places[j]) / step;
                    density += weights[j] * Math.Exp(-z * z / 2);
                }
                next[i] = density / (step * Math.Sqrt(2 * Math.PI)) * width / 3 * (i is 0 or Points ? 1 : i % 2 == 1 ? 4 : 2);
            }
            (places, weights) = ([.. Enumerable.Range(0, Points + 1).Select(i => from + i * width)], next);
            (time, spent) = (now, OnIntervals(look));
        }
        return level;
    }
}
