using TrainingService.Engine.Prediction;

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

    /// <summary>What mean-field theory makes of a signal; leaves behind how a gradient comes back.</summary>
    public abstract PreflightSignal Predict(PreflightWalk walk, PreflightSignal x);

    public abstract Layer Create(Workspace workspace, ref LayerIndices next);
}
