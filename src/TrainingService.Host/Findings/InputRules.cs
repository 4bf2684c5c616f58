using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Findings;

/// <summary>What the rows tell before the first step.</summary>
public static class InputRules
{
    public static IEnumerable<Found> Unscaled(Course course, UnscaledFeaturesRule rule)
    {
        if (course.Latest[0].Step != 0)
            yield break;
        var data = course.Data;
        if (data is { Largest: { } largest, Smallest: { } smallest } && data.Ratio > rule.Warn)
            yield return Found.Above(Severity.Warning, null, 0, data.Ratio, rule.Warn,
                $"The feature '{largest.Name}' (root mean square {largest.Rms:G3}) is {data.Ratio:G3} times as large as '{smallest.Name}' "
                + $"({smallest.Rms:G3}): the first layer hardly sees the small ones.",
                Symptom.Unscaled);
        // inputs that are scaled and small are rare categories
        else if (data.InputRms > rule.Max || (data.InputRms < rule.Min && !data.Standardized))
            yield return Found.Above(Severity.Warning, null, 0, data.InputRms, data.InputRms > rule.Max ? rule.Max : rule.Min,
                $"The root mean square of the inputs is {data.InputRms:G3}; initialisers and learning rates are made for about 1.",
                Symptom.Unscaled);
    }
}
