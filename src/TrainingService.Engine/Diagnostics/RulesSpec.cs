using System.Text.Json.Serialization;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Diagnostics;

/// <summary>The rules by which a run is judged while it trains, each with its thresholds. What is left out has its default.</summary>
public sealed record RulesSpec
{
    /// <summary>Share of a layer's units that are dead: <c>warn</c> 0.1, <c>error</c> 0.5; all of them is critical.</summary>
    [JsonPropertyName("dead_units")]
    public RuleSpec? DeadUnits { get; init; }

    /// <summary>Share of a layer's units that are saturated on more than <c>rows</c> (0.99) of the rows: <c>warn</c> 0.5. Bounded activations only.</summary>
    [JsonPropertyName("saturated_activations")]
    public RuleSpec? SaturatedActivations { get; init; }

    /// <summary>log10 of norm(dC/dz_1)/norm(dC/dz_L): below <c>warn</c> (-2) while the first layer's gradient is below <c>firstLayerRms</c> (1e-4).</summary>
    [JsonPropertyName("vanishing_gradient")]
    public RuleSpec? VanishingGradient { get; init; }

    /// <summary>The same log10: above <c>warn</c> (2), or not finite.</summary>
    [JsonPropertyName("exploding_gradient")]
    public RuleSpec? ExplodingGradient { get; init; }

    /// <summary>
    /// Before training: the variance of a layer's activations over that of the layer before it, or the inverse, above <c>warn</c> (10); or that over all hidden
    /// layers where it drifts steadily; or units that start alike.
    /// </summary>
    [JsonPropertyName("poor_initialization")]
    public RuleSpec? PoorInitialization { get; init; }

    /// <summary>Relative fall of the training loss over <c>evaluations</c> (10) metric points: below <c>warn</c> (0.001).</summary>
    [JsonPropertyName("loss_not_decreasing")]
    public RuleSpec? LossNotDecreasing { get; init; }

    /// <summary>Relative distance of the loss before training from ln K, cross entropy on K classes only: above <c>warn</c> (0.5).</summary>
    [JsonPropertyName("initial_loss")]
    public RuleSpec? InitialLoss { get; init; }

    /// <summary>log10 of norm(dW)/norm(W) of a layer outside <c>min</c> (-4) to <c>max</c> (-1) at <c>evaluations</c> (3) evaluations in a row.</summary>
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

    /// <summary>Most points in a row that a rule can look at.</summary>
    public const int MostEvaluations = 1000;

    /// <summary>Which thresholds each rule has, with default and range.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<ParameterInfo>> Parameters { get; } = new Dictionary<string, IReadOnlyList<ParameterInfo>>
    {
        ["dead_units"] = [Enabled, Warn(0.1), new("error", 0.5, "> 0", "Share of a layer's units.")],
        ["saturated_activations"] = [Enabled, Warn(0.5), new("rows", 0.99, "[0, 1)", "Share of the rows.")],
        ["vanishing_gradient"] = [Enabled, Warn(-2, "finite"), new("firstLayerRms", 1e-4, "> 0", "Root mean square of dC/dz of the first layer.")],
        ["exploding_gradient"] = [Enabled, Warn(2, "finite")],
        ["poor_initialization"] = [Enabled, Warn(10)],
        ["loss_not_decreasing"] = [Enabled, Warn(0.001), Evaluations(10)],
        ["initial_loss"] = [Enabled, Warn(0.5)],
        ["update_ratio"] = [Enabled, new("min", -4.0, "finite", "log10."), new("max", -1.0, "finite", "log10."), Evaluations(3)],
        ["overfit"] = [Enabled, Warn(0.1)],
        ["dropout_redundant"] = [Enabled, new("info", 0.7, "> 0", "Share of the layer's outputs.")],
        ["diverged"] = [Enabled],
    };

    /// <summary>Checks the thresholds and fills in the defaults; adds an error for every broken rule.</summary>
    internal static RulesSpec Resolve(RulesSpec? rules, string pointer, ICollection<SpecError> errors)
    {
        rules ??= new();
        return new()
        {
            DeadUnits = Rule("dead_units", rules.DeadUnits),
            SaturatedActivations = Rule("saturated_activations", rules.SaturatedActivations),
            VanishingGradient = Rule("vanishing_gradient", rules.VanishingGradient),
            ExplodingGradient = Rule("exploding_gradient", rules.ExplodingGradient),
            PoorInitialization = Rule("poor_initialization", rules.PoorInitialization),
            LossNotDecreasing = Rule("loss_not_decreasing", rules.LossNotDecreasing),
            InitialLoss = Rule("initial_loss", rules.InitialLoss),
            UpdateRatio = Rule("update_ratio", rules.UpdateRatio),
            Overfit = Rule("overfit", rules.Overfit),
            DropoutRedundant = Rule("dropout_redundant", rules.DropoutRedundant),
            Diverged = Rule("diverged", rules.Diverged),
        };

        RuleSpec Rule(string name, RuleSpec? given)
        {
            if (given?.Evaluations > MostEvaluations)
                errors.Add(new($"{pointer}/{name}/evaluations", $"evaluations must be at most {MostEvaluations}, not {given.Evaluations}"));
            var reader = new ParameterReader($"rule '{name}'", Parameters[name], $"{pointer}/{name}", errors);
            return new()
            {
                Enabled = reader.Read("enabled", given?.Enabled),
                Info = reader.Read("info", given?.Info),
                Warn = reader.Read("warn", given?.Warn),
                Error = reader.Read("error", given?.Error),
                Rows = reader.Read("rows", given?.Rows),
                FirstLayerRms = reader.Read("firstLayerRms", given?.FirstLayerRms),
                Min = reader.Read("min", given?.Min),
                Max = reader.Read("max", given?.Max),
                Evaluations = (int?)reader.Read("evaluations", (double?)given?.Evaluations),
            };
        }
    }

    private static ParameterInfo Enabled => new("enabled", true, "true | false", "Whether the rule is applied.");

    private static ParameterInfo Warn(double standard, string range = "> 0") => new("warn", standard, range, "From where on there is a warning.");

    private static ParameterInfo Evaluations(double standard) => new("evaluations", standard, "> 0", "Points in a row.");
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
