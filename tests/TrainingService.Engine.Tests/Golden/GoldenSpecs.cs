using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>Golden runs as a user would order them.</summary>
public static class GoldenSpecs
{
    public static ActivationSpec Activation(GoldenFunction f) => new()
    {
        Name = f.Name,
        NegativeSlope = f.NegativeSlope,
        Init = f.Init,
        Shared = f.PerUnit is { } perUnit ? !perUnit : null,
        Alpha = f.Alpha,
        Min = f.Min,
        Max = f.Max,
        Beta = f.Beta,
        Threshold = f.Threshold,
        Lambda = f.Lambda,
        Lower = f.Lower,
        Upper = f.Upper,
        Approximate = f.Approximate,
    };

    public static OptimizerSpec Optimizer(GoldenOptimizer o)
    {
        OptimizerSpec common =
            new() { Name = o.Name, LearningRate = o.LearningRate, WeightDecay = o.WeightDecay, WeightDecayExclude = "none" };
        return o.Name switch
        {
            "sgd" => common with { Momentum = o.Momentum, Nesterov = o.Nesterov },
            "rmsprop" => common with { Momentum = o.Momentum, Alpha = o.Alpha, Epsilon = o.Epsilon },
            _ => common with { Beta1 = o.Beta1, Beta2 = o.Beta2, Epsilon = o.Epsilon },
        };
    }

    public static ScheduleSpec Schedule(GoldenScheduleSpec s) => new()
    {
        Name = s.Name,
        StepSize = s.StepSize,
        Gamma = s.Gamma,
        TMax = s.TMax,
        EtaMin = s.EtaMin,
        PctStart = s.PctStart,
        DivFactor = s.DivFactor,
        FinalDivFactor = s.FinalDivFactor,
        CycleMomentum = s.CycleMomentum,
        BaseMomentum = s.BaseMomentum,
        MaxMomentum = s.MaxMomentum,
    };

    public static TrainingSpec Training(GoldenTrajectory golden) => new()
    {
        Epochs = golden.Steps / golden.Batches,
        BatchSize = golden.BatchSize,
        Optimizer = Optimizer(golden.Optimizer),
        Loss = golden.Loss.Name,
        LabelSmoothing = golden.Loss.LabelSmoothing,
        HuberDelta = golden.Loss.Name == "huber" ? golden.Loss.Delta : null,
        ActivityL1 = golden.ActivityL1,
        ClipNorm = golden.ClipNorm,
        StandardizeTarget = golden.Loss.Classes ? null : false,
    };

    public static LossPlan Loss(GoldenLoss loss)
    {
        var errors = new List<SpecError>();
        DataShape data = new(1, loss.Classes ? TargetKind.Classes : TargetKind.Number, 2, 1, 0, 0);
        return LossPlan.Resolve(loss.Name, loss.LabelSmoothing, loss.Name == "huber" ? loss.Delta : null, data, "", errors)
            ?? throw new ArgumentException(errors[0].Message);
    }

    public static OptimizerPlan Plan(OptimizerSpec spec)
    {
        var errors = new List<SpecError>();
        return OptimizerPlan.Resolve(spec, "", errors) ?? throw new ArgumentException(errors[0].Message);
    }

    /// <summary>The long form without the output layer, which the service adds from the data.</summary>
    public static ModelSpec Model(GoldenTrajectory golden) => new() { Layers = [.. golden.Layers.SkipLast(1).Select(Layer)] };

    public static DataShape Data(GoldenTrajectory golden) => golden.Loss.Name switch
    {
        "cross_entropy" => new(golden.Inputs[0].Length, TargetKind.Classes, golden.Layers[^1].Out, golden.Inputs.Length, 0, 0),
        "binary_cross_entropy" => new(golden.Inputs[0].Length, TargetKind.Classes, 2, golden.Inputs.Length, 0, 0),
        _ => new(golden.Inputs[0].Length, TargetKind.Number, 0, golden.Inputs.Length, 0, 0, golden.Layers[^1].Out),
    };

    private static LayerSpec Layer(GoldenLayer layer) => layer.Type switch
    {
        "dense" => new() { Type = "dense", Units = layer.Out, Activation = new() { Name = "identity" } },
        "activation" => new() { Type = "activation", Activation = Activation(layer.Function!) },
        "batch_norm" => new() { Type = "batch_norm", Epsilon = layer.Epsilon, Momentum = layer.Momentum },
        "layer_norm" => new() { Type = "layer_norm", Epsilon = layer.Epsilon },
        "residual" => new() { Type = "residual", Layers = [.. layer.Layers!.Select(Layer)] },
        _ => new() { Type = layer.Type, Rate = layer.Rate },
    };
}
