using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>One layer to build. Counts are per sample.</summary>
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

    /// <summary>The linear layers in it, in order.</summary>
    public virtual IEnumerable<LinearPlan> Linear => [];

    /// <summary>Whether it computes the same while training: no dropout, no statistics of a batch.</summary>
    public virtual bool TrainsAsItEvaluates => true;

    public abstract Layer Create(Workspace workspace, ref LayerIndices next);
}

/// <summary>z = W x + b.</summary>
/// <param name="Name"><c>hidden1</c>, ..., <c>output</c>.</param>
/// <param name="Inputs">K.</param>
/// <param name="Units">N.</param>
/// <param name="Initializer">Of the weight.</param>
/// <param name="BiasInitializer">Of the bias.</param>
/// <param name="Activation">That follows, if only after a norm; its gain may enter the initialiser.</param>
internal sealed record LinearPlan(string Name, int Inputs, int Units, Initializer Initializer, Initializer BiasInitializer, ActivationFunction Activation)
    : LayerPlan(Units)
{
    public override long Parameters => (long)Inputs * Units + Units;

    public override long PaddedParameters => (long)Layout.Padded(Inputs) * Units + Layout.Padded(Units);

    public override long Multiplies => (long)Inputs * Units;

    public override IEnumerable<LinearPlan> Linear => [this];

    public Fans Fans => new(Inputs, Units, Activation);

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new Layers.Linear(this, workspace, next.Linear++);
}

/// <summary>h = f(z).</summary>
internal sealed record ActivationPlan(int Units, ActivationFunction Function) : LayerPlan(Units)
{
    /// <summary>Learned slopes: none, one or one per unit.</summary>
    public int Slopes => Function.Slope is { } slope ? slope.Shared ? 1 : Units : 0;

    public override long Parameters => Slopes;

    public override long PaddedParameters => Layout.Padded(Slopes);

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new ActivationLayer(this, workspace, next.Noise++);
}

/// <summary>Zeros entries while training; the alpha kind keeps mean and variance for selu.</summary>
internal sealed record DropoutPlan(int Units, double Rate, bool Alpha) : LayerPlan(Units)
{
    public override bool TrainsAsItEvaluates => false;

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new DropoutLayer(this, workspace, next.Noise++);
}

/// <summary>(x - mean) / sqrt(variance + epsilon) * gamma + beta.</summary>
internal abstract record NormPlan(int Units, double Epsilon) : LayerPlan(Units)
{
    public override long Parameters => 2L * Units;

    public override long PaddedParameters => 2L * Layout.Padded(Units);
}

/// <summary>Over the batch.</summary>
internal sealed record BatchNormPlan(int Units, double Epsilon, double Momentum) : NormPlan(Units, Epsilon)
{
    public override bool TrainsAsItEvaluates => false;

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new BatchNorm(this, workspace);
}

/// <summary>Over the sample's units.</summary>
internal sealed record LayerNormPlan(int Units, double Epsilon) : NormPlan(Units, Epsilon)
{
    public override Layer Create(Workspace workspace, ref LayerIndices next) => new LayerNorm(this, workspace);
}

/// <summary>x + branch(x).</summary>
internal sealed record ResidualPlan(int Units, IReadOnlyList<LayerPlan> Branch) : LayerPlan(Units)
{
    public override long Parameters => Branch.Sum(l => l.Parameters);

    public override long PaddedParameters => Branch.Sum(l => l.PaddedParameters);

    public override long Multiplies => Branch.Sum(l => l.Multiplies);

    // the sum and, on the way back, the gradient of the straight way
    public override long Kept => 2L * Units + Branch.Sum(l => l.Kept);

    public override IEnumerable<LinearPlan> Linear => Branch.SelectMany(l => l.Linear);

    public override bool TrainsAsItEvaluates => Branch.All(l => l.TrainsAsItEvaluates);

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new Residual(this, workspace, ref next);
}
