using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;

namespace TrainingService.Engine.Layers;

/// <summary>A checked model: see <see cref="ModelSpec"/>.</summary>
/// <param name="Activation">Of every hidden layer that doesn't name its own.</param>
/// <param name="Initializer">Of every layer that doesn't name its own, the output layer included.</param>
/// <param name="BiasInitializer">The same for biases.</param>
/// <param name="Short">As it was asked for in the short form; null for the long form.</param>
/// <param name="Layers">In order; the output layer comes behind them.</param>
public sealed record ModelPlan(ActivationFunction Activation, Initializer Initializer, Initializer BiasInitializer, ShortForm? Short,
    IReadOnlyList<LayerEntry> Layers)
{
    /// <summary>The stored and shown form.</summary>
    public ModelSpec Spec => new()
    {
        HiddenLayers = Short?.HiddenLayers,
        Layers = Short is null ? [.. Layers.Select(e => e.Spec)] : null,
        Activation = Activation.Spec,
        Initializer = Initializer.Spec,
        BiasInitializer = BiasInitializer.Spec,
        Dropout = Short?.Dropout ?? 0,
        Normalization = Short?.Normalization ?? ShortForm.NoNorm,
    };

    /// <summary>What to build, from the input on; the output layer is last.</summary>
    internal IReadOnlyList<LayerPlan> Plan(int features, int outputs)
    {
        var planner = new LayerPlanner(features);
        var plans = planner.Branch(Layers);
        plans.Add(new LinearPlan("output", planner.Units, outputs, Initializer, BiasInitializer, ActivationFunction.Identity));
        return plans;
    }
}

/// <summary>Hidden layers that are all alike.</summary>
/// <param name="HiddenLayers">Units of each.</param>
/// <param name="Dropout">After every one.</param>
/// <param name="Normalization">Between each and its activation.</param>
public sealed record ShortForm(IReadOnlyList<int> HiddenLayers, double Dropout, string Normalization)
{
    internal const string NoNorm = "none", BatchNorm = "batch_norm", LayerNorm = "layer_norm";

    /// <summary>The same in the long form; selu's dropout is the alpha kind.</summary>
    internal IEnumerable<LayerEntry> Entries(ActivationFunction activation, Initializer initializer, Initializer biasInitializer)
    {
        LayerEntry? norm = Normalization switch { BatchNorm => BatchNormEntry.Standard, LayerNorm => LayerNormEntry.Standard, _ => null };
        foreach (var units in HiddenLayers)
        {
            yield return new DenseEntry(units, norm is null ? activation : ActivationFunction.Identity, initializer, biasInitializer);
            if (norm is not null)
            {
                yield return norm;
                yield return new ActivationEntry(activation);
            }
            if (Dropout > 0)
                yield return new DropoutEntry(Dropout, activation.Name == "selu");
        }
    }
}
