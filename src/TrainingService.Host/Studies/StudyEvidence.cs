using System.Globalization;
using System.Text.Json;
using MathNet.Numerics.Statistics;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Http;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>What a study measured beside the trainings.</summary>
/// <param name="BornDead">Nets drawn and never trained.</param>
public sealed record StudyMeasurement(IReadOnlyList<BornDeadCell>? BornDead = null)
{
    /// <summary>Of the sweep; null until it is measured.</summary>
    public static StudyMeasurement? Of(Sweep sweep) =>
        sweep.Measured is null ? null : JsonSerializer.Deserialize<StudyMeasurement>(sweep.Measured, Json.Options);
}

/// <summary>A study's cells, and the questions that readings ask of them.</summary>
public sealed class StudyEvidence(SweepPlan spec, IReadOnlyList<CellResult> cells, StudyMeasurement? measured)
{
    private readonly ILookup<string, CellResult> _byArm =
        cells.Where(cell => cell.Candidate < 0).ToLookup(cell => spec.Arms[cell.Arm].Name);

    public SweepPlan Spec => spec;

    public StudyMeasurement? Measured => measured;

    public IReadOnlyList<string> Arms { get; } = [.. spec.Arms.Select(arm => arm.Name)];

    /// <summary>Training time of all cells.</summary>
    public double SecondsSpent { get; } = cells.DistinctBy(cell => cell.JobId).Sum(cell => cell.Result?.Seconds ?? 0);

    /// <summary>An arm's cells that ended with an outcome.</summary>
    public IReadOnlyList<CellResult> Cells(string arm) => [.. _byArm[arm].Where(cell => cell.HasOutcome)];

    /// <summary>Comparisons of one claim, judged together: p-values are adjusted over them.</summary>
    public IReadOnlyList<ContrastResult> Family(SweepMetric metric, double? delta, params (string Arm, string Baseline)[] pairs) =>
        Statistics.Family.Judge([.. pairs.Select(pair =>
        {
            var (arm, baseline) = metric.Paired(_byArm[pair.Arm], _byArm[pair.Baseline]);
            return Contrast.Between(pair.Arm, arm, pair.Baseline, baseline);
        })], metric.Outcome, delta ?? metric.Delta ?? 0);

    public IReadOnlyList<ContrastResult> Family(string metric, double? delta, params (string Arm, string Baseline)[] pairs) =>
        Family(SweepMetrics.Named(metric), delta, pairs);

    /// <summary>One comparison by itself.</summary>
    public ContrastResult Compare(string metric, string arm, string baseline, double? delta = null) =>
        Family(metric, delta, (arm, baseline))[0];

    /// <summary>Is the gain of one arm over another larger than that of a third over a fourth?</summary>
    public ContrastResult Interaction(string metric, string arm, string armWithout, string baseline, string baselineWithout)
    {
        var by = SweepMetrics.Named(metric);
        string[] names = [arm, armWithout, baseline, baselineWithout];
        var values = names.Select(name => _byArm[name].Select(cell => (cell.Seed, Value: by.Of(cell))).Where(cell => cell.Value is not null)
            .ToDictionary(cell => cell.Seed, cell => cell.Value.GetValueOrDefault())).ToArray();
        var seeds = spec.Seeds.Where(seed => values.All(v => v.ContainsKey(seed))).ToList();
        (string, IReadOnlyList<double>) Of(int i) => (names[i], [.. seeds.Select(seed => values[i][seed])]);
        return Statistics.Family.Judge([Contrast.Interaction(Of(0), Of(1), Of(2), Of(3))], by.Outcome, by.Delta ?? 0)[0];
    }

    /// <summary>Mean and interval of a metric over an arm's runs that finished.</summary>
    public ArmSummary Summary(string arm, Func<CellResult, double?> value) => ArmSummary.Of([.. Cells(arm).Select(value).OfType<double>()]);

    public ArmSummary Summary(string arm, string metric) => Summary(arm, SweepMetrics.Named(metric).Of);

    /// <summary>
    /// Share of an arm's runs that learned nothing: diverged, or ended with a training loss above 90 % of ln K, which
    /// guessing among K classes costs.
    /// </summary>
    public double Stalled(string arm) => Cells(arm) is { Count: > 0 } runs
        ? runs.Average(run => run.Diverged || run.Result?.TrainLoss > 0.9 * Math.Log(Math.Max(2, run.Layers[^1].Units)) ? 1.0 : 0)
        : double.NaN;

    /// <summary>Mean over an arm's runs of a layer value, over the hidden layers.</summary>
    public double? Hidden(string arm, Func<LayerPoint, float?> value) =>
        Cells(arm).Where(run => !run.Diverged).Select(run => run.OverHidden(run.Last, value))
            .OfType<double>().ToArray() is { Length: > 0 } values ? values.Mean() : null;

    public static string Percent(double? share) =>
        share is { } s && double.IsFinite(s) ? (100 * s).ToString("0.0", CultureInfo.InvariantCulture) + " %" : "not measured";

    public static string Number(double? value) =>
        value is { } v && double.IsFinite(v) ? v.ToString("G3", CultureInfo.InvariantCulture) : "not measured";
}
