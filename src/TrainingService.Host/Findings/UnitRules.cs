using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;

namespace TrainingService.Host.Findings;

/// <summary>
/// What becomes of the units of hidden layers. A sparse layer is healthy: only units that are off on every row count as dead.
/// </summary>
public static class UnitRules
{
    public static IEnumerable<Found> Dead(Course course, DeadUnitsRule rule)
    {
        foreach (var layer in course.Hidden)
        {
            var point = course.Latest[layer.Index];
            var (severity, threshold) = point.DeadFraction >= 1 ? (Severity.Critical, 1)
                : point.DeadFraction > rule.Error ? (Severity.Error, rule.Error)
                : (Severity.Warning, rule.Warn);
            if (severity is Severity.Warning && !(point.DeadFraction > rule.Warn))
                continue;
            var message = severity is Severity.Critical
                ? $"All {layer.Units} units of {layer.Name} are dead ({point.BornDeadFraction:P0} born so): "
                    + "no layer up to it gets a gradient any more, nor do the weights behind it; "
                    + $"only the bias of {course.Layers[layer.Index + 1].Name} and what lies behind that can still learn."
                : $"{point.DeadFraction:P0} of the units of {layer.Name} are dead, off on every row and without gradient: "
                    + $"{point.BornDeadFraction:P0} since before training, {point.DiedFraction:P0} died in it.";
            yield return Found.Above(severity, layer.Name, point.Step, point.DeadFraction, threshold, message, Symptom.Dead);
        }
    }

    public static IEnumerable<Found> Saturated(Course course, SaturatedActivationsRule rule)
    {
        foreach (var layer in course.Hidden)
        {
            var point = course.Latest[layer.Index];
            if (point.SaturatedUnitFraction > rule.Warn)
                yield return Found.Above(Severity.Warning, layer.Name, point.Step, point.SaturatedUnitFraction.Value, rule.Warn,
                    $"{point.SaturatedUnitFraction:P0} of the units of {layer.Name} ({layer.Activation}) are saturated "
                    + $"on more than {rule.Rows:P0} of the rows, where almost no gradient passes.",
                    Symptom.Saturated);
            else if (Entries(layer, point) is { } share && share > rule.Entries)
                yield return Found.Above(Severity.Warning, layer.Name, point.Step, share, rule.Entries,
                    $"{share:P0} of the outputs of {layer.Name} ({layer.Activation}) are saturated, where almost no gradient passes.",
                    Symptom.Saturated);
        }
    }

    /// <summary>Null without bound; of relu6, which is off below 0, only what is at its upper bound.</summary>
    private static double? Entries(LayerInfo layer, LayerPoint point) => point.SaturatedUnitFraction is null ? null
        : layer.Activation == "relu6" ? point.Saturation - point.OffRate : point.Saturation;

    public static IEnumerable<Found> DropoutRedundant(Course course, DropoutRedundantRule rule)
    {
        var dropped = DroppedLayers(course).ToHashSet();
        foreach (var layer in course.Hidden.Where(l => dropped.Contains(l.Index)))
        {
            var point = course.Latest[layer.Index];
            if (point.Step > 0 && point.Sparsity > rule.Info)
                yield return Found.Above(Severity.Info, layer.Name, point.Step, point.Sparsity, rule.Info,
                    $"{point.Sparsity:P0} of the activations of {layer.Name} are 0 already; dropout on top of that may be of no benefit.",
                    Symptom.Redundant);
        }
    }

    /// <summary>Indices of the dense layers that dropout follows before the next one.</summary>
    private static IEnumerable<int> DroppedLayers(Course course)
    {
        var dense = -1;
        foreach (var entry in Flat(course.Plan.Model.Layers))
            if (entry is DenseEntry)
                dense++;
            else if (entry is DropoutEntry { Rate: > 0 } && dense >= 0)
                yield return dense;
    }

    /// <summary>All entries, those of branches where the branch stands.</summary>
    public static IEnumerable<LayerEntry> Flat(IEnumerable<LayerEntry> entries) =>
        entries.SelectMany(e => e is ResidualEntry r ? Flat(r.Branch) : [e]);
}
