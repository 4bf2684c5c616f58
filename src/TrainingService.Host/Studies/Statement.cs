using System.Text.Json.Serialization;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>What the evidence says of one statement of a claim.</summary>
/// <param name="Id">Number of the claim and a letter, such as C1a.</param>
/// <param name="Text">The statement, which can come out true, false or open.</param>
/// <param name="Verdict">
/// supported, refuted or inconclusive, here and on this data; negligible: there is such a difference, but too small to matter.
/// </param>
/// <param name="Metric">What was measured.</param>
/// <param name="Unit">
/// Of <c>effect</c> and <c>ci95</c>: <c>fraction</c> (of 1), <c>ratio</c> (to the baseline), <c>decades</c> (of log10), <c>seconds</c>, or
/// <c>number</c>, in the metric's own unit.
/// </param>
/// <param name="Arm">The arm that it is said of; several are joined by commas.</param>
/// <param name="Baseline">What it is compared with; null where nothing is.</param>
/// <param name="Effect">Arm minus baseline, the ratio of both, or the arm's own value; null if it was not measured.</param>
/// <param name="Ci95">Its 95 % interval, [lower, upper].</param>
/// <param name="N">Paired seeds, runs or nets behind it.</param>
/// <param name="Evidence">The figures behind the verdict, in words.</param>
/// <param name="LeftOut">Arms that say nothing of it, because their nets learned nothing or all diverged.</param>
public sealed record StatementReport(string Id, string Text, Verdict Verdict, string Metric, string Unit, string Arm,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Baseline,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Effect,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double[]? Ci95,
    int N, string Evidence, IReadOnlyList<string> LeftOut);

/// <summary>Two arms by one metric, as statements are judged by it.</summary>
/// <param name="Metric">What they are compared by.</param>
/// <param name="Result">The contrast; its p is adjusted over all contrasts of the report by this metric.</param>
/// <param name="LeftOut">Those of the two that learned nothing: then nothing can be said.</param>
/// <param name="Baseline">The baseline by itself; null where it isn't known.</param>
public sealed record Comparison(SweepMetric Metric, ContrastResult Result, IReadOnlyList<string> LeftOut, ArmSummary? Baseline = null)
{
    /// <summary>Of the effect: that of a difference, or ratio for what is compared by ratios.</summary>
    public string Unit => Metric.Outcome.IsRelative ? "ratio" : Metric.Outcome.Unit;

    /// <summary>Mean difference, or the ratio to the baseline.</summary>
    public double? Effect => Metric.Outcome.IsRelative ? 1 + Result.MeanDifference : Result.MeanDifference;

    /// <summary>Its 95 % interval.</summary>
    public double[]? Ci95 => Metric.Outcome.IsRelative && Result.Ci95 is [var low, var high] ? [1 + low, 1 + high] : Result.Ci95;

    private int Better => Metric.Outcome.HigherIsBetter == false ? -1 : 1;

    /// <summary>1 if the arm's values are higher for sure and by more than delta may be, -1 if lower, 0 if that can't be said.</summary>
    public int Sign => Result.Verdict switch
    {
        Verdict.Higher => 1,
        Verdict.Lower => -1,
        Verdict.Supported => Better,
        Verdict.Refuted => -Better,
        _ => 0,
    };

    /// <summary>
    /// The claim is that the arm's values are higher (sign 1) or lower (-1). The opposite refutes it, by however little; that both are the
    /// same does, if there was room for a difference.
    /// </summary>
    public Verdict Differs(int sign) => LeftOut.Count > 0 ? Verdict.Inconclusive
        : Result.Verdict == Verdict.Negligible ? Result.MeanDifference * sign > 0 ? Verdict.Negligible : Verdict.Refuted
        : Result.Verdict == Verdict.Equivalent ? HasRoom(sign) ? Verdict.Refuted : Verdict.Inconclusive
        : Sign == 0 ? Verdict.Inconclusive : Sign == sign ? Verdict.Supported : Verdict.Refuted;

    /// <summary>
    /// Whether the arm's values could be higher (sign 1) or lower (-1) by as much as matters: a share of units of 0.5 % can't fall by a
    /// point, nor can an accuracy of 99.8 % rise by one. Then that both are the same was to be expected and refutes nothing.
    /// </summary>
    public bool HasRoom(int sign) => !Metric.Outcome.IsFraction || Baseline?.Mean is not { } mean
        || (sign < 0 ? mean : Metric.Outcome.IsShare ? 1 - mean : double.PositiveInfinity) >= Result.Equivalence.Delta - 1e-6;

    /// <summary>
    /// The claim is that the arm is not worse (by more than delta): supported by equivalence, by being better, and as soon as the 90 %
    /// interval excludes a loss of delta (the one test of the two that is needed here); refuted if it is worse by delta with its whole
    /// interval, or because runs diverged.
    /// </summary>
    /// <param name="ofBaseline">The claim is that it is the baseline that is not worse.</param>
    public Verdict IsNotWorse(bool ofBaseline = false)
    {
        if (LeftOut.Count > 0)
            return Verdict.Inconclusive;
        var wins = ofBaseline ? -Better : Better;
        var (delta, interval, _) = Result.Equivalence;
        if (Sign != 0)
            return Sign == wins ? Verdict.Supported
                : Result.Divergence.Arm + Result.Divergence.Baseline > 0 || Result.Ci95 is not [var a, var b]
                    || (wins > 0 ? b <= -delta : a >= delta) ? Verdict.Refuted : Verdict.Inconclusive;
        var excludesLoss = interval is [var low, var high] && (wins > 0 ? low > -delta : high < delta);
        var diverged = ofBaseline ? Result.Divergence.Baseline : Result.Divergence.Arm;
        return Result.Verdict is Verdict.Equivalent or Verdict.Negligible
            || (excludesLoss && Result.N >= SeedCount.LeastForEquivalence && diverged + Result.Divergence.Lost == 0)
            ? Verdict.Supported : Verdict.Inconclusive;
    }

    /// <summary>
    /// The claim is that both are the same within delta: refuted only by a difference that lies beyond delta with its whole interval, or
    /// that has none because runs diverged.
    /// </summary>
    public Verdict IsEquivalent() => LeftOut.Count > 0 ? Verdict.Inconclusive
        : Result.Verdict is Verdict.Equivalent or Verdict.Negligible ? Verdict.Supported
        : Sign != 0 && (Result.Divergence.Arm + Result.Divergence.Baseline > 0 || Result.Ci95 is not [var low, var high]
            || low >= Result.Equivalence.Delta || high <= -Result.Equivalence.Delta) ? Verdict.Refuted : Verdict.Inconclusive;

    /// <summary>
    /// The claim is that the arm's values are higher (sign 1) or lower (-1) by at least a margin: supported if the whole 95 % interval lies
    /// beyond it, refuted if it lies short of it, or if the 90 % interval lies within a delta that is no larger.
    /// </summary>
    public Verdict DiffersBy(int sign, double margin) => LeftOut.Count > 0 || Result.Ci95 is not [var low, var high] ? Verdict.Inconclusive
        : (sign > 0 ? high : -low) < margin
            || (Result.Verdict is Verdict.Equivalent or Verdict.Negligible && Result.Equivalence.Delta <= margin) ? Verdict.Refuted
        : (sign > 0 ? low : -high) >= margin && Sign == sign ? Verdict.Supported : Verdict.Inconclusive;
}

/// <summary>A statement that can come out true, false or open, and the few ways to judge one.</summary>
/// <param name="Id">Such as C1a.</param>
/// <param name="Text">In one sentence.</param>
public sealed record Statement(string Id, string Text)
{
    /// <summary>The arm's values are higher.</summary>
    public StatementReport Higher(Comparison by, string? before = null, string? after = null) => Differs(by, 1, before, after);

    /// <summary>The arm's values are lower.</summary>
    public StatementReport Lower(Comparison by, string? before = null, string? after = null) => Differs(by, -1, before, after);

    /// <summary>The arm's values are higher by at least a margin.</summary>
    public StatementReport HigherBy(double margin, Comparison by, string? before = null) => By(1, margin, by, before);

    /// <summary>The arm's values are lower by at least a margin.</summary>
    public StatementReport LowerBy(double margin, Comparison by, string? before = null) => By(-1, margin, by, before);

    private StatementReport By(int sign, double margin, Comparison by, string? before)
    {
        var verdict = by.DiffersBy(sign, margin);
        var amount = $"That {by.Result.Arm} is {(sign > 0 ? "higher" : "lower")} than {by.Result.Baseline} by "
            + $"{by.Metric.Outcome.Amount(margin)} or more is ";
        return Of(by, verdict, before, by.LeftOut.Count > 0 ? null : amount + verdict switch
        {
            Verdict.Supported => "shown by the whole interval.",
            Verdict.Refuted => "excluded.",
            _ => "neither shown nor excluded.",
        });
    }

    /// <summary>The arm is better, by a metric that has a good side.</summary>
    public StatementReport Better(Comparison by, string? before = null, string? after = null) =>
        Differs(by, by.Metric.Outcome.HigherIsBetter == false ? -1 : 1, before, after);

    /// <summary>The arm is worse, by a metric that has a good side.</summary>
    public StatementReport Worse(Comparison by, string? before = null, string? after = null) =>
        Differs(by, by.Metric.Outcome.HigherIsBetter == false ? 1 : -1, before, after);

    private StatementReport Differs(Comparison by, int sign, string? before, string? after) => Of(by, by.Differs(sign), before,
        Join(by.Result.Verdict == Verdict.Equivalent && !by.HasRoom(sign)
            ? $"But with {by.Result.Baseline} it is {StudyEvidence.Percent(by.Baseline?.Mean)}, so that it could not have been "
                + $"{(sign > 0 ? "higher" : "lower")} by {by.Metric.Outcome.Amount(by.Result.Equivalence.Delta)}." : null, after));

    /// <summary>The arm is not worse by more than delta.</summary>
    public StatementReport NotWorse(Comparison by, string? before = null, string? after = null)
    {
        var verdict = by.IsNotWorse();
        var report = Of(by, verdict, before, Join(by.Sign != 0 && verdict == Verdict.Inconclusive && by.LeftOut.Count == 0
            ? "Whether by more than matters is open." : null, after));
        var outcome = by.Metric.Outcome;
        var (delta, interval, _) = by.Result.Equivalence;
        // The comparison is open, which of both is better, and yet the loss is excluded: that is what is said, and nothing beside it.
        return verdict == Verdict.Supported && by.Result.Verdict == Verdict.Inconclusive && interval is not null
            ? report with
            {
                Evidence = Join(before, $"That {by.Result.Arm} is {outcome.Sides.Less} than {by.Result.Baseline} by "
                    + $"{outcome.Amount(delta)} or more is "
                    + $"excluded: the 90 % interval of the {(outcome.IsRelative ? "ratio" : "difference")} in {outcome.Words} is "
                    + $"{outcome.Range(interval)} ({by.Result.N} seeds). Whether it is {outcome.Sides.More} is "
                    + "open.", after),
            } : report;
    }

    /// <summary>The arms are the same within delta.</summary>
    public StatementReport Equivalent(Comparison by, string? before = null, string? after = null) =>
        Of(by, by.IsEquivalent(), before, after);

    /// <summary>A verdict of the study's own on a comparison.</summary>
    public StatementReport Of(Comparison by, Verdict verdict, string? before = null, string? after = null) =>
        by.LeftOut.Count > 0
            ? new(Id, Text, verdict, by.Metric.Name, by.Unit, by.Result.Arm, by.Result.Baseline, null, null, 0,
                Join(before, LearnedNothing(by.LeftOut)), by.LeftOut)
            : new(Id, Text, verdict, by.Metric.Name, by.Unit, by.Result.Arm, by.Result.Baseline, by.Effect, by.Ci95, by.Result.N,
                Join(before, by.Result.Sentence, after), []);

    /// <summary>
    /// An arm's mean lies in a range, by its whole 95 % interval: supported if that lies inside, refuted if it lies outside. An end of the
    /// range belongs to it unless it is <paramref name="open"/>.
    /// </summary>
    public StatementReport Within(ArmMean mean, double low, double high, bool open = false, string? before = null, string? after = null)
    {
        var verdict = mean.LeftOut.Count > 0 || mean.Summary.Ci95 is not [var from, var to] ? Verdict.Inconclusive
            : open ? from > low && to < high ? Verdict.Supported : to <= low || from >= high ? Verdict.Refuted : Verdict.Inconclusive
            : from >= low && to <= high ? Verdict.Supported : to < low || from > high ? Verdict.Refuted : Verdict.Inconclusive;
        return Of(mean, verdict, before, after);
    }

    /// <summary>
    /// A share of units is above 0 and below 1, by its whole 95 % interval; negligible if that lies below delta, refuted if no run has any,
    /// or every run has all.
    /// </summary>
    public StatementReport SomeButNotAll(ArmMean share, double delta, string? before = null)
    {
        var verdict = (share.LeftOut.Count, share.Summary.Ci95, share.Summary.Mean) switch
        {
            (0, _, 0 or 1) when share.Summary.N >= SeedCount.LeastForEquivalence => Verdict.Refuted,
            (0, [_, var to], > 0) when to < delta => Verdict.Negligible,
            (0, [> 0, < 1], _) => Verdict.Supported,
            _ => Verdict.Inconclusive,
        };
        return Of(share, verdict, before, verdict == Verdict.Negligible
            ? $"The whole interval lies below {StudyEvidence.Percent(delta)}, the least share that matters." : null);
    }

    /// <summary>A verdict of the study's own on an arm's mean.</summary>
    public StatementReport Of(ArmMean mean, Verdict verdict, string? before = null, string? after = null) =>
        new(Id, Text, verdict, mean.Metric, mean.Unit, mean.Arm, null, mean.Summary.Mean, mean.Summary.Ci95, mean.Summary.N,
            Join(before, mean.LeftOut.Count > 0 ? LearnedNothing(mean.LeftOut) : null, mean.Sentence, after), mean.LeftOut);

    /// <summary>A share of runs lies in a range, by its whole interval (Wilson's).</summary>
    /// <param name="what">What is counted, as in "12 of 24 runs of relu {what}".</param>
    public StatementReport Share(string metric, string arm, int hits, int n, double low, double high, string what,
        string? before = null, string? after = null, IReadOnlyList<string>? leftOut = null)
    {
        // of none or all the end is exact, but for rounding
        double[]? interval = Proportion.Wilson(hits, n)?.ToArray() is [var lowest, var highest]
            ? [hits == 0 ? 0 : lowest, hits == n ? 1 : highest] : null;
        var verdict = interval is not [var from, var to] ? Verdict.Inconclusive
            : from >= low && to <= high ? Verdict.Supported : to < low || from > high ? Verdict.Refuted : Verdict.Inconclusive;
        var sentence = interval is [var lower, var upper]
            ? $"{hits} of {n} runs of {arm} {what} (95 % interval of the share {StudyEvidence.Percent(lower)} to "
                + $"{StudyEvidence.Percent(upper)})."
            : $"No run of {arm} has an outcome.";
        return new(Id, Text, verdict, metric, "fraction", arm, null, n == 0 ? null : (double)hits / n, interval, n,
            Join(before, sentence, after), leftOut ?? []);
    }

    /// <summary>
    /// There is a case (of at least one) for which it holds: supported by one, refuted if it is refuted in all; the p-values of the cases'
    /// contrasts are adjusted for their number. Cases of arms that learned nothing don't count.
    /// </summary>
    public StatementReport Exists(IReadOnlyList<StatementReport> cases) =>
        Of(cases, Verdict.Supported, Verdict.Refuted);

    /// <summary>It holds in every case, or by every link of its mechanism: supported if it does, refuted by one that doesn't.</summary>
    public StatementReport Every(IReadOnlyList<StatementReport> cases) =>
        Of(cases, Verdict.Refuted, Verdict.Supported);

    /// <summary>One case with the first verdict decides; else all must have the second one.</summary>
    private StatementReport Of(IReadOnlyList<StatementReport> cases, Verdict byOne, Verdict byAll)
    {
        var counted = cases.Where(c => c.LeftOut.Count == 0).ToList();
        var verdict = counted.Exists(c => c.Verdict == byOne) ? byOne
            : counted.Count > 0 && counted.TrueForAll(c => c.Verdict == byAll) ? byAll
            : counted.Count > 0 && counted.TrueForAll(c => c.Verdict == Verdict.Negligible || c.Verdict == byAll) ? Verdict.Negligible
            : Verdict.Inconclusive;
        // Shown is the case that decides; where all must hold, the one closest to failing is unknown, so the first.
        var shown = counted.Find(c => c.Verdict == verdict) ?? (counted.Count > 0 ? counted[0] : cases[0]);
        return shown with
        {
            Id = Id,
            Text = Text,
            Verdict = verdict,
            Evidence = Join(Once([.. cases.Select(c => c.Evidence)])),
            LeftOut = [.. cases.SelectMany(c => c.LeftOut).Distinct()],
        };
    }

    /// <summary>
    /// One of two measures differs as claimed: supported by either, if its p holds for two tries (Bonferroni's half of 0.05), unless the
    /// other one shows the opposite; refuted if
    /// neither does, for sure; negligible if one that is real but small lies on the claimed side. The report shows the one that decides.
    /// </summary>
    public StatementReport Either(Comparison first, int signOfFirst, Comparison second, int signOfSecond, string? before = null,
        string? after = null)
    {
        (Comparison By, Verdict Verdict, bool Against)[] tries =
        [
            .. new[] { (By: first, Sign: signOfFirst), (By: second, Sign: signOfSecond) }.Select(measure => (measure.By,
                measure.By.Differs(measure.Sign) is Verdict.Supported && 2 * measure.By.Result.AdjustedPValue >= Tails.Alpha
                    ? Verdict.Inconclusive : measure.By.Differs(measure.Sign), measure.By.Sign == -measure.Sign)),
        ];
        var verdict = tries.Any(one => one.Verdict == Verdict.Supported)
            ? tries.Any(one => one.Against) ? Verdict.Inconclusive : Verdict.Supported
            : tries.All(one => one.Verdict == Verdict.Refuted) ? Verdict.Refuted
            : !tries.All(one => one.Verdict is Verdict.Refuted or Verdict.Negligible) ? Verdict.Inconclusive
            : Verdict.Negligible;
        var shown = tries.FirstOrDefault(one => one.Verdict == verdict, tries[0]).By;
        var other = shown == first ? second : first;
        return Of(shown, verdict) with
        {
            Evidence = Join([before, .. Once([shown.Result.Sentence, other.Result.Sentence]), verdict == Verdict.Inconclusive
                && new[] { (first, signOfFirst), (second, signOfSecond) }.Any(one => one.Item1.Differs(one.Item2) == Verdict.Supported)
                ? "Of two measures either would do, so that each needs a p below 0.025, and neither may show the opposite." : null, after]),
        };
    }

    /// <summary>There is nothing to judge it by, for a reason.</summary>
    public StatementReport Open(string metric, string unit, IEnumerable<string> arms, string reason,
        IReadOnlyList<string>? leftOut = null) =>
        new(Id, Text, Verdict.Inconclusive, metric, unit, string.Join(", ", arms), null, null, null, 0, reason, leftOut ?? []);

    private static string?[] Once(IReadOnlyList<string> texts) => InShort.Once(texts) is var (own, shared) ? [.. own, shared] : [];

    private static string LearnedNothing(IReadOnlyList<string> arms) =>
        $"At least half of the runs of {string.Join(" and of ", arms)} learned nothing, so that nothing is judged by them.";

    private static string Join(params string?[] sentences) =>
        string.Join(" ", sentences.Where(sentence => !string.IsNullOrEmpty(sentence)));
}

/// <summary>The mean of a measure over an arm's runs that finished.</summary>
/// <param name="Arm">By name.</param>
/// <param name="Metric">What was measured.</param>
/// <param name="Unit">As of <see cref="StatementReport"/>.</param>
/// <param name="Words">The measure in words, as in "relu: {words} 31 %".</param>
/// <param name="Summary">Mean and interval.</param>
/// <param name="LeftOut">The arm, if it learned nothing: then nothing can be said.</param>
public sealed record ArmMean(string Arm, string Metric, string Unit, string Words, ArmSummary Summary, IReadOnlyList<string> LeftOut)
{
    /// <summary>Mean and interval; that of a share ends at 0 and 1, a gap between two shares may be negative.</summary>
    public ArmSummary Summary { get; } = Unit == "fraction" && !Metric.EndsWith("Gap", StringComparison.Ordinal) ? Summary.OfShares()
        : Summary;

    /// <summary>The mean and its interval.</summary>
    public string Sentence => Summary.Mean is not { } mean ? $"{Arm}: {Words} not measured."
        : $"{Arm}: {Words} {Figure(mean)} ("
            + (Summary.Ci95 is [var low, var high] ? $"95 % interval {Bare(low)} to {Bare(high)}, mean of {Summary.N})."
                : $"mean of {Summary.N}).");

    private string Bare(double value) => Unit == "fraction" ? Figure(value) : StudyEvidence.Number(value);

    private string Figure(double value) => Unit == "fraction" ? StudyEvidence.Percent(value)
        : StudyEvidence.Number(value) + (Unit == "number" ? "" : " " + Unit);
}
