using System.Text.Json;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Reports;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Reports;

namespace TrainingService.Host.Tests.Studies;

/// <summary>The runs of one arm in a world that is made by hand; every seed strays by the noise.</summary>
internal sealed record Net
{
    public double Test { get; init; } = 0.95;

    public double Train { get; init; } = 0.99;

    public double Loss { get; init; } = 0.05;

    /// <summary>Amplitude by which test accuracy, losses and the measures of the layers stray between seeds.</summary>
    public double Noise { get; init; } = 0.001;

    /// <summary>Of each hidden layer at the end, as all that follows.</summary>
    public double Zeros { get; init; } = 0.5;

    /// <summary>How many more each next hidden layer has.</summary>
    public double ZerosRise { get; init; }

    public double Dead { get; init; } = 0.05;

    public double? Locked { get; init; }

    /// <summary>Units that were off on every row and are on again.</summary>
    public double Revived { get; init; }

    /// <summary>Whether the net of a seed learns nothing, whatever the others do.</summary>
    public Func<long, bool>? Stalls { get; init; }

    public double Rank { get; init; } = 20;

    /// <summary>How much higher each next hidden layer's is.</summary>
    public double RankRise { get; init; }

    public double Saturation { get; init; }

    /// <summary>log10 of the gradient's norm in the first hidden layer over that in the last; null where no gradient flows.</summary>
    public double? Flow { get; init; } = 0;

    /// <summary>Hidden layers that are dead from the first step to the last.</summary>
    public int[] DeadLayers { get; init; } = [];
}

/// <summary>A study's sweep with outcomes made by hand, and how the study reads them.</summary>
internal sealed class NetWorld
{
    private const int Classes = 10, Units = 64;

    private readonly SweepReport _report;

    /// <param name="arms">Arms that aren't named are ordinary nets.</param>
    /// <param name="others">What the ordinary ones are like.</param>
    /// <param name="study">Whose sweep it is.</param>
    /// <param name="seeds">Of each arm.</param>
    /// <param name="layers">Hidden ones.</param>
    /// <param name="measured">Beside the trainings.</param>
    public NetWorld(Study study, Dictionary<string, Net> arms, Net? others = null, int seeds = 16, int layers = 2,
        StudyMeasurement? measured = null)
    {
        var spec = study.Sweep(StudySize.Quick, "digits", seeds);
        Arms = [.. (spec.Arms ?? []).Select(arm => arm.Name)];
        Assert.Empty(arms.Keys.Except(Arms));
        var baseline = spec.Baseline ?? Arms[0];
        var plan = new SweepPlan
        {
            Base = spec.Base,
            Arms = spec.Arms ?? [],
            Seeds = [.. Enumerable.Range(1, seeds).Select(seed => (long)seed)],
            Metric = "testAccuracy",
            Baseline = baseline,
            Delta = spec.Delta ?? 0.005,
            Contrasts = spec.Contrasts
                ?? [.. Arms.Where(arm => arm != baseline).Select(arm => new ContrastSpec { Arm = arm, Baseline = baseline })],
        };
        CellResult[] cells = [.. from arm in Enumerable.Range(0, Arms.Count)
                                 from seed in plan.Seeds
                                 select Run(arm, seed, arms.GetValueOrDefault(Arms[arm]) ?? others ?? new(), layers)];
        _report = StudyReports.Of(new()
        {
            Spec = plan,
            Study = study.Name,
            StudySize = "quick",
            Status = JobStatus.Succeeded,
            FinishedAt = DateTimeOffset.UnixEpoch,
            Measured = measured is null ? null : JsonSerializer.Serialize(measured, Json.Options),
        }, cells, 1.0 / Classes + 0.03);
        Sentences.MustBeReadable(_report);
        foreach (var unclear in (string[])["NaN", "Infinity", "∞", "  ", " . ", "()", "not measured"])
            Assert.All([.. Statements.Select(statement => statement.Evidence), Answer],
                text => Assert.DoesNotContain(unclear, text, StringComparison.Ordinal));
    }

    public IReadOnlyList<string> Arms { get; }

    public string Answer => _report.Answer;

    public string Headline => _report.Headline.Sentence;

    public IEnumerable<StatementReport> Statements => (_report.Claims ?? []).SelectMany(claim => claim.Statements);

    public StatementReport this[string id] => Statements.Single(statement => statement.Id == id);

    private static CellResult Run(int arm, long seed, Net net, int hidden)
    {
        // strays from -1 to 1, differently in each arm and measure, equally in each run of the tests
        float With(double value, int measure) =>
            (float)(value + net.Noise * Math.Sin(12.9898 * seed + 78.233 * (arm + 1) + 37.719 * measure));
        IReadOnlyList<LayerInfo> layers = [.. Enumerable.Range(0, hidden + 1).Select(layer => new LayerInfo(layer,
            layer == hidden ? "output" : $"hidden{layer + 1}", layer == hidden ? Classes : Units, "relu", "auto"))];
        LayerRow Row(int layer, long step) => new()
        {
            Step = step,
            Epoch = step,
            Layer = layer,
            Sparsity = net.DeadLayers.Contains(layer) ? 1 : With(net.Zeros + layer * net.ZerosRise, 10 + layer),
            DeadFraction = net.DeadLayers.Contains(layer) ? 1 : net.Dead == 0 ? 0 : With(net.Dead, 20 + layer),
            RevivedFraction = net.Revived == 0 ? 0 : With(net.Revived, 70 + layer),
            NegativeLockedFraction = net.Locked is { } locked ? With(locked, 30 + layer) : null,
            EffectiveRank = With(net.Rank + layer * net.RankRise, 40 + layer),
            Saturation = With(net.Saturation, 50 + layer),
            GradientRms = net.Flow is not { } flow ? 0 : layer > 0 ? 1 : (float)Math.Pow(10, With(flow, 60)),
        };
        IReadOnlyList<LayerRow> At(long step) => [.. Enumerable.Range(0, hidden + 1).Select(layer => Row(layer, step))];
        return new(arm, -1, seed, Guid.NewGuid(), JobStatus.Succeeded, null, 10, new TrainingResult
        {
            WeightsSha256 = "",
            TrainAccuracy = net.Stalls?.Invoke(seed) == true ? 0.1f : (float)net.Train,
            TestAccuracy = With(net.Test, 2),
            TrainLoss = Math.Max(0, With(net.Loss, 3)),
            TestLoss = With(net.Loss, 4),
        }, layers, At(0), At(100));
    }
}
