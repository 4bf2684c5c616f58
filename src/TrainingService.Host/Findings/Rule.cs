using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

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
        Of("loss_not_decreasing", r => r.LossNotDecreasing, Moment.Metrics, LossRules.NotDecreasing),
        Of("overfit", r => r.Overfit, Moment.Metrics, LossRules.Overfit),
        Of("diverged", r => r.Diverged, Moment.End, LossRules.Diverged),
    ];

    private static Rule Of<T>(string name, Func<RulesPlan, T> thresholds, Moment looks, Func<Course, T, IEnumerable<Found>> find)
        where T : RulePlan =>
        new(name, looks, rules => thresholds(rules).Enabled, course => find(course, thresholds(course.Rules)));
}

/// <summary>What has just been measured.</summary>
public enum Moment
{
    /// <summary>All layers.</summary>
    Layers,

    /// <summary>Losses of one split.</summary>
    Metrics,

    /// <summary>The result.</summary>
    End,
}

/// <summary>What a rule found now.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Layer">Where; null for the whole run.</param>
/// <param name="Step">When.</param>
/// <param name="Value">What was measured.</param>
/// <param name="Threshold">What it crossed.</param>
/// <param name="Badness">To tell the worst of several; larger is worse.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Recommendation">What to change.</param>
public sealed record Found(Severity Severity, string? Layer, long Step, double Value, double? Threshold, double Badness, string Message,
    Recommendation Recommendation)
{
    /// <summary>Where crossing the threshold upwards is bad.</summary>
    public static Found Above(Severity severity, string? layer, long step, double value, double threshold, string message,
        Recommendation recommendation) =>
        new(severity, layer, step, value, threshold, double.IsNaN(value) ? double.PositiveInfinity : value, message, recommendation);

    /// <summary>Where crossing it downwards is.</summary>
    public static Found Below(Severity severity, string? layer, long step, double value, double threshold, string message,
        Recommendation recommendation) =>
        Above(severity, layer, step, value, threshold, message, recommendation) with
        {
            Badness = double.IsNaN(value) ? double.PositiveInfinity : -value,
        };
}

/// <summary>The findings of one run. Filled on the training thread, read from others.</summary>
public sealed class Watch(RunPlan plan)
{
    private readonly Course _course = new(plan);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Rule, string? Layer), (Finding Finding, double Badness)> _worst = [];

    public IReadOnlyList<Finding> Findings
    {
        get
        {
            lock (_lock)
                return [.. _worst.Values.Select(w => w.Finding)];
        }
    }

    public void Add(MetricPoint point)
    {
        _course.Add(point);
        if (point.Split != Split.Test)
            Look(Moment.Metrics);
    }

    public void Add(IReadOnlyList<LayerPoint> points)
    {
        _course.Add(points);
        Look(Moment.Layers);
    }

    /// <summary>
    /// The run went back to the weights of this step: what was found later is true of no weights that anyone gets. What the layers show
    /// of those follows.
    /// </summary>
    public void Return(long step)
    {
        lock (_lock)
            foreach (var (key, (finding, _)) in _worst.ToList())
                if (finding.Step > step)
                    _worst.Remove(key);
        _course.Return(step);
    }

    public void End(TrainingResult result)
    {
        _course.End(result);
        Look(Moment.End);
    }

    private void Look(Moment moment)
    {
        foreach (var rule in Rule.All)
        {
            if (rule.Looks != moment || !rule.Enabled(_course.Rules))
                continue;
            foreach (var found in rule.Find(_course))
                lock (_lock)
                {
                    if (_worst.TryGetValue((rule.Name, found.Layer), out var before)
                        && (before.Finding.Severity, before.Badness).CompareTo((found.Severity, found.Badness)) >= 0)
                        continue;
                    _worst[(rule.Name, found.Layer)] = (new()
                    {
                        Rule = rule.Name,
                        Severity = found.Severity,
                        Layer = found.Layer,
                        Step = found.Step,
                        Value = (float)found.Value,
                        Threshold = (float?)found.Threshold,
                        Message = found.Message,
                        Recommendation = found.Recommendation,
                    }, found.Badness);
                }
        }
    }
}
