using System.Text.Json.Serialization;

namespace TrainingService.Engine.Diagnostics;

/// <summary>The rules by which a run is judged while it trains, each with its thresholds. What is left out has its default.</summary>
public sealed record RulesSpec
{
    /// <summary>Share of a layer's units that are dead: <c>warn</c> 0.1, <c>error</c> 0.5; all of them is critical.</summary>
    [JsonPropertyName("dead_units")]
    public RuleSpec? DeadUnits { get; init; }

    /// <summary>
    /// Share of a layer's units that are saturated on more than <c>rows</c> (0.99) of the rows: above <c>warn</c> (0.5); or share of its
    /// entries that are: above <c>entries</c> (0.8). Bounded activations only; a unit that is off is not saturated.
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

    /// <summary>
    /// Relative fall of the training loss over <c>evaluations</c> (10) metric points: below <c>warn</c> (0.001); and however short the run,
    /// that of the last loss below the first, or below what the best constant output would have.
    /// </summary>
    [JsonPropertyName("loss_not_decreasing")]
    public RuleSpec? LossNotDecreasing { get; init; }

    /// <summary>
    /// How far the loss before training is above that of guessing (ln K on K classes, for numbers the target's variance), as a share of
    /// that: above <c>warn</c> (2, so three times as large), and unless that is set lower, above the largest of 50 nets of this shape that
    /// begin as they should.
    /// </summary>
    [JsonPropertyName("initial_loss")]
    public RuleSpec? InitialLoss { get; init; }

    /// <summary>
    /// log10 of norm(dW)/norm(W) of a layer outside <c>min</c> (-4) to <c>max</c> (-1) at <c>evaluations</c> (3) evaluations in a row.
    /// </summary>
    [JsonPropertyName("update_ratio")]
    public RuleSpec? UpdateRatio { get; init; }

    /// <summary>
    /// The validation loss is above its least by more than this share of it, <c>rise</c> (0.25), while the training loss fell; or the
    /// training accuracy is above the validation accuracy by more than <c>warn</c> (0.1) at the end. Beyond the noise of so many rows, and
    /// only of a run that learns.
    /// </summary>
    [JsonPropertyName("overfit")]
    public RuleSpec? Overfit { get; init; }

    /// <summary>Sparsity of a layer that dropout follows: above <c>info</c> (0.7).</summary>
    [JsonPropertyName("dropout_redundant")]
    public RuleSpec? DropoutRedundant { get; init; }

    /// <summary>
    /// Largest over smallest root mean square of a feature: above <c>warn</c> (10), images left out; or root mean square of all inputs
    /// outside <c>min</c> (0.1) to <c>max</c> (10).
    /// </summary>
    [JsonPropertyName("unscaled_features")]
    public RuleSpec? UnscaledFeatures { get; init; }

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

    /// <summary>Share of a layer's entries, above 0 (saturated_activations).</summary>
    public double? Entries { get; init; }

    /// <summary>Share of the least validation loss, above 0 (overfit).</summary>
    public double? Rise { get; init; }

    /// <summary>Root mean square of dC/dz of the first layer, above 0 (vanishing_gradient).</summary>
    public double? FirstLayerRms { get; init; }

    /// <summary>Lower end (update_ratio, unscaled_features).</summary>
    public double? Min { get; init; }

    /// <summary>Upper end (update_ratio, unscaled_features).</summary>
    public double? Max { get; init; }

    /// <summary>How many points in a row, 1 to 1,000 (loss_not_decreasing, update_ratio).</summary>
    public int? Evaluations { get; init; }
}
