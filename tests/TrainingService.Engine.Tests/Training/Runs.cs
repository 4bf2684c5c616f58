using System.Text.Json;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>A finished run with all that it reported.</summary>
internal sealed record FinishedRun(TrainingResult Result, List<MetricPoint> Metrics,
    List<IReadOnlyList<LayerPoint>> Points, IReadOnlyList<LayerInfo> Layers)
{
    /// <summary>Per layer, where someone asked for them.</summary>
    public IReadOnlyList<IReadOnlyList<UnitPoint>> Units { get; init; } = [];
}

/// <summary>Small data sets and the way from specs to a finished run.</summary>
internal static class Runs
{
    /// <summary>Classes around centres three apart, easy to learn.</summary>
    public static TrainingData Blobs(int train = 200, int validation = 50, int test = 60, int features = 6, int classes = 3)
    {
        var generator = new SplitMix64(77);
        var centres = Enumerable.Range(0, classes).Select(_ => generator.Symmetric(features, 3)).ToArray();
        DataSplit Split(int rows)
        {
            var labels = Enumerable.Range(0, rows).Select(r => r % classes).ToArray();
            return new(rows, [.. labels.SelectMany(l => centres[l].Select(c => (float)(c + generator.Symmetric(1.5))))], labels, []);
        }
        return new(new(features, TargetKind.Classes, classes, train, validation, test),
            Split(train), validation > 0 ? Split(validation) : null, test > 0 ? Split(test) : null);
    }

    /// <summary>y = 2 x1 - x2 + 0.5 x1 x2.</summary>
    public static TrainingData Numbers(int train = 200, int validation = 50, int test = 60)
    {
        var generator = new SplitMix64(78);
        DataSplit Split(int rows)
        {
            var x = Enumerable.Range(0, rows).Select(_ => generator.Symmetric(2, 1)).ToArray();
            return new(rows, [.. x.SelectMany(r => r).Select(v => (float)v)], [],
                [.. x.Select(r => (float)(2 * r[0] - r[1] + 0.5 * r[0] * r[1]))]);
        }
        return new(new(2, TargetKind.Number, 0, train, validation, test), Split(train), Split(validation), Split(test));
    }

    public static RunPlan Plan(TrainingData data, ModelSpec? model = null,
        TrainingSpec? training = null, DiagnosticsSpec? diagnostics = null)
    {
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(model ?? new() { HiddenLayers = [16, 8] },
            training ?? new() { Epochs = 3, BatchSize = 16 }, diagnostics ?? new(), data.Shape, errors);
        Assert.Empty(errors);
        return plan!;
    }

    /// <param name="prepare">Called with the trainer before it runs, for those who set weights by hand.</param>
    public static FinishedRun Train(RunPlan plan, TrainingData data, Action<Trainer>? prepare = null,
        Action<Trainer, IReadOnlyList<LayerPoint>>? onLayers = null, int threads = 1)
    {
        using var trainer = new Trainer(plan, data, threads);
        prepare?.Invoke(trainer);
        var metrics = new List<MetricPoint>();
        var points = new List<IReadOnlyList<LayerPoint>>();
        trainer.OnMetric = metrics.Add;
        trainer.OnLayers = p =>
        {
            points.Add(p);
            onLayers?.Invoke(trainer, p);
        };
        return new(trainer.Run(TestContext.Current.CancellationToken), metrics, points, trainer.Layers);
    }

    public static FinishedRun Train(TrainingData data, ModelSpec? model = null,
        TrainingSpec? training = null, DiagnosticsSpec? diagnostics = null) =>
        Train(Plan(data, model, training, diagnostics), data);

    /// <summary>All of a result but the times, as text, so that lists are equal if what is in them is.</summary>
    public static string Untimed(TrainingResult result) => JsonSerializer.Serialize(
        result with { Seconds = 0, DiagnosticsSeconds = 0, FastestEpochSeconds = null, SamplesPerSecond = 0 }, GoldenRun.Json);
}
