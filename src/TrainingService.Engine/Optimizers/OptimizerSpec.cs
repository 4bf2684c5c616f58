namespace TrainingService.Engine.Optimizers;

/// <summary>An optimiser with PyTorch's parameter names and defaults.</summary>
public sealed record OptimizerSpec
{
    /// <summary><c>sgd</c> or <c>adam</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Learning rate, above 0. Default 0.05 for sgd, 0.001 for adam.</summary>
    public double? LearningRate { get; init; }

    /// <summary>Momentum in [0, 1) (sgd; default 0.9).</summary>
    public double? Momentum { get; init; }

    /// <summary>Nesterov's momentum (sgd; default false; needs a momentum above 0).</summary>
    public bool? Nesterov { get; init; }

    /// <summary>L2 penalty added to the gradient of every parameter, biases and slopes included, as PyTorch does by default. At least 0; default 0.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>Decay of the first moment in [0, 1) (adam; default 0.9).</summary>
    public double? Beta1 { get; init; }

    /// <summary>Decay of the second moment in [0, 1) (adam; default 0.999).</summary>
    public double? Beta2 { get; init; }

    /// <summary>Added to the root of the second moment, above 0 (adam; default 1e-8).</summary>
    public double? Epsilon { get; init; }
}
