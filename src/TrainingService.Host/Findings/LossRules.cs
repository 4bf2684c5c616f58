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
    /// How far the validation loss must be above its minimum beside the rule's share of it: more than the noise of a mean over that many
    /// rows, each row's loss being about that of guessing when it is wrong.
    /// </summary>
    private const double Noise = 0.5;

    /// <summary>Standard errors of a validation accuracy that are no gap.</summary>
    private const double Errors = 2;

    /// <summary>For how many points.</summary>
    public const int RisePoints = 3;

    /// <summary>Above what guessing has by the rule's share, and above what nets of this shape have that begin as they should.</summary>
    public static IEnumerable<Found> Initial(Course course, InitialLossRule rule)
    {
        if (course is not { Start: { } first, Train.Count: 1, UsualStart: > 0 and var guessing, Result: null })
            yield break;
        var above = (first.Loss - guessing) / guessing;
        // who asks for less than the standard threshold wants to know of usual draws, too
        if (!(above <= rule.Warn) && (rule.Warn < InitialLossRule.StandardWarn || !(first.Loss <= course.Data.LargestUsualStart?.Value)))
            yield return Found.Above(Severity.Warning, null, 0, above, rule.Warn,
                $"The loss before training is {first.Loss:G3}, "
                + (course.Plan.Data.Classes > 0 ? $"but guessing all classes alike would have {guessing:G3}" :
                    $"but the targets' mean would have {guessing:G3}") + ": the first outputs are off by far.",
                Symptom.LargeStart);
    }

    public static IEnumerable<Found> NotDecreasing(Course course, LossNotDecreasingRule rule)
    {
        if (course.Result is not null)
            return AtTheEnd(course, rule);
        return Lately(course, rule);
    }

    private static IEnumerable<Found> Lately(Course course, LossNotDecreasingRule rule)
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
            points[^1].Loss > 2 * before ? Symptom.Climbing : Symptom.Stuck);
    }

    /// <summary>However short the run: the loss of the returned weights against the one before training, and that of a constant.</summary>
    private static IEnumerable<Found> AtTheEnd(Course course, LossNotDecreasingRule rule)
    {
        if (course is not { Start: { } start, Result: { Divergence: null } result } || course.Step == 0)
            yield break;
        double began = start.Loss, ended = result.TrainLoss, fall = (began - ended) / began;
        var step = course.Step;
        // what began with hardly any loss has none to lose
        if (fall < rule.Warn && !(ended < 0.1 * course.GuessingLoss))
            yield return Found.Below(fall < -1 ? Severity.Error : Severity.Warning, null, step, fall, rule.Warn,
                ended > began ? $"The training loss ends above where it began: {ended:G4} after {step} steps, {began:G4} before the first."
                    : $"The training loss has hardly decreased in {step} steps, from {began:G4} to {ended:G4}.",
                fall < -1 ? Symptom.Climbing : Symptom.Stuck);
        else if (course.Data.ConstantLoss is > 0 and var constant && (constant - ended) / constant < rule.Warn)
            yield return Found.Below(Severity.Warning, null, step, (constant - ended) / constant, rule.Warn,
                $"After {step} steps the training loss is {ended:G4}; the best output that doesn't look at the inputs would have "
                + $"{constant:G4}: nothing has been learnt from them.",
                ended > 2 * constant ? Symptom.Climbing | Symptom.Stuck : Symptom.Stuck);
    }

    public static IEnumerable<Found> Overfit(Course course, OverfitRule rule) =>
        course.Result is null ? Rising(course, rule) : Gap(course, rule);

    private static IEnumerable<Found> Rising(Course course, OverfitRule rule)
    {
        if (course.Validation.Count < RisePoints || course.Train.Count == 0)
            yield break;
        var latest = course.Validation.Last();
        double train = course.Train.Last().Loss, least = course.LeastValidation, lately = course.Validation.Min(p => p.Loss);
        var noise = Noise * (course.GuessingLoss ?? course.LossAt(1)) / Math.Sqrt(course.Plan.Data.ValidationRows);
        if (train < course.LossAt(Stuck) && train < course.TrainAtLeast && train < latest.Loss
            && lately - least > Math.Max(rule.Rise * least, noise))
            yield return Found.Above(Severity.Warning, null, latest.Step, (latest.Loss - least) / least, rule.Rise,
                $"The validation loss rises ({latest.Loss:G3}, at best {least:G3}) while the training loss is {train:G3}: "
                + "the run learns its rows by heart.",
                Symptom.Overfit);
    }

    private static IEnumerable<Found> Gap(Course course, OverfitRule rule)
    {
        if (course is not { Result: { Divergence: null, TrainAccuracy: { } train, ValidationAccuracy: { } held, TrainLoss: var loss } }
            || !(loss < course.LossAt(1)))
            yield break;
        var noise = Errors * Math.Sqrt(held * (1 - held) / course.Plan.Data.ValidationRows);
        if (train - held > Math.Max(rule.Warn, noise))
            yield return Found.Above(Severity.Warning, null, course.Step, train - held, rule.Warn,
                $"The accuracy is {train:P1} on the training rows and {held:P1} on the {course.Plan.Data.ValidationRows} validation rows: "
                + "the run learns its rows by heart.",
                Symptom.Overfit);
    }

    public static IEnumerable<Found> Diverged(Course course, DivergedRule rule)
    {
        _ = rule;
        if (course.Result?.Divergence is { } divergence)
            yield return new(Severity.Critical, divergence.Layer, divergence.Step,
                course.Train.Count > 0 ? course.Train.Last().Loss : double.NaN, null, 0,
                $"The run diverged: {divergence.Message}.", Symptom.Diverged);
    }
}
