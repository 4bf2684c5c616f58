using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Findings;

/// <summary>A rule: its name in requests and answers, its thresholds, and what it says of a run when something new was measured.</summary>
/// <param name="Name">snake_case.</param>
/// <param name="Looks">When it is asked.</param>
/// <param name="Enabled">Whether it is applied.</param>
/// <param name="Find">What it finds by now.</param>
public sealed record Rule(string Name, Moment Looks, Func<RulesPlan, bool> Enabled, Func<Course, IEnumerable<Found>> Find)
{
    public static IReadOnlyList<Rule> All { get; } =
    [
        Of("dead_units", r => r.DeadUnits, Moment.Layers, UnitRules.Dead),
        Of("saturated_activations", r => r.SaturatedActivations, Moment.Layers, UnitRules.Saturated),
        Of("dropout_redundant", r => r.DropoutRedundant, Moment.Layers, UnitRules.DropoutRedundant),
        Of("vanishing_gradient", r => r.VanishingGradient, Moment.Layers, GradientRules.Vanishing),
        Of("exploding_gradient", r => r.ExplodingGradient, Moment.Layers, GradientRules.Exploding),
        Of("update_ratio", r => r.UpdateRatio, Moment.Layers, GradientRules.UpdateRatio),
        Of("poor_initialization", r => r.PoorInitialization, Moment.Layers, PoorInitialization.Find),
        Of("initial_loss", r => r.InitialLoss, Moment.Metrics, LossRules.Initial),
        Of("loss_not_decreasing", r => r.LossNotDecreasing, Moment.Metrics | Moment.End, LossRules.NotDecreasing),
        Of("overfit", r => r.Overfit, Moment.Metrics | Moment.End, LossRules.Overfit),
        Of("unscaled_features", r => r.UnscaledFeatures, Moment.Layers, InputRules.Unscaled),
        Of("diverged", r => r.Diverged, Moment.End, LossRules.Diverged),
    ];

    private static Rule Of<T>(string name, Func<RulesPlan, T> thresholds, Moment looks, Func<Course, T, IEnumerable<Found>> find)
        where T : RulePlan =>
        new(name, looks, rules => thresholds(rules).Enabled, course => find(course, thresholds(course.Rules)));
}

/// <summary>What has just been measured.</summary>
[Flags]
public enum Moment
{
    None = 0,

    /// <summary>All layers.</summary>
    Layers = 1,

    /// <summary>Losses of one split.</summary>
    Metrics = 2,

    /// <summary>The result.</summary>
    End = 4,
}

/// <summary>What a rule found now.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Layer">Where; null for the whole run.</param>
/// <param name="Step">When.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Threshold">What it crossed.</param>
/// <param name="Badness">To tell the worst of several; larger is worse.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Symptom">By which <see cref="Suspects"/> finds what may be to blame.</param>
public sealed record Found(Severity Severity, string? Layer, long Step, double Value, double? Threshold, double Badness, string Message,
    Symptom Symptom)
{
    /// <summary>Where crossing the threshold upwards is bad.</summary>
    public static Found Above(Severity severity, string? layer, long step, double value, double threshold, string message,
        Symptom symptom) =>
        new(severity, layer, step, value, threshold, double.IsNaN(value) ? double.PositiveInfinity : value, message, symptom);

    /// <summary>Where crossing it downwards is.</summary>
    public static Found Below(Severity severity, string? layer, long step, double value, double threshold, string message,
        Symptom symptom) =>
        Above(severity, layer, step, value, threshold, message, symptom) with
        {
            Badness = double.IsNaN(value) ? double.PositiveInfinity : -value,
        };
}
