using TrainingService.Engine.Activations;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Initializers;

/// <summary>A checked initialiser: which one, and all its parameters.</summary>
public sealed record Initializer
{
    private readonly InitializerKind _kind;
    private readonly ParameterValues _values;

    internal Initializer(InitializerKind kind, ParameterValues values) => (_kind, _values) = (kind, values);

    /// <summary>Canonical name.</summary>
    public string Name => _kind.Info.Name;

    /// <summary>The stored and shown form.</summary>
    public InitializerSpec Spec => _values.WriteTo(new InitializerSpec { Name = Name });

    /// <summary>What draws the bias where that is left open: PyTorch's Linear and rai draw weight and bias alike.</summary>
    internal Initializer StandardBias => _kind.DrawsBias ? this : InitializerRegistry.Standard("zeros");

    /// <summary>Whether it can fill a bias, which has no fans of its own.</summary>
    internal bool FitsBias => _kind.FitsBias;

    /// <summary>Factor on the standard deviation that comes from the activation; null where the formula has none.</summary>
    internal double? ActivationGain(ActivationFunction function) => _kind.ActivationGain?.Invoke(_values, function);

    /// <summary>Mean and variance of what is drawn; what is then <see cref="ScaledOnBatch"/> has another variance.</summary>
    internal (double Mean, double Variance) Moments(Fans fans) => _kind.Moments(_values, fans);

    /// <summary>
    /// Whether the weights are scaled to unit variance of z on one batch: lsuv, and auto in nets of 15 hidden layers or more,
    /// where errors of its gain would add up.
    /// </summary>
    internal bool ScaledOnBatch(int layers) => _kind.ScaledFromLayers <= layers;

    /// <summary>Whether <see cref="FillQuickly"/> is quick with it.</summary>
    internal bool IsQuick => _kind.Formula is not null;

    /// <summary>Floats of scratch memory that a weight needs while it is drawn.</summary>
    internal long Scratch(Fans fans) => _kind.Scratch?.Invoke(fans) ?? 0;

    /// <summary>
    /// As <see cref="Fill"/>, from the same distributions by <see cref="QuickDraw"/> where an initialiser is one: other numbers, sooner.
    /// </summary>
    internal static void FillQuickly(Initializer initializer, Initializer biasInitializer, Fans fans,
        long seed, int index, WeightMatrix weight, WeightMatrix bias, CancellationToken cancellation)
    {
        if (initializer._kind.Formula is not { } weights || biasInitializer._kind.IsMatrix && biasInitializer.Name != "constant")
        {
            Fill(initializer, biasInitializer, fans, seed, index, weight, bias, cancellation);
            return;
        }
        QuickDraw.Fill(weights(initializer._values, fans), weight, Noise.Key(seed, index, 0), cancellation);
        if (biasInitializer._kind.Formula is { } biases)
            QuickDraw.Fill(biases(biasInitializer._values, fans), bias, Noise.Key(~seed, index, 0), cancellation);
        else
            biasInitializer._kind.Fill(biasInitializer._values, fans, weight, bias, new(seed, StreamPurpose.Weights, index), cancellation);
    }

    /// <summary>Draws a layer's weight (out, in), row by row, and its bias (one row) from streams of their own.</summary>
    /// <exception cref="OperationCanceledException">Within a row of numbers, or two vectors made orthogonal.</exception>
    internal static void Fill(Initializer initializer, Initializer biasInitializer, Fans fans,
        long seed, int index, WeightMatrix weight, WeightMatrix bias, CancellationToken cancellation)
    {
        // a bias that belongs to the weight's structure is drawn with the weight's stream, and its matrix is not the weight
        if (biasInitializer._kind.IsMatrix)
            biasInitializer._kind.Fill(biasInitializer._values, fans, weight, bias, new(seed, StreamPurpose.Weights, index), cancellation);
        else
            biasInitializer._kind.Fill(biasInitializer._values, fans, bias, default, new(seed, StreamPurpose.Biases, index), cancellation);
        initializer._kind.Fill(initializer._values, fans, weight, default, new(seed, StreamPurpose.Weights, index), cancellation);
    }
}
