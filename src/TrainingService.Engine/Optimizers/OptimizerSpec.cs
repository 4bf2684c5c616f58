using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Optimizers;

/// <summary>An optimiser with PyTorch's parameter names and defaults.</summary>
[PlainName]
public sealed record OptimizerSpec
{
    /// <summary><c>sgd</c>, <c>adam</c>, <c>adamw</c> or <c>rmsprop</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What a training has that names none.</summary>
    public static OptimizerSpec Default { get; } = new() { Name = "sgd" };

    /// <summary>
    /// Learning rate, above 0. Default 0.05 for sgd (0.01 where the target is a number), 0.001 for adam, adamw and rmsprop.
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>Momentum in [0, 1) (sgd: default 0.9; rmsprop: default 0).</summary>
    public double? Momentum { get; init; }

    /// <summary>Nesterov's momentum (sgd; default false; needs a momentum above 0).</summary>
    public bool? Nesterov { get; init; }

    /// <summary>Added to the gradient of every parameter times the parameter, biases, norms and slopes included, as PyTorch does by
    /// default (see weightDecayExclude); adamw shrinks the parameters by it instead. At least 0; default 0, for adamw 0.01.</summary>
    public double? WeightDecay { get; init; }

    /// <summary>
    /// What the weight decay leaves alone: <c>none</c> (default: it acts on every parameter), or <c>bias_and_norm</c>: biases, gamma and
    /// beta of norms, and learned slopes, so that only weights decay, as PyTorch users have it by two parameter groups.
    /// </summary>
    public string? WeightDecayExclude { get; init; }

    /// <summary>Decay of the first moment in [0, 1) (adam, adamw; default 0.9).</summary>
    public double? Beta1 { get; init; }

    /// <summary>Decay of the second moment in [0, 1) (adam, adamw; default 0.999).</summary>
    public double? Beta2 { get; init; }

    /// <summary>Added to the root of the second moment, above 0 (adam, adamw, rmsprop; default 1e-8).</summary>
    public double? Epsilon { get; init; }

    /// <summary>Decay of the mean square in [0, 1) (rmsprop; default 0.99).</summary>
    public double? Alpha { get; init; }
}
