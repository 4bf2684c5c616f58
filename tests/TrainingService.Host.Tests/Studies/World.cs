using System.Text.Json;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Reports;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Reports;

namespace TrainingService.Host.Tests.Studies;

/// <summary>What one run of a made-up world has measured, the same in all its hidden layers.</summary>
public sealed record Run(double Test = 0.9, double Train = 0.95, double Validation = 0.9, double EpochSeconds = 0.01, double Off = 0,
    double Revived = 0, double Sparsity = 0.5, double Shift = 0.5, double? Slope = null, bool Diverged = false,
    double ValidationLoss = 0.3);

/// <summary>A study's evidence, made by hand: its sweep as it would be run, and what each arm's runs gave.</summary>
public static class World
{
    /// <summary>Guessing among ten classes reaches this.</summary>
    public const double Guess = 0.12;

    /// <summary>The report of a quick study.</summary>
    /// <param name="study">By name.</param>
    /// <param name="run">What the run of an arm gave, by a standard normal number that is this run's own.</param>
    /// <param name="measured">Beside the trainings.</param>
    /// <param name="seeds">Of each arm.</param>
    /// <param name="rows">Where each seed is tested on rows of its own; null where all are tested on the same ones.</param>
    /// <param name="stored">The sweep as an earlier version would have it.</param>
    public static SweepReport Read(string study, Func<string, double, Run> run, StudyMeasurement? measured = null, int? seeds = null,
        RowCounts? rows = null, Func<SweepPlan, SweepPlan>? stored = null)
    {
        var plan = Plan(study, seeds ?? 30, rows);
        plan = stored?.Invoke(plan) ?? plan;
        var sweep = new Sweep
        {
            Spec = plan,
            Study = study,
            StudySize = "quick",
            Status = JobStatus.Succeeded,
            FinishedAt = DateTimeOffset.UnixEpoch,
            Measured = measured is null ? null : JsonSerializer.Serialize(measured, Json.Options),
        };
        var report = StudyReports.Of(sweep, [.. plan.Arms.SelectMany((arm, index) => plan.Seeds.Select(seed =>
            Cell(index, seed, run(arm.Name, new SplitMix64(1000 * seed + index).NextNormal()))))], Guess);
        Sentences.MustBeReadable(report);
        return report;
    }

    /// <summary>A quick study's sweep as it would be stored.</summary>
    public static SweepPlan Plan(string study, int seeds, RowCounts? rows = null)
    {
        var spec = StudyCatalog.Find(study)!.Sweep(StudySize.Quick, "digits", seeds);
        var arms = spec.Arms ?? [.. spec.Grid!.Single().Value.Select(value => new ArmSpec { Name = ((JsonElement)value!).GetString()! })];
        return new()
        {
            Base = spec.Base,
            Arms = arms,
            Seeds = [.. Enumerable.Range(1, seeds).Select(seed => (long)seed)],
            Metric = spec.Metric ?? "testAccuracy",
            TestSplit = rows is null ? TestSplit.Fixed : TestSplit.PerSeed,
            Rows = rows,
            Baseline = spec.Baseline!,
            Delta = spec.Delta ?? 0.005,
            Contrasts = spec.Contrasts ?? [.. arms.Where(arm => arm.Name != spec.Baseline)
                .Select(arm => new ContrastSpec { Arm = arm.Name, Baseline = spec.Baseline! })],
        };
    }

    public static StatementReport Statement(this SweepReport report, string id) =>
        report.Claims!.SelectMany(claim => claim.Statements).Single(statement => statement.Id == id);

    /// <summary>Ten classes on as many test rows as digits has, drawn by the seed.</summary>
    public static RowCounts Digits { get; } = new(1221, 216, 360);

    private static CellResult Cell(int arm, long seed, Run run)
    {
        IReadOnlyList<Engine.Diagnostics.LayerInfo> layers = [.. Enumerable.Range(0, 3).Select(layer =>
            new Engine.Diagnostics.LayerInfo(layer, layer == 2 ? "output" : $"hidden{layer + 1}", layer == 2 ? 10 : 64, "relu", "zeros"))];
        LayerRow Row(int layer, long step) => new()
        {
            Step = step,
            Epoch = step,
            Layer = layer,
            DeadFraction = (float)run.Off,
            RevivedFraction = (float)run.Revived,
            Sparsity = (float)run.Sparsity,
            MeanActivation = (float)run.Shift,
            RmsActivation = 1,
            GradientRms = 1,
            Slope = (float?)run.Slope,
        };
        return new(arm, -1, seed, Guid.NewGuid(), run.Diverged ? JobStatus.Failed : JobStatus.Succeeded,
            run.Diverged ? "diverged" : null, 1, new()
            {
                WeightsSha256 = "",
                TrainLoss = 0.1f,
                TestAccuracy = (float)run.Test,
                TrainAccuracy = (float)run.Train,
                ValidationAccuracy = (float)run.Validation,
                ValidationLoss = (float)run.ValidationLoss,
                FastestEpochSeconds = run.EpochSeconds,
            },
            layers, [.. layers.Select(layer => Row(layer.Index, 0))], [.. layers.Select(layer => Row(layer.Index, 10))]);
    }
}
