using System.Text.Json;
using MathNet.Numerics.Statistics;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Http;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>What a study measured beside the trainings.</summary>
/// <param name="BornDead">Nets drawn and never trained.</param>
/// <param name="DeepNets">Deep nets as they were drawn.</param>
/// <param name="ElementTimes">What single elements cost.</param>
public sealed record StudyMeasurement(IReadOnlyList<BornDeadCell>? BornDead = null, DeepNetDraws? DeepNets = null,
    IReadOnlyList<ElementTimes>? ElementTimes = null)
{
    /// <summary>Of the sweep; null until it is measured.</summary>
    public static StudyMeasurement? Of(Sweep sweep) =>
        sweep.Measured is null ? null : JsonSerializer.Deserialize<StudyMeasurement>(sweep.Measured, Json.Measured);
}

/// <summary>Comparisons by one metric that a study judges by, as one family: p-values are adjusted over all of them.</summary>
/// <param name="Metric">What arms are compared by.</param>
/// <param name="Delta">The least difference that matters; of times and other ratios relative.</param>
/// <param name="Pairs">Arm and baseline, by name.</param>
public sealed record Comparisons(SweepMetric Metric, double Delta, params IReadOnlyList<(string Arm, string Baseline)> Pairs)
{
    public Comparisons(string metric, double delta, params IReadOnlyList<(string Arm, string Baseline)> pairs)
        : this(SweepMetrics.Named(metric), delta, pairs)
    {
    }
}

/// <summary>Arms that learn, and those that are left out of what is said of nets that learn.</summary>
/// <param name="Names">Arms that learn.</param>
/// <param name="LeftOut">Those that have outcomes and don't.</param>
/// <param name="Sentence">Who is left out and why, with a blank behind it; null if nobody is.</param>
public sealed record LearningArms(IReadOnlyList<string> Names, IReadOnlyList<string> LeftOut, string? Sentence)
{
    /// <summary>Of training accuracy, below the best arm's.</summary>
    public const double Margin = 0.02;
}

/// <summary>A study's cells, and the questions that readings ask of them.</summary>
/// <param name="spec">The sweep.</param>
/// <param name="cells">All that there are.</param>
/// <param name="measured">What was measured beside the trainings.</param>
/// <param name="contrasts">The report's, by the sweep's own metric.</param>
/// <param name="families">What the study judges by other metrics.</param>
/// <param name="guess">Training accuracy that a net can reach which has learned nothing; null if the data is not there any more.</param>
public sealed class StudyEvidence(SweepPlan spec, IReadOnlyList<CellResult> cells, StudyMeasurement? measured,
    IReadOnlyList<ContrastResult> contrasts, IReadOnlyList<Comparisons> families, double? guess)
{
    private readonly ILookup<string, CellResult> _byArm =
        cells.Where(cell => cell.Candidate < 0).ToLookup(cell => spec.Arms[cell.Arm].Name);

    private readonly Dictionary<string, (SweepMetric Metric, IReadOnlyList<ContrastResult> Results)> _families = [];

    public SweepPlan Spec => spec;

    public StudyMeasurement? Measured => measured;

    public IReadOnlyList<string> Arms { get; } = [.. spec.Arms.Select(arm => arm.Name)];

    /// <summary>An arm's cells that ended with an outcome.</summary>
    public IReadOnlyList<CellResult> Cells(string arm) => [.. _byArm[arm].Where(cell => cell.HasOutcome)];

    /// <summary>
    /// Two arms by the sweep's metric or by one of the study's families, with the one p that this contrast has in the report. Where a sweep
    /// of another version has no such comparison, it is one without a seed.
    /// </summary>
    /// <param name="anyway">Also if an arm learned nothing: where that is the question.</param>
    /// <exception cref="ArgumentException">The study has not declared the comparison.</exception>
    public Comparison Compare(string metric, string arm, string baseline, bool anyway = false)
    {
        var (by, results) = metric == spec.Metric ? (spec.By, contrasts) : Family(metric);
        var result = results.FirstOrDefault(contrast => contrast.Arm == arm && contrast.Baseline == baseline)
            ?? (metric == spec.Metric || families.Any(family => family.Metric.Name == metric && family.Pairs.Contains((arm, baseline)))
                ? Statistics.Family.Judge([Contrast.Between(arm, [], baseline, [])], by.Outcome, spec.Delta ?? 0)[0]
                : throw new ArgumentException($"{arm} against {baseline} is not among the comparisons by {metric}", nameof(arm)));
        return new(by, result, anyway ? [] : [.. new[] { arm, baseline }.Where(name => LearnedNothing(name))], Summary(baseline, by.Of));
    }

    private (SweepMetric, IReadOnlyList<ContrastResult>) Family(string metric)
    {
        if (!_families.TryGetValue(metric, out var family))
        {
            var declared = families.FirstOrDefault(f => f.Metric.Name == metric)
                ?? throw new ArgumentException($"nothing is compared by {metric}", nameof(metric));
            _families[metric] = family = (declared.Metric, Family(declared.Metric, declared.Delta,
                [.. declared.Pairs.Where(pair => Arms.Contains(pair.Arm) && Arms.Contains(pair.Baseline))]));
        }
        return family;
    }

    /// <summary>An arm's mean of a metric; by itself no comparison.</summary>
    public ArmMean Mean(string metric, string arm, bool anyway = false)
    {
        var by = metric == spec.Metric ? spec.By
            : families.FirstOrDefault(f => f.Metric.Name == metric)?.Metric ?? SweepMetrics.Named(metric);
        return Mean(metric, by.Unit, by.Outcome.Words, arm, by.Of, anyway);
    }

    /// <summary>An arm's mean of a measure of the study's own.</summary>
    /// <param name="unit">As of <see cref="StatementReport"/>.</param>
    /// <param name="words">As in "relu: {words} 31 %".</param>
    public ArmMean Mean(string metric, string unit, string words, string arm, Func<CellResult, double?> value, bool anyway = false) =>
        new(arm, metric, unit, words, Summary(arm, value), !anyway && LearnedNothing(arm) ? [arm] : []);

    /// <summary>
    /// Whether a run learned nothing: it diverged, or its training accuracy is one that guessing reaches: the share of the most frequent
    /// class, plus three standard errors of a share.
    /// </summary>
    public bool LearnedNothing(CellResult run) => run.HasOutcome && (run.Diverged
        || run.Result?.TrainAccuracy <= (guess
            ?? GuessOf([.. Enumerable.Repeat(1, run.Layers.Count > 0 ? Math.Max(2, run.Layers[^1].Units) : 2)], 100)));

    /// <summary>Whether at least half of an arm's runs learned nothing, so that its figures say nothing of nets that learn.</summary>
    public bool LearnedNothing(string arm) => Cells(arm) is { Count: > 0 } runs && 2 * runs.Count(LearnedNothing) >= runs.Count;

    /// <summary>Share of an arm's runs that learned nothing; not a number without a run.</summary>
    public double Stalled(string arm) =>
        Cells(arm) is { Count: > 0 } runs ? runs.Average(run => LearnedNothing(run) ? 1.0 : 0) : double.NaN;

    /// <summary>Those of some arms that learn: their mean training accuracy lies within 2 points of the best one's.</summary>
    public LearningArms Learning(IReadOnlyList<string> arms)
    {
        var accuracy = arms.Where(arm => Cells(arm).Count > 0)
            .ToDictionary(arm => arm, arm => LearnedNothing(arm) ? double.NegativeInfinity
                : Summary(arm, "trainAccuracy").Mean ?? double.NaN);
        var best = accuracy.Values.Where(double.IsFinite).DefaultIfEmpty(double.NaN).Max();
        string[] learning = [.. accuracy.Keys.Where(arm => accuracy[arm] >= best - LearningArms.Margin)];
        string[] leftOut = [.. accuracy.Keys.Except(learning)];
        return new(learning, leftOut, leftOut.Length == 0 ? null
            : Prose.List($"Left out, for a training accuracy more than 2 points below the best one ({Percent(best)})",
                [.. leftOut.Select(arm => $"{arm} ({Percent(Summary(arm, "trainAccuracy").Mean)})")]) + " ");
    }

    /// <summary>
    /// The arm that one would choose, by validation accuracy, and how it was chosen; ties go to the lower validation loss, then to the
    /// middle of the list.
    /// </summary>
    public (string Arm, string How) Best(IReadOnlyList<string> arms)
    {
        double Of(string arm, string metric, double none) => Summary(arm, metric).Mean is { } mean && double.IsFinite(mean) ? mean : none;
        var most = arms.Max(arm => Of(arm, "validationAccuracy", -1));
        string[] tied = [.. arms.Where(arm => Of(arm, "validationAccuracy", -1) >= most - 1e-6)];
        var best = tied.OrderBy(arm => Of(arm, "validationLoss", double.MaxValue))
            .ThenBy(arm => Math.Abs(2 * arms.Index().First(one => one.Item == arm).Index - (arms.Count - 1))).First();
        return (best, tied.Length == 1 ? "by validation accuracy"
            : $"by validation accuracy, where {string.Join(" and ", tied)} are tied, and then by validation loss");
    }

    /// <summary>The accuracy that no net exceeds which has learned nothing, on so many rows.</summary>
    /// <param name="classCounts">Rows of each class.</param>
    public static double GuessOf(IReadOnlyList<int> classCounts, int rows)
    {
        var share = (double)classCounts.Max() / classCounts.Sum();
        return share + 3 * Math.Sqrt(share * (1 - share) / rows);
    }

    private IReadOnlyList<ContrastResult> Family(SweepMetric metric, double delta, IReadOnlyList<(string Arm, string Baseline)> pairs) =>
        SweepContrasts.Judge(spec, cells, metric, delta, pairs);

    /// <summary>Mean and interval of a metric over an arm's runs that finished.</summary>
    public ArmSummary Summary(string arm, Func<CellResult, double?> value) => ArmSummary.Of([.. Cells(arm).Select(value).OfType<double>()]);

    public ArmSummary Summary(string arm, string metric) => Summary(arm, SweepMetrics.Named(metric).Of);

    /// <summary>Mean over an arm's runs of a layer value, over the hidden layers.</summary>
    public double? Hidden(string arm, Func<LayerPoint, float?> value) =>
        Cells(arm).Where(run => !run.Diverged).Select(run => run.OverHidden(run.Last, value))
            .OfType<double>().ToArray() is { Length: > 0 } values ? values.Mean() : null;

    public static string Percent(double? share) => share is { } s && double.IsFinite(s) ? Numbers.Percent(s) : "not measured";

    public static string Number(double? value) => value is { } v && double.IsFinite(v) ? Numbers.Short(v) : "not measured";
}
