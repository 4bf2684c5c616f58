using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Findings;

/// <summary>How large gradients and updates are.</summary>
public static class GradientRules
{
    public static IEnumerable<Found> Vanishing(Course course, VanishingGradientRule rule)
    {
        var first = course.Latest[0];
        if (course.GradientFlow is { } flow && flow < rule.Warn && first.GradientRms < rule.FirstLayerRms)
            yield return Found.Below(Severity.Warning, null, first.Step, flow, rule.Warn,
                "The gradient vanishes on its way back: from the last hidden layer to the first its norm falls "
                + $"by a factor of {Math.Pow(10, -flow):G3}, to a root mean square of {first.GradientRms:G3}.",
                Symptom.Vanishing);
    }

    public static IEnumerable<Found> Exploding(Course course, ExplodingGradientRule rule)
    {
        var step = course.Latest[0].Step;
        if (course.Latest.FirstOrDefault(p => !float.IsFinite(p.GradientRms)) is { } broken)
            yield return Found.Above(Severity.Error, null, step, broken.GradientRms, rule.Warn,
                $"The gradient in {course.Layers[broken.Layer].Name} is not finite.", Symptom.Exploding);
        else if (course.GradientFlow is { } flow && flow > rule.Warn)
            yield return Found.Above(Severity.Warning, null, step, flow, rule.Warn,
                "The gradient grows on its way back: from the last hidden layer to the first its norm rises by "
                + $"a factor of {Math.Pow(10, flow):G3}.",
                Symptom.Exploding);
    }

    /// <summary>
    /// Outside the range in several evaluations in a row. Those in the warm-up or under a rate that the schedule has taken below 1 % don't
    /// count, nor do small updates once there is little left to learn, or where the gradient doesn't get through: other rules tell that.
    /// </summary>
    public static IEnumerable<Found> UpdateRatio(Course course, UpdateRatioRule rule)
    {
        var evaluations = rule.Evaluations;
        var warmUp = course.Plan.Training.Schedule.WarmupSteps;
        if (course.Evaluations.Count < evaluations || course.Train.Count == 0
            || course.Train.Last().LearningRate < 0.01 * course.Plan.Training.Optimizer.LearningRate)
            yield break;
        foreach (var layer in course.Layers)
        {
            double[] ratios = [.. course.Evaluations.Select(e => e[layer.Index])
                .Select(p => p.Step > warmUp && p.UpdateRatio is > 0 and var ratio ? Math.Log10(ratio) : (double?)null).OfType<double>()];
            if (ratios.Length < course.Evaluations.Count)
                continue;
            var (least, most, step) = (ratios.Min(), ratios.Max(), course.Latest[0].Step);
            if (least > rule.Max)
                yield return Found.Above(Severity.Warning, layer.Name, step, least, rule.Max,
                    $"The steps of {layer.Name} are large: in {evaluations} evaluations in a row an update was "
                    + $"at least {Math.Pow(10, least):P0} of the weights' norm.",
                    Symptom.LargeSteps);
            else if (most < rule.Min && !course.HasLearnt && !course.IsBlocked)
                yield return Found.Below(Severity.Warning, layer.Name, step, most, rule.Min,
                    $"The steps of {layer.Name} are tiny: in {evaluations} evaluations in a row an update was "
                    + $"at most {Math.Pow(10, most):G2} of the weights' norm.",
                    Symptom.SmallSteps);
        }
    }
}
