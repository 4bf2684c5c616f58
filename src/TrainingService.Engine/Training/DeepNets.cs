using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>A deep net as it was drawn.</summary>
/// <param name="GradientFlow">log10 of norm(dC/dz_1) / norm(dC/dz_L), from the first to the last hidden layer.</param>
/// <param name="Sparsity">Share of the hidden activations that are exactly 0.</param>
public readonly record struct DrawnNet(double GradientFlow, double Sparsity);

/// <summary>Square nets that are drawn, measured and not trained: what depth alone does to a gradient.</summary>
public static class DeepNets
{
    private const int Rows = 64, Classes = 10;

    /// <summary>
    /// Measures nets at step 0 as a job's layers are measured (cross-entropy of 10 classes), on 64 rows of normal numbers. Net i is drawn
    /// by seed i, so that nets of two activations have the same draws up to their gain.
    /// </summary>
    /// <param name="activation">Canonical name.</param>
    /// <param name="initializer">Canonical name.</param>
    /// <param name="width">Features, and units of each hidden layer.</param>
    /// <param name="depth">Hidden layers.</param>
    /// <param name="nets">How many are drawn.</param>
    /// <param name="cancellation">Looked at once a net.</param>
    /// <exception cref="ArgumentException">There is no such activation or initialiser, or no such net can be.</exception>
    public static IReadOnlyList<DrawnNet> Draw(string activation, string initializer, int width, int depth, int nets,
        CancellationToken cancellation = default)
    {
        var shape = new DataShape(width, TargetKind.Classes, Classes, Rows, 0, 0);
        var random = new SplitMix64(1);
        float[] features = [.. Enumerable.Range(0, Rows * width).Select(_ => (float)random.NextNormal())];
        int[] labels = [.. Enumerable.Range(0, Rows).Select(row => row % Classes)];
        var data = new TrainingData(shape, new(Rows, features, labels, []), null, null);
        return [.. Enumerable.Range(1, nets).Select(seed => Measure(activation, initializer, width, depth, seed, data, cancellation))];
    }

    private static DrawnNet Measure(string activation, string initializer, int width, int depth, long seed, TrainingData data,
        CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(
            new()
            {
                HiddenLayers = [.. Enumerable.Repeat(width, depth)],
                Activation = new() { Name = activation },
                Initializer = new() { Name = initializer },
            },
            // the one step of the one epoch comes after the measurement
            new() { Epochs = 1, BatchSize = Rows, Seed = seed, Optimizer = new() { Name = "sgd", LearningRate = 1e-9 } },
            new() { EverySteps = 1000 }, data.Shape, errors) ?? throw new ArgumentException(string.Join("; ", errors), nameof(activation));
        using var trainer = new Trainer(plan, data);
        IReadOnlyList<LayerPoint>? drawn = null;
        trainer.OnLayers = points => drawn ??= points;
        trainer.Run(cancellation);
        return drawn is null ? new(double.NaN, double.NaN)
            : new(GradientFlow.Of(drawn, trainer.Layers) ?? double.NaN, drawn.Take(depth).Average(point => (double)point.Sparsity));
    }
}
