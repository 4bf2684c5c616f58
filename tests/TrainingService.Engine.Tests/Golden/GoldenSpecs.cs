using TrainingService.Engine.Activations;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>Golden runs as a user would order them.</summary>
public static class GoldenSpecs
{
    public static ActivationSpec Activation(GoldenFunction f) => f.Name switch
    {
        "leaky_relu" => new() { Name = f.Name, NegativeSlope = f.NegativeSlope },
        "prelu" => new() { Name = f.Name, Init = f.Init, Shared = f.PerUnit != true },
        "elu" => new() { Name = f.Name, Alpha = f.Alpha },
        "gelu" => new() { Name = f.Name, Approximate = f.Approximate },
        "softplus" => new() { Name = f.Name, Beta = f.Beta, Threshold = f.Threshold },
        _ => new() { Name = f.Name },
    };

    public static OptimizerSpec Optimizer(GoldenOptimizer o) => o.Name switch
    {
        "sgd" => new() { Name = o.Name, LearningRate = o.LearningRate, Momentum = o.Momentum, Nesterov = o.Nesterov, WeightDecay = o.WeightDecay },
        "adam" => new() { Name = o.Name, LearningRate = o.LearningRate, Beta1 = o.Beta1, Beta2 = o.Beta2, Epsilon = o.Epsilon, WeightDecay = o.WeightDecay },
        _ => new() { Name = o.Name, LearningRate = o.LearningRate },
    };

    public static TrainingSpec Training(GoldenTrajectory golden) => new()
    {
        Epochs = golden.Steps / golden.Batches,
        BatchSize = golden.BatchSize,
        Optimizer = Optimizer(golden.Optimizer),
        Loss = golden.Loss.Name,
        LabelSmoothing = golden.Loss.LabelSmoothing,
        ActivityL1 = golden.ActivityL1,
        ClipNorm = golden.ClipNorm,
    };

    /// <summary>The long form without the output layer, which the service adds from the data.</summary>
    public static ModelSpec Model(GoldenTrajectory golden) => new() { Layers = Layers([.. golden.Layers.SkipLast(1)]) };

    public static DataShape Data(GoldenTrajectory golden) => golden.Loss.Name switch
    {
        "cross_entropy" => new(golden.Inputs[0].Length, TargetKind.Classes, golden.Layers[^1].Out, golden.Inputs.Length, 0, 0),
        "binary_cross_entropy" => new(golden.Inputs[0].Length, TargetKind.Classes, 2, golden.Inputs.Length, 0, 0),
        _ => new(golden.Inputs[0].Length, TargetKind.Number, 0, golden.Inputs.Length, 0, 0, golden.Layers[^1].Out),
    };

    private static List<LayerSpec> Layers(IReadOnlyList<GoldenLayer> layers)
    {
        var result = new List<LayerSpec>();
        foreach (var layer in layers)
        {
            var dense = result.FindLastIndex(l => l.Type == "dense");
            if (layer.Type == "activation")
                result[dense] = result[dense] with { Activation = Activation(layer.Function!) };
            else
                result.Add(new() { Type = layer.Type, Units = layer.Type == "dense" ? layer.Out : null, Layers = layer.Layers is { } l ? Layers(l) : null });
        }
        return result;
    }
}
