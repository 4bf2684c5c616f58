using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Layers;

namespace TrainingService.Engine.Training;

/// <summary>What theory knows of a pair in the net: activation and initialiser, activation and dropout.</summary>
/// <param name="Layers">To which it applies: <c>hidden1</c>, ...</param>
/// <param name="Text">One or two sentences.</param>
public sealed record PreflightNote(IReadOnlyList<string> Layers, string Text)
{
    /// <summary>From so many hidden layers on, a variance that isn't stable has left its place.</summary>
    private const int Deep = 15;

    /// <summary>A signal's mean square that is lost or won over all layers of a kind.</summary>
    private const double Much = 10;

    internal static IReadOnlyList<PreflightNote> Of(RunPlan plan)
    {
        var hidden = plan.DenseLayers.Count - 1;
        // the output layer is no activation's
        var walked = Walk(plan.Layers).Where(pair => pair.Layer is null || pair.Layer.Name != "output").ToList();
        var alike = walked.Where(pair => pair is { Layer: not null, Normalized: false }).ToLookup(
            pair => (pair.Layer?.Activation, pair.Layer?.Initializer));
        return [.. walked.SelectMany(pair => Texts(pair, hidden, alike[(pair.Layer?.Activation, pair.Layer?.Initializer)].Count())
                .Select(text => (Layer: pair.Name, Text: text)))
            .GroupBy(note => note.Text, note => note.Layer).Select(group => new PreflightNote([.. group.Distinct()], group.Key))];
    }

    /// <summary>A linear layer with what follows it, or a dropout layer behind an activation.</summary>
    private sealed record Pair(string Name, LinearPlan? Layer, bool Normalized, DropoutPlan? Dropout, string? Behind);

    private static IEnumerable<Pair> Walk(IReadOnlyList<LayerPlan> layers)
    {
        var (name, behind) = ("input", (string?)null);
        for (var i = 0; i < layers.Count; i++)
            switch (layers[i])
            {
                case LinearPlan linear:
                    (name, behind) = (linear.Name, null);
                    yield return new(name, linear, i + 1 < layers.Count && layers[i + 1] is NormPlan, null, null);
                    break;
                case ActivationPlan activation:
                    behind = activation.Function.Name;
                    break;
                case DropoutPlan { Rate: > 0 } dropout:
                    yield return new(name, null, false, dropout, behind);
                    break;
                case ResidualPlan residual:
                    foreach (var pair in Walk(residual.Branch))
                        yield return pair;
                    break;
            }
    }

    private static IEnumerable<string> Texts(Pair pair, int hidden, int alike)
    {
        if (pair.Dropout is { } dropout)
        {
            if (dropout.Alpha && pair.Behind != "selu")
                yield return $"alpha_dropout keeps mean and variance of selu's output alone; behind {pair.Behind ?? "no activation"} it "
                    + "adds "
                    + "values that never occur there: dropout suits it.";
            if (!dropout.Alpha && pair.Behind == "selu")
                yield return "dropout takes away the mean 0 and variance 1 that selu keeps: alpha_dropout suits it.";
            yield break;
        }
        if (pair.Layer is not { } layer || pair.Normalized || layer.Activation == ActivationFunction.Identity)
            yield break;
        var (f, gains) = (layer.Activation, layer.Activation.Gains);
        if (hidden > 1 && ActivationNotes.NoCommonGain(f) is { } apart)
            yield return $"{f.Name}: {apart}";
        var scaled = layer.Initializer.ScaledOnBatch(hidden + 1);
        if (hidden >= Deep && !scaled && ActivationNotes.UnstableFixedPoint(f) is { } unstable)
            yield return $"{f.Name}: {unstable}";
        var (mean, variance) = layer.Initializer.Moments(layer.Fans);
        var gain = Math.Sqrt(variance * layer.Inputs);
        if (scaled || mean != 0 || variance == 0)
            yield break;
        if (f.Name == "selu" && Math.Abs(gain - 1) > 0.05)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"selu normalises itself only with variance 1/fan_in (lecun_normal): {layer.Initializer.Name} draws "
                + $"{gain * gain:G3} times that{(Math.Abs(gain - 0.75) < 0.01 ? ", by PyTorch's gain of 3/4" : "")}.");
        // near a variance of 1, and whatever becomes of it in deep nets
        double forward = gain * gain / (gains.Forward * gains.Forward),
            backward = variance * layer.Units / (gains.Backward * gains.Backward);
        if (Math.Abs(Math.Log(forward)) * alike > Math.Log(Much) && alike > 1)
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{layer.Initializer.Name} with {f.Name} takes a signal of variance 1 to {forward:G3} of its mean square in each "
                + $"of {alike} layers, and a gradient to {backward:G3} of its own on the way back: auto keeps the first at 1.");
    }
}
