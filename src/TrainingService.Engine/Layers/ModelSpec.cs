using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Layers;

/// <summary>
/// The network between the features and the output layer, which is added from the data's target.
/// Either <see cref="HiddenLayers"/> with one activation and initialiser for all (the short form), or <see cref="Layers"/> (the long form).
/// </summary>
public sealed record ModelSpec
{
    internal const int MaxLayers = 1_000;

    /// <summary>
    /// Units of each hidden dense layer, from the input on. Default [256, 128]. An empty list is an error; excludes <see cref="Layers"/>.
    /// </summary>
    [Items(1, MaxLayers, Least = 1, Most = LayerSpec.MaxUnits, Default = new[] { 256, 128 })]
    public IReadOnlyList<int>? HiddenLayers { get; init; }

    /// <summary>The long form, in order; excludes <see cref="HiddenLayers"/>.</summary>
    [Items(1, MaxLayers)]
    public IReadOnlyList<LayerSpec>? Layers { get; init; }

    /// <summary>Activation of every hidden layer that doesn't name its own. Default relu.</summary>
    public ActivationSpec? Activation { get; init; }

    /// <summary>Weight initialiser of every layer that doesn't name its own, the output layer included. Default kaiming_normal.</summary>
    public InitializerSpec? Initializer { get; init; }

    /// <summary>Bias initialiser of every layer that doesn't name its own, the output layer included. Default zeros.</summary>
    public InitializerSpec? BiasInitializer { get; init; }

    /// <summary>
    /// Probability in [0, 1) of zeroing a hidden unit's output while training, after every hidden layer of the short form.
    /// Default 0; selu layers get alpha dropout.
    /// </summary>
    [Share(Default = 0.0)]
    public double? Dropout { get; init; }

    /// <summary>
    /// <c>none</c> (default), <c>batch_norm</c> or <c>layer_norm</c> between every hidden layer of the short form and its activation.
    /// </summary>
    [OneOf(ShortForm.NoNorm, ShortForm.BatchNorm, ShortForm.LayerNorm, Default = ShortForm.NoNorm)]
    public string? Normalization { get; init; }
}

/// <summary>One entry of the long form.</summary>
public sealed record LayerSpec
{
    internal const int MaxUnits = 65_536;

    internal static readonly WithinAttribute UnitsRule = new(1, MaxUnits);

    /// <summary>What <see cref="Type"/> may be.</summary>
    public static IReadOnlyList<string> Types { get; } = [.. LayerKind.All.Select(k => k.Type)];

    /// <summary>
    /// <c>dense</c>, <c>activation</c> (one more activation, as behind a norm: give the dense layer before it the activation identity),
    /// <c>dropout</c>, <c>alpha_dropout</c>, <c>batch_norm</c>, <c>layer_norm</c> or <c>residual</c> (x + layers(x)).
    /// </summary>
    public required string Type { get; init; }

    /// <summary>Number of units (dense).</summary>
    [Within(1, MaxUnits)]
    public int? Units { get; init; }

    /// <summary>Activation (dense, activation); the model's if left out.</summary>
    public ActivationSpec? Activation { get; init; }

    /// <summary>Weight initialiser (dense); the model's if left out.</summary>
    public InitializerSpec? Initializer { get; init; }

    /// <summary>Bias initialiser (dense); the model's if left out.</summary>
    public InitializerSpec? BiasInitializer { get; init; }

    /// <summary>Probability in [0, 1) of dropping an entry while training (dropout, alpha_dropout).</summary>
    [Share]
    public double? Rate { get; init; }

    /// <summary>Added to the variance, above 0 (batch_norm, layer_norm; default 1e-5).</summary>
    [Positive]
    public double? Epsilon { get; init; }

    /// <summary>Weight of the newest batch in the running statistics, in (0, 1] (batch_norm; default 0.1).</summary>
    [Rate]
    public double? Momentum { get; init; }

    /// <summary>The branch (residual); its output must have as many units as its input.</summary>
    [Items(1, ModelSpec.MaxLayers)]
    public IReadOnlyList<LayerSpec>? Layers { get; init; }
}
