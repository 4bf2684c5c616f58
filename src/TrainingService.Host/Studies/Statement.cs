using System.Text.Json.Serialization;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>What the evidence says of one statement of a claim.</summary>
/// <param name="Id">Number of the claim and a letter, such as C1a.</param>
/// <param name="Text">The statement, which can come out true, false or open.</param>
/// <param name="Verdict">
/// supported, refuted or inconclusive, here and on this data; negligible: there is such a difference or the opposite one, but too small to
/// matter.
/// </param>
/// <param name="Metric">What was measured.</param>
/// <param name="Unit">Of <c>effect</c> and <c>ci95</c>: fraction (of 1), ratio, decades (log10), seconds, or number.</param>
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
public sealed record Comparison(SweepMetric Metric, ContrastResult Result, IReadOnlyList<string> LeftOut)
{
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

    /// <summary>The claim is that the arm's values are higher (sign 1) or lower (-1). That both are the same refutes it.</summary>
    public Verdict Differs(int sign) => LeftOut.Count > 0 ? Verdict.Inconclusive
        : Result.Verdict == Verdict.Negligible ? Verdict.Negligible
        : Result.Verdict == Verdict.Equivalent ? Verdict.Refuted
        : Sign == 0 ? Verdict.Inconclusive : Sign == sign ? Verdict.Supported : Verdict.Refuted;

    /// <summary>
    /// The claim is that the arm is not worse (by more than delta): supported by equivalence, by being better, and as soon as the 90 %
    /// interval excludes a loss of delta (the one test of the two that is needed here); refuted if it is worse, and not by a trifle.
    /// </summary>
    public Verdict IsNotWorse()
    {
        if (LeftOut.Count > 0)
            return Verdict.Inconclusive;
        if (Sign != 0)
            return Sign == Better ? Verdict.Supported : Verdict.Refuted;
        var (delta, interval, _) = Result.Equivalence;
        var excludesLoss = interval is [var low, var high] && (Better > 0 ? low > -delta : high < delta);
        return Result.Verdict is Verdict.Equivalent or Verdict.Negligible
            || (excludesLoss && Result.N >= SeedCount.LeastForEquivalence && Result.Divergence is { Arm: 0, Lost: 0 })
            ? Verdict.Supported : Verdict.Inconclusive;
    }

    /// <summary>The claim is that both are the same within delta.</summary>
    public Verdict IsEquivalent() => LeftOut.Count > 0 ? Verdict.Inconclusive
        : Result.Verdict is Verdict.Equivalent or Verdict.Negligible ? Verdict.Supported
        : Sign != 0 ? Verdict.Refuted : Verdict.Inconclusive;

    /// <summary>
    /// The claim is that the arm's values are higher (sign 1) or lower (-1) by at least a margin: supported if the whole 95 % interval lies
    /// beyond it, refuted if it lies short of it.
    /// </summary>
    public Verdict DiffersBy(int sign, double margin) => LeftOut.Count > 0 || Result.Ci95 is not [var low, var high] ? Verdict.Inconclusive
        : (sign > 0 ? high : -low) < margin ? Verdict.Refuted
        : (sign > 0 ? low : -high) >= margin && Sign == sign ? Verdict.Supported : Verdict.Inconclusive;
}

/// <summary>A statement that can come out true, false or open, and the few ways to judge one.</summary>
/// <param name="Id">Such as C1a.</param>
/// <param name="Text">In one sentence.</param>
public sealed record Statement(string Id, string Text)
{
    /// <summary>The arm's values are higher.</summary>
    public StatementReport Higher(Comparison by, string? before = null, string? after = null) => Of(by, by.Differs(1), before, after);

    /// <summary>The arm's values are lower.</summary>
    public StatementReport Lower(Comparison by, string? before = null, string? after = null) => Of(by, by.Differs(-1), before, after);

    /// <summary>The arm's values are higher by at least a margin.</summary>
    public StatementReport HigherBy(double margin, Comparison by, string? before = null, string? after = null) =>
        Of(by, by.DiffersBy(1, margin), before, after);

    /// <summary>The arm's values are lower by at least a margin.</summary>
    public StatementReport LowerBy(double margin, Comparison by, string? before = null, string? after = null) =>
        Of(by, by.DiffersBy(-1, margin), before, after);

    /// <summary>The arm is better, by a metric that has a good side.</summary>
    public StatementReport Better(Comparison by, string? before = null, string? after = null) =>
        Of(by, by.Differs(by.Metric.Outcome.HigherIsBetter == false ? -1 : 1), before, after);

    /// <summary>The arm is worse, by a metric that has a good side.</summary>
    public StatementReport Worse(Comparison by, string? before = null, string? after = null) =>
        Of(by, by.Differs(by.Metric.Outcome.HigherIsBetter == false ? 1 : -1), before, after);

    /// <summary>The arm is not worse by more than delta.</summary>
    public StatementReport NotWorse(Comparison by, string? before = null, string? after = null) => Of(by, by.IsNotWorse(), before, after);

    /// <summary>The arms are the same within delta.</summary>
    public StatementReport Equivalent(Comparison by, string? before = null, string? after = null) =>
        Of(by, by.IsEquivalent(), before, after);

    /// <summary>A verdict of the study's own on a comparison.</summary>
    public StatementReport Of(Comparison by, Verdict verdict, string? before = null, string? after = null) =>
        new(Id, Text, verdict, by.Metric.Name, by.Metric.Outcome.IsRelative ? "ratio" : by.Metric.Unit, by.Result.Arm, by.Result.Baseline,
            by.Metric.Outcome.IsRelative ? 1 + by.Result.MeanDifference : by.Result.MeanDifference,
            by.Metric.Outcome.IsRelative && by.Result.Ci95 is [var low, var high] ? [1 + low, 1 + high] : by.Result.Ci95, by.Result.N, Join(before, by.LeftOut.Count > 0 ? LearnedNothing(by.LeftOut) : null, by.Result.Sentence, after), by.LeftOut);

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

    /// <summary>A verdict of the study's own on an arm's mean.</summary>
    public StatementReport Of(ArmMean mean, Verdict verdict, string? before = null, string? after = null) =>
        new(Id, Text, verdict, mean.Metric, mean.Unit, mean.Arm, null, mean.Summary.Mean, mean.Summary.Ci95, mean.Summary.N,
            Join(before, mean.LeftOut.Count > 0 ? LearnedNothing(mean.LeftOut) : null, mean.Sentence, after), mean.LeftOut);

    /// <summary>A share of runs lies in a range, by its whole interval (Wilson's).</summary>
    /// <param name="what">What is counted, as in "12 of 24 runs of relu {what}".</param>
    public StatementReport Share(string metric, string arm, int hits, int n, double low, double high, string what,
        string? before = null, string? after = null, IReadOnlyList<string>? leftOut = null)
    {
        var interval = Proportion.Wilson(hits, n)?.ToArray();
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
    /// There is a case (of at least one) for which it holds: supported by one, refuted if it is refuted in all; the p-values of the cases' contrasts are
    /// adjusted for their number. Cases of arms that learned nothing don't count.
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
            Evidence = string.Join(" ", cases.Select(c => c.Evidence)),
            LeftOut = [.. cases.SelectMany(c => c.LeftOut).Distinct()],
        };
    }

    private static string LearnedNothing(IReadOnlyList<string> arms) =>
        $"{string.Join(" and ", arms)} learned nothing and can't be judged by.";

    private static string Join(params string?[] sentences) =>
        string.Join(" ", sentences.Where(sentence => !string.IsNullOrEmpty(sentence)));
}

/// <summary>The mean of a measure over an arm's runs that finished.</summary>
/// <param name="Arm">By name.</param>
/// <param name="Metric">What was measured.</param>
/// <param name="Unit">As of <see cref="StatementReport"/>.</param>
/// <param name="Words">The measure in words, as in "the {words} of relu is ...".</param>
/// <param name="Summary">Mean and interval.</param>
/// <param name="LeftOut">The arm, if it learned nothing: then nothing can be said.</param>
public sealed record ArmMean(string Arm, string Metric, string Unit, string Words, ArmSummary Summary, IReadOnlyList<string> LeftOut)
{
    /// <summary>The mean and its interval.</summary>
    public string Sentence => Summary.Mean is not { } mean ? $"The {Words} of {Arm} was not measured."
        : $"The {Words} of {Arm} is {Figure(mean)}"
            + (Summary.Ci95 is [var low, var high] ? $" (95 % interval {Figure(low)} to {Figure(high)}, {Runs}; " : $" ({Runs}; ")
            + $"the mean over its runs).";

    private string Runs => $"{Summary.N} run{(Summary.N == 1 ? "" : "s")}";

    private string Figure(double value) => Unit == "fraction" ? StudyEvidence.Percent(value)
        : StudyEvidence.Number(value) + (Unit is "number" or "ratio" ? "" : " " + Unit);
}
