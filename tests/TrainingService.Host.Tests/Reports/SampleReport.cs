using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Reports;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Tests.Reports;

/// <summary>A report whose every number is known, with names that somebody might type to do harm.</summary>
public static class SampleReport
{
    public const string Odd = "<b>o</b> | *a* & [x](y)", Script = "<script>alert(1)</script>";

    private static readonly LayerInfo[] Layers =
        [new(0, "hidden1", 16, "relu", "kaiming_normal"),
            new(1, "hidden2", 8, "relu", "kaiming_normal"), new(2, "output", 10, "identity", "zeros")];

    public static SweepReport Of(int arms, int seeds = 8)
    {
        var outcome = SweepMetrics.Find("testAccuracy")!.Outcome;
        var values = Enumerable.Range(0, arms).Select(arm => Enumerable.Range(0, seeds)
            .Select(seed => arm == 2 && seed == 0 ? double.NaN : 0.9 + 0.01 * arm + 0.001 * (seed * 7 % 5)).ToArray()).ToArray();
        return new()
        {
            SweepId = Guid.Parse("00000000-0000-7000-8000-000000000001"),
            Name = $"Which is best? {Script}",
            Status = JobStatus.Succeeded,
            Question = "Does leaky ReLU beat ReLU here?",
            Method = "Arms are paired by seed.",
            Headline = new(Verdict.Supported, $"Arm 1 is better than relu & {Script}."),
            Next = new("1 of 2 comparisons is open. 4 more seeds would decide it in four cases of five: extend the sweep.", 1, 1, 4,
                new("POST", "/api/v1/sweeps/00000000-0000-7000-8000-000000000001/extend",
                    new Dictionary<string, object?> { ["seedCount"] = 12 })),
            FinishedAt = new(2026, 11, 28, 9, 0, 0, TimeSpan.Zero),
            Answer = $"Arm 1 is better than relu & {Script}.",
            Metric = "testAccuracy",
            Baseline = "relu",
            Delta = 0.005,
            Looks = [new(6, DateTimeOffset.UnixEpoch, 0, 1, 0, 0.05), new(8, DateTimeOffset.UnixEpoch, 1, 1, 0.05, 0)],
            Claims =
            [
                new("C1", "Leaky ReLU mitigates dying ReLU units.", "Maas et al. 2013", "It can't die by construction.",
                [
                    new("C1b", "Fewer units are off.", Verdict.Supported, "offEveryRowFraction", "fraction", "arm 1", "relu",
                        -0.041, [-0.05, -0.033], seeds, "Dead units fell by 4.1 points.", []),
                    new("C1d", "The accuracy is not worse.", Verdict.Refuted, "testAccuracy", "fraction", "arm 1", "relu",
                        -0.015, [-0.02, -0.01], seeds, "It fell by 1.5 points.", []),
                ]),
                new("C8", "Sparsity does not reduce the gradient.", "Glorot et al. 2011", null,
                [
                    new("C8a", "The gradient passes undiminished.", Verdict.Inconclusive, "initialGradientFlow", "decades", Odd, null, null,
                        null,
                        seeds, "Not enough seeds.", [Odd]),
                ]),
            ],
            Arms =
            [
                .. Enumerable.Range(0, arms).Select(arm =>
                {
                    var summary = ArmSummary.Of(values[arm]);
                    return new ArmReport(Name(arm), summary.N, summary.Diverged, summary.DivergedCi95, 0, summary.Mean, summary.Sd,
                        summary.Ci95, summary.Median, 0.5 + 0.1 * arm, null, [.. Layers.Select(layer => new ArmLayer(layer.Index,
                            layer.Name, new Dictionary<string, double> { ["sparsity"] = 0.614, ["meanActivation"] = -0.25 }))],
                        [.. Enumerable.Range(0, seeds).Select(seed => Job(arm, seed))]);
                }),
            ],
            Contrasts = Family.Judge([.. Enumerable.Range(1, arms - 1)
                .Select(arm => Contrast.Between(Name(arm), values[arm], Name(0), values[0]))], outcome, 0.005),
            Trials = [.. Enumerable.Range(0, arms).Select(arm => new TrialReport(Name(arm),
                new Dictionary<string, object?> { ["/training/optimizer/learningRate"] = 0.1 }, seeds, seeds, arm == 2 ? 1 : 0, 0,
                "validationAccuracy", 0.91, 0.25, 0.93))],
            Cells = [new(2, 2, 2000, 0.26, 0.25, [0.24, 0.28]),
                new(2, 10, 2000, 0.92, 0.925, [0.91, 0.94]), new(3, 2, 2000, 0.12, 0.125, [0.11, 0.14])],
            Notes = [$"1 run diverged. {Script}"],
            Provenance = new(["0.1.0"], ["avx512"], "digits", [new('a', 64)], [.. Enumerable.Range(1, seeds).Select(seed => (long)seed)],
                new() { Name = Script, Base = new() { Dataset = new() { Name = "digits" }, Training = new() { Loss = "cross_entropy" } } }),
        };
    }

    public static IReadOnlyList<ArmCurves> Curves(int arms, int seeds = 8) => [.. Enumerable.Range(0, arms).Select(arm => new ArmCurves(
        new Dictionary<(string, Split), IReadOnlyList<CurveStat>>
        {
            [("accuracy", Split.Train)] = Stats(seeds, epoch => 1 - 0.9 / (1 + epoch)),
            [("accuracy", Split.Validation)] = Stats(seeds, epoch => 0.95 - 0.85 / (1 + epoch)),
            [("loss", Split.Train)] = Stats(seeds, epoch => 2.3 / (1 + epoch)),
        },
        Layers,
        Names().ToDictionary(key => key, key => Stats(seeds, epoch => key.Name == "sparsity" ? arm == 0 ? 0.5 : 0 : 0.1 * (1 + key.Layer))),
        Stats(seeds, epoch => -0.5 + 0.01 * epoch),
        [.. Layers.Select(
            layer => new LayerRow { Layer = layer.Index, Step = 100, Epoch = 1, Histogram = new(-1, 2, [10, 30, 20, 5]) })]))];

    /// <summary>A picture of what was asked.</summary>
    public static Figure Asked { get; } = new("What was asked, arm by arm", [new("Accuracy, by learning rate", new("learning rate"),
        new("test accuracy (%)"), [new("relu", [new(0.1, 96, 95, 97), new(0.5, 97, 96, 98), new(1, 90, 85, 95)]) { Marked = true }])],
        "Points are means.");

    public static Guid Job(int arm, int seed) => Guid.Parse($"00000000-0000-7000-8000-{arm:d6}{seed:d6}");

    public static string Name(int arm) => arm switch { 0 => "relu", 2 => Odd, _ => $"arm {arm}" };

    private static IEnumerable<(string Name, int Layer)> Names() =>
        from name in (string[])["sparsity", "offRate", "deadFraction", "saturation", "meanActivation", "rmsActivation", "gradientRms"]
        from layer in Layers
        select (name, layer.Index);

    private static IReadOnlyList<CurveStat> Stats(int seeds, Func<double, double> mean) =>
        [.. Enumerable.Range(0, 11).Select(epoch => new CurveStat(epoch, seeds, seeds, mean(epoch), seeds > 1 ? 0.01 : null))];
}
