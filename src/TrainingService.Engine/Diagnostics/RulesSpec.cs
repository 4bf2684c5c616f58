using System.Text.Json.Serialization;

namespace TrainingService.Engine.Diagnostics;

/// <summary>The rules by which a run is judged while it trains, each with its thresholds. What is left out has its default.</summary>
public sealed record RulesSpec
{
    /// <summary>Share of a layer's units that are dead: <c>warn</c> 0.1, <c>error</c> 0.5; all of them is critical.</summary>
    [JsonPropertyName("dead_units")]
    public RuleSpec? DeadUnits { get; init; }

    /// <summary>
    /// Share of a layer's units that are saturated on more than <c>rows</c> (0.99) of the rows: <c>warn</c> 0.5. Bounded activations only.
    /// </summary>
    [JsonPropertyName("saturated_activations")]
    public RuleSpec? SaturatedActivations { get; init; }

    /// <summary>
    /// log10 of norm(dC/dz_1)/norm(dC/dz_L): below <c>warn</c> (-2) while the first layer's gradient is below <c>firstLayerRms</c> (1e-4).
    /// </summary>
    [JsonPropertyName("vanishing_gradient")]
    public RuleSpec? VanishingGradient { get; init; }

    /// <summary>The same log10: above <c>warn</c> (2), or not finite.</summary>
    [JsonPropertyName("exploding_gradient")]
    public RuleSpec? ExplodingGradient { get; init; }

    /// <summary>
    /// Before training: the variance of a layer's activations over that of the layer before it, or the inverse, above <c>warn</c> (10);
    /// or that over all hidden layers where it drifts steadily; or units that start alike.
    /// </summary>
    [JsonPropertyName("poor_initialization")]
    public RuleSpec? PoorInitialization { get; init; }

    /// <summary>Relative fall of the training loss over <c>evaluations</c> (10) metric points: below <c>warn</c> (0.001).</summary>
    [JsonPropertyName("loss_not_decreasing")]
    public RuleSpec? LossNotDecreasing { get; init; }

    /// <summary>
    /// Relative distance of the loss before training from ln K, cross entropy on K classes only: above <c>warn</c> (0.5).
    /// </summary>
    [JsonPropertyName("initial_loss")]
    public RuleSpec? InitialLoss { get; init; }

    /// <summary>
    /// log10 of norm(dW)/norm(W) of a layer outside <c>min</c> (-4) to <c>max</c> (-1) at <c>evaluations</c> (3) evaluations in a row.
    /// </summary>
    [JsonPropertyName("update_ratio")]
    public RuleSpec? UpdateRatio { get; init; }

    /// <summary>(validation loss - training loss) / training loss: above <c>warn</c> (0.1) while the validation loss rises.</summary>
    [JsonPropertyName("overfit")]
    public RuleSpec? Overfit { get; init; }

    /// <summary>Sparsity of a layer that dropout follows: above <c>info</c> (0.7).</summary>
    [JsonPropertyName("dropout_redundant")]
    public RuleSpec? DropoutRedundant { get; init; }

    /// <summary>A loss or weight that is not finite. It ends the run, whether the finding is told or not.</summary>
    [JsonPropertyName("diverged")]
    public RuleSpec? Diverged { get; init; }
}

/// <summary>Thresholds of one rule; it has those that its description names.</summary>
public sealed record RuleSpec
{
    /// <summary>Whether the rule is applied. Default true.</summary>
    public bool? Enabled { get; init; }

    /// <summary>From where on the finding has severity info.</summary>
    public double? Info { get; init; }

    /// <summary>From where on it has severity warning.</summary>
    public double? Warn { get; init; }

    /// <summary>From where on it has severity error.</summary>
    public double? Error { get; init; }

    /// <summary>Share of rows, in [0, 1) (saturated_activations).</summary>
    public double? Rows { get; init; }

    /// <summary>Root mean square of dC/dz of the first layer, above 0 (vanishing_gradient).</summary>
    public double? FirstLayerRms { get; init; }

    /// <summary>Lower end (update_ratio).</summary>
    public double? Min { get; init; }

    /// <summary>Upper end (update_ratio).</summary>
    public double? Max { get; init; }

    /// <summary>How many points in a row, 1 to 1,000 (loss_not_decreasing, update_ratio).</summary>
    public int? Evaluations { get; init; }
}
