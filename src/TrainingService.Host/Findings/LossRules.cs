using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Findings;

/// <summary>What the losses tell.</summary>
public static class LossRules
{
    /// <summary>
    /// Where more than this share of the loss is left, not much has been learnt: a plateau below it is where a
    /// run ends, not where it is stuck.
    /// </summary>
    private const double Stuck = 0.5;

    /// <summary>
    /// How far the validation loss must be above its minimum to count as rising: a fourth of it, and more than the noise of a mean over
    /// that many rows, each row's loss being about that of guessing when it is wrong.
    /// </summary>
    private const double Rise = 0.25, Noise = 0.5;

    /// <summary>For how many points.</summary>
    public const int RisePoints = 3;

    public static IEnumerable<Found> Initial(Course course, InitialLossRule rule)
    {
        if (course is not { Start: { } first, Train.Count: 1, GuessingLoss: { } guessing })
            yield break;
        var distance = Math.Abs(first.Loss - guessing) / guessing;
        if (!(distance <= rule.Warn))
            yield return Found.Above(Severity.Warning, null, 0, distance, rule.Warn,
                $"The loss before training is {first.Loss:G3}, but guessing all classes alike would have {guessing:G3}: "
                + "the first outputs are too large.",
                Patches.SmallerOutputs(course));
    }

    public static IEnumerable<Found> NotDecreasing(Course course, LossNotDecreasingRule rule)
    {
        var evaluations = rule.Evaluations;
        if (course.Train.Count <= evaluations || course.Train.First().Step == 0)
            yield break;
        var points = course.Train.ToArray();
        double before = points[0].Loss, best = points.Skip(1).Min(p => p.Loss), fall = (before - best) / before;
        if (!(fall < rule.Warn) || !(best > course.LossAt(Stuck)))
            yield break;
        yield return Found.Below(Severity.Warning, null, points[^1].Step, fall, rule.Warn,
            $"The training loss has not decreased in {evaluations} points: "
            + $"it was {before:G4} at step {points[0].Step} and at best {best:G4} since.",
            Unstuck(course));
    }

    /// <summary>What the layers show is mended first; else the size of the steps.</summary>
    private static Recommendation Unstuck(Course course)
    {
        if (course.Hidden.FirstOrDefault(l => course.Latest[l.Index].DeadFraction > 0.5) is { } dead)
            return UnitRules.Revival(course, dead);
        if (course.GradientFlow is < -1)
            return PoorInitialization.Better(course, course.Layers[0]);
        var ratios = course.Latest.Select(p => (double?)p.UpdateRatio).OfType<double>().Where(r => r > 0).Order().ToArray();
        return ratios.Length > 0 && ratios[ratios.Length / 2] is < 1e-3 and var median
            ? Patches.HigherRate(course.Plan, median) : Patches.LowerRate(course.Plan);
    }

    public static IEnumerable<Found> Overfit(Course course, OverfitRule rule)
    {
        if (course.Validation.Count < RisePoints || course.Train.Count == 0)
            yield break;
        var latest = course.Validation.Last();
        double train = course.Train.Last().Loss, gap = (latest.Loss - train) / train;
        double least = course.LeastValidation, lately = course.Validation.Min(p => p.Loss);
        var noise = Noise * (course.GuessingLoss ?? course.LossAt(1)) / Math.Sqrt(course.Plan.Data.ValidationRows);
        if (gap > rule.Warn && train < course.LossAt(Stuck) && lately - least > Math.Max(Rise * least, noise))
            yield return Found.Above(Severity.Warning, null, latest.Step, gap, rule.Warn,
                $"The validation loss rises ({latest.Loss:G3}, at best {least:G3}) while the training loss is {train:G3}: "
                + "the run learns its rows by heart.",
                course.Plan.Training.EarlyStopping is null ? Patches.EarlyStopping() : Patches.LowerRate(course.Plan));
    }

    public static IEnumerable<Found> Diverged(Course course, DivergedRule rule)
    {
        _ = rule;
        if (course.Divergence is { } divergence)
            yield return new(Severity.Critical, divergence.Layer, divergence.Step,
                course.Train.Count > 0 ? course.Train.Last().Loss : double.NaN, null, 0,
                $"The run diverged: {divergence.Message}.", PoorInitialization.OrLowerRate(course));
    }
}
