using TrainingService.Engine.Activations;
using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>One layer to build. Counts are per sample.</summary>
/// <param name="Units">Outputs.</param>
internal abstract record LayerPlan(int Units)
{
    /// <summary>Trainable numbers.</summary>
    public virtual long Parameters => 0;

    /// <summary>Trainable numbers of matrices as they lie in memory.</summary>
    public virtual long PaddedMatrices => 0;

    /// <summary>Trainable numbers of vectors as they lie in memory.</summary>
    public virtual long PaddedVectors => 0;

    /// <summary>Multiply-adds of the forward product.</summary>
    public virtual long Multiplies => 0;

    /// <summary>Numbers that the layer keeps of each sample.</summary>
    public virtual long Kept => Units;

    /// <summary>Numbers that it keeps beside those.</summary>
    public virtual long Own => 0;

    /// <summary>Numbers that training changes beside the parameters, and that an evaluation needs.</summary>
    public virtual long Running => 0;

    /// <summary>Numbers that are needed only while the layer is built.</summary>
    public virtual long Scratch => 0;

    /// <summary>The layers in it, in the order in which they are built, itself among them.</summary>
    public virtual IEnumerable<LayerPlan> Flat => [this];

    /// <summary>The linear layers in it, in order.</summary>
    public virtual IEnumerable<LinearPlan> Linear => [];

    /// <summary>
    /// The same with the weights that fit its activation, or where it has none <paramref name="model"/>'s, and biases of 0.
    /// </summary>
    public virtual LayerPlan WithUsualWeights(ActivationFunction model) => this;

    /// <summary>Whether it computes the same while training: no dropout, no statistics of a batch.</summary>
    public virtual bool TrainsAsItEvaluates => true;

    /// <summary>What mean-field theory makes of a signal; leaves behind how a gradient comes back.</summary>
    public abstract PreflightSignal Predict(PreflightWalk walk, PreflightSignal x);

    /// <summary>The same with weights of 0, for a net whose numbers are given: drawing them can take minutes.</summary>
    public virtual LayerPlan Undrawn => this;

    /// <summary>What it does when it evaluates.</summary>
    /// <param name="place">Which the names of its tensors begin with: <c>3.</c></param>
    /// <param name="tensors">Its own come next.</param>
    public abstract NetStep Step(string place, StoredTensors tensors);

    public abstract Layer Create(Workspace workspace, ref LayerIndices next);
}
