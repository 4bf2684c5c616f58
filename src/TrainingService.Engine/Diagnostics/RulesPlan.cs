using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Diagnostics;

/// <summary>A checked rule: whether it is applied, and its thresholds, see <see cref="RulesSpec"/>.</summary>
/// <param name="Enabled">Whether it is applied.</param>
public abstract record RulePlan(bool Enabled);

/// <summary>Share of a layer's units that are dead.</summary>
public sealed record DeadUnitsRule(bool Enabled, double Warn, double Error) : RulePlan(Enabled);

/// <summary>
/// Share of a layer's units that are saturated on more than <paramref name="Rows"/> of the rows, and of its entries that are.
/// </summary>
public sealed record SaturatedActivationsRule(bool Enabled, double Warn, double Rows, double Entries) : RulePlan(Enabled);

/// <summary>log10 of the gradient flow, while the first layer's gradient is below <paramref name="FirstLayerRms"/>.</summary>
public sealed record VanishingGradientRule(bool Enabled, double Warn, double FirstLayerRms) : RulePlan(Enabled);

/// <summary>log10 of the gradient flow.</summary>
public sealed record ExplodingGradientRule(bool Enabled, double Warn) : RulePlan(Enabled);

/// <summary>Ratio of variances between layers.</summary>
public sealed record PoorInitializationRule(bool Enabled, double Warn) : RulePlan(Enabled);

/// <summary>Relative fall of the loss over <paramref name="Evaluations"/> points.</summary>
public sealed record LossNotDecreasingRule(bool Enabled, double Warn, int Evaluations) : RulePlan(Enabled);

/// <summary>How far the first loss is above that of guessing, as a share of it.</summary>
public sealed record InitialLossRule(bool Enabled, double Warn) : RulePlan(Enabled)
{
    /// <summary>Three times the loss of guessing.</summary>
    public const double StandardWarn = 2;
}

/// <summary>log10 of norm(dW)/norm(W), at <paramref name="Evaluations"/> points in a row.</summary>
public sealed record UpdateRatioRule(bool Enabled, double Min, double Max, int Evaluations) : RulePlan(Enabled);

/// <summary>Training less validation accuracy, and the rise of the validation loss over its least as a share of that.</summary>
public sealed record OverfitRule(bool Enabled, double Warn, double Rise) : RulePlan(Enabled);

/// <summary>Sparsity of a layer that dropout follows.</summary>
public sealed record DropoutRedundantRule(bool Enabled, double Info) : RulePlan(Enabled);

/// <summary>Ratio of the features' scales, and the range of the inputs' root mean square.</summary>
public sealed record UnscaledFeaturesRule(bool Enabled, double Warn, double Min, double Max) : RulePlan(Enabled);

/// <summary>A number that is not finite.</summary>
public sealed record DivergedRule(bool Enabled) : RulePlan(Enabled);

/// <summary>All rules, checked.</summary>
public sealed record RulesPlan(DeadUnitsRule DeadUnits,
    SaturatedActivationsRule SaturatedActivations, VanishingGradientRule VanishingGradient,
    ExplodingGradientRule ExplodingGradient, PoorInitializationRule PoorInitialization, LossNotDecreasingRule LossNotDecreasing,
    InitialLossRule InitialLoss, UpdateRatioRule UpdateRatio, OverfitRule Overfit,
    DropoutRedundantRule DropoutRedundant, UnscaledFeaturesRule UnscaledFeatures, DivergedRule Diverged)
{
    /// <summary>Most points in a row that a rule can look at.</summary>
    public const int MostEvaluations = 1000;

    private static readonly FlagParameter Enabled = new("enabled", true, "Whether the rule is applied.");
    private static readonly NumberParameter Error = new("error", 0.5, Bounds.Positive, "Share of a layer's units."),
        Rows = new("rows", 0.99, Bounds.Share, "Share of the rows."),
        Entries = new("entries", 0.8, Bounds.Positive, "Share of the layer's entries."),
        Rise = new("rise", 0.25, Bounds.Positive, "Share of the least validation loss."),
        FirstLayerRms = new("firstLayerRms", 1e-4, Bounds.Positive, "Root mean square of dC/dz of the first layer."),
        Warn = new("warn", 0, Bounds.Positive, "From where on there is a warning."),
        WarnLog = new("warn", 0, Bounds.Finite, Warn.Description),
        Min = new("min", -4, Bounds.Finite, "log10."), Max = new("max", -1, Bounds.Finite, "log10."),
        LeastRms = new("min", 0.1, Bounds.NonNegative, "Root mean square."),
        MostRms = new("max", 10, Bounds.Positive, "Root mean square."),
        Info = new("info", 0.7, Bounds.Positive, "Share of the layer's outputs.");
    private static readonly CountParameter Evaluations = new("evaluations", 10, Bounds.Between(1, MostEvaluations), "Points in a row.");

    /// <summary>Which thresholds each rule has, with default and range.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<ParameterInfo>> Parameters { get; } =
        new Dictionary<string, IReadOnlyList<ParameterInfo>>
        {
            ["dead_units"] = [Enabled, Warn with { Default = 0.1 }, Error],
            ["saturated_activations"] = [Enabled, Warn with { Default = 0.5 }, Rows, Entries],
            ["vanishing_gradient"] = [Enabled, WarnLog with { Default = -2.0 }, FirstLayerRms],
            ["exploding_gradient"] = [Enabled, WarnLog with { Default = 2.0 }],
            ["poor_initialization"] = [Enabled, Warn with { Default = 10.0 }],
            ["loss_not_decreasing"] = [Enabled, Warn with { Default = 0.001 }, Evaluations],
            ["initial_loss"] = [Enabled, Warn with { Default = InitialLossRule.StandardWarn }],
            ["update_ratio"] = [Enabled, Min, Max, Evaluations with { Default = 3 }],
            ["overfit"] = [Enabled, Warn with { Default = 0.1 }, Rise],
            ["dropout_redundant"] = [Enabled, Info],
            ["unscaled_features"] = [Enabled, Warn with { Default = 10.0 }, LeastRms, MostRms],
            ["diverged"] = [Enabled],
        };

    /// <summary>The stored and shown form.</summary>
    public RulesSpec Spec => new()
    {
        DeadUnits = new() { Enabled = DeadUnits.Enabled, Warn = DeadUnits.Warn, Error = DeadUnits.Error },
        SaturatedActivations = new()
        {
            Enabled = SaturatedActivations.Enabled,
            Warn = SaturatedActivations.Warn,
            Rows = SaturatedActivations.Rows,
            Entries = SaturatedActivations.Entries,
        },
        VanishingGradient = new()
        {
            Enabled = VanishingGradient.Enabled,
            Warn = VanishingGradient.Warn,
            FirstLayerRms = VanishingGradient.FirstLayerRms,
        },
        ExplodingGradient = new() { Enabled = ExplodingGradient.Enabled, Warn = ExplodingGradient.Warn },
        PoorInitialization = new() { Enabled = PoorInitialization.Enabled, Warn = PoorInitialization.Warn },
        LossNotDecreasing =
            new() { Enabled = LossNotDecreasing.Enabled, Warn = LossNotDecreasing.Warn, Evaluations = LossNotDecreasing.Evaluations },
        InitialLoss = new() { Enabled = InitialLoss.Enabled, Warn = InitialLoss.Warn },
        UpdateRatio =
            new() { Enabled = UpdateRatio.Enabled, Min = UpdateRatio.Min, Max = UpdateRatio.Max, Evaluations = UpdateRatio.Evaluations },
        Overfit = new() { Enabled = Overfit.Enabled, Warn = Overfit.Warn, Rise = Overfit.Rise },
        DropoutRedundant = new() { Enabled = DropoutRedundant.Enabled, Info = DropoutRedundant.Info },
        UnscaledFeatures = new()
        {
            Enabled = UnscaledFeatures.Enabled,
            Warn = UnscaledFeatures.Warn,
            Min = UnscaledFeatures.Min,
            Max = UnscaledFeatures.Max,
        },
        Diverged = new() { Enabled = Diverged.Enabled },
    };

    /// <summary>
    /// Checks the thresholds and fills in the defaults; adds an error for every broken rule and answers null if there was any.
    /// </summary>
    internal static RulesPlan? Resolve(RulesSpec? rules, string pointer, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var read = new Dictionary<string, ParameterValues>();
        foreach (var field in Fields.Of(typeof(RulesSpec)))
        {
            var given = rules is null ? null : (RuleSpec?)field.Property.GetValue(rules);
            if (ParameterValues.Read($"rule '{field.Name}'", Parameters[field.Name],
                given, $"{pointer}/{field.Name}", errors) is { } values)
                read[field.Name] = values;
        }
        return errors.Count > before ? null : new(
            Rule("dead_units", p => new DeadUnitsRule(p[Enabled], p[Warn], p[Error])),
            Rule("saturated_activations", p => new SaturatedActivationsRule(p[Enabled], p[Warn], p[Rows], p[Entries])),
            Rule("vanishing_gradient", p => new VanishingGradientRule(p[Enabled], p[Warn], p[FirstLayerRms])),
            Rule("exploding_gradient", p => new ExplodingGradientRule(p[Enabled], p[Warn])),
            Rule("poor_initialization", p => new PoorInitializationRule(p[Enabled], p[Warn])),
            Rule("loss_not_decreasing", p => new LossNotDecreasingRule(p[Enabled], p[Warn], p[Evaluations])),
            Rule("initial_loss", p => new InitialLossRule(p[Enabled], p[Warn])),
            Rule("update_ratio", p => new UpdateRatioRule(p[Enabled], p[Min], p[Max], p[Evaluations])),
            Rule("overfit", p => new OverfitRule(p[Enabled], p[Warn], p[Rise])),
            Rule("dropout_redundant", p => new DropoutRedundantRule(p[Enabled], p[Info])),
            Rule("unscaled_features", p => new UnscaledFeaturesRule(p[Enabled], p[Warn], p[LeastRms], p[MostRms])),
            Rule("diverged", p => new DivergedRule(p[Enabled])));

        T Rule<T>(string name, Func<ParameterValues, T> make) => make(read[name]);
    }
}
