using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>One layer to build, all its specs resolved. Counts are per sample.</summary>
/// <param name="Units">Outputs.</param>
internal abstract record LayerPlan(int Units)
{
    /// <summary>Trainable numbers.</summary>
    public virtual long Parameters => 0;

    /// <summary>Trainable numbers as they lie in memory.</summary>
    public virtual long PaddedParameters => 0;

    /// <summary>Multiply-adds of the forward product.</summary>
    public virtual long Multiplies => 0;

    /// <summary>Numbers that the layer keeps of each sample.</summary>
    public virtual long Kept => Units;
}

/// <summary>z = W x + b.</summary>
/// <param name="Name"><c>hidden1</c>, ..., <c>output</c>.</param>
/// <param name="Inputs">K.</param>
/// <param name="Units">N.</param>
/// <param name="Initializer">Of the weight.</param>
/// <param name="BiasInitializer">Of the bias.</param>
/// <param name="Activation">That follows, if only after a norm; its gain may enter the initialiser.</param>
internal sealed record LinearPlan(string Name, int Inputs, int Units, InitializerSpec Initializer, InitializerSpec BiasInitializer, ActivationSpec Activation) : LayerPlan(Units)
{
    public override long Parameters => (long)Inputs * Units + Units;

    public override long PaddedParameters => (long)Layout.Padded(Inputs) * Units + Layout.Padded(Units);

    public override long Multiplies => (long)Inputs * Units;

    public Fans Fans => new(Inputs, Units, Activation);
}

/// <summary>h = f(z).</summary>
internal sealed record ActivationPlan(int Units, ActivationSpec Spec) : LayerPlan(Units)
{
    /// <summary>Learned slopes: none, one or one per unit.</summary>
    public int Slopes => Spec.Shared switch
    {
        true => 1,
        false => Units,
        null => 0,
    };

    public override long Parameters => Slopes;

    public override long PaddedParameters => Layout.Padded(Slopes);
}

/// <summary>Zeros entries while training; the alpha kind keeps mean and variance for selu.</summary>
internal sealed record DropoutPlan(int Units, double Rate, bool Alpha) : LayerPlan(Units);

/// <summary>(x - mean) / sqrt(variance + epsilon) * gamma + beta, over the batch or over the sample's units.</summary>
internal sealed record NormPlan(int Units, bool Batch, double Epsilon, double Momentum) : LayerPlan(Units)
{
    public override long Parameters => 2L * Units;

    public override long PaddedParameters => 2L * Layout.Padded(Units);
}

/// <summary>x + branch(x).</summary>
internal sealed record ResidualPlan(int Units, IReadOnlyList<LayerPlan> Branch) : LayerPlan(Units)
{
    public override long Parameters => Branch.Sum(l => l.Parameters);

    public override long PaddedParameters => Branch.Sum(l => l.PaddedParameters);

    public override long Multiplies => Branch.Sum(l => l.Multiplies);

    // the sum and, on the way back, the gradient of the straight way
    public override long Kept => 2L * Units + Branch.Sum(l => l.Kept);
}
