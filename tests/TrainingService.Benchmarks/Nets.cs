using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;

namespace TrainingService.Benchmarks;

/// <summary>The networks that are measured, on random rows of 60,000, as the libtorch baseline has them.</summary>
internal sealed record Net(string Name, int[] Widths, int Batch)
{
    private const int Rows = 60_000;
    private static readonly Dictionary<int, float[]> Features = [];

    public static IReadOnlyList<Net> All { get; } =
    [
        new("small", [784, 64, 10], 32),
        new("medium", [784, 256, 256, 10], 64),
        new("large", [784, 512, 512, 10], 128),
        new("xl", [1024, 1024, 1024, 1024, 10], 256),
        new("tiny", [2, 16, 16, 2], 32),
        new("digits", [64, 64, 10], 64),
        new("deep", [784, .. Enumerable.Repeat(128, 30), 10], 64),
    ];

    /// <summary>Floating-point operations of a training step: B (4 K0 N0 + sum over later layers of 6 K N).</summary>
    public double StepOperations =>
        Batch * (4.0 * Widths[0] * Widths[1] + Enumerable.Range(1, Widths.Length - 2).Sum(i => 6.0 * Widths[i] * Widths[i + 1]));

    /// <summary>Floating-point operations of a forward pass over one row.</summary>
    public double RowOperations => Enumerable.Range(0, Widths.Length - 1).Sum(i => 2.0 * Widths[i] * Widths[i + 1]);

    public static Net Named(string name) => All.FirstOrDefault(n => n.Name == name)
        ?? throw new ArgumentException($"no net '{name}'; there are {string.Join(", ", All.Select(n => n.Name))}");

    public TrainingData Data()
    {
        if (!Features.TryGetValue(Widths[0], out var features))
        {
            var random = new Random(1);
            features = new float[Rows * Widths[0]];
            for (var i = 0; i < features.Length; i++)
                features[i] = (float)(2 * random.NextDouble() - 1);
            Features[Widths[0]] = features;
        }
        var split = new DataSplit(Rows, features, [.. Enumerable.Range(0, Rows).Select(i => i * 7 % Widths[^1])], []);
        return new(new(Widths[0], TargetKind.Classes, Widths[^1], Rows, 0, 0), split, null, null);
    }

    /// <summary>A run that would go on for ever and is measured only at its ends.</summary>
    public RunPlan Plan(string optimizer = "sgd", string activation = "relu", string normalization = "none", double dropout = 0)
    {
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(
            new()
            {
                HiddenLayers = Widths[1..^1],
                Activation = new ActivationSpec { Name = activation },
                Normalization = normalization,
                Dropout = dropout,
            },
            new()
            {
                Epochs = 100_000,
                BatchSize = Batch,
                Optimizer = new OptimizerSpec { Name = optimizer, LearningRate = optimizer == "sgd" ? 1e-3 : 1e-4 },
            },
            new() { EverySteps = int.MaxValue, EvaluationRows = 1 }, Data().Shape, errors);
        return plan ?? throw new ArgumentException(string.Join("; ", errors.Select(e => e.Message)));
    }
}
