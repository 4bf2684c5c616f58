using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>
/// Two runs on the same rows, one with a change: at their ends where both came to it, else at the last step at which both were measured.
/// </summary>
public sealed class Comparison
{
    /// <summary>How much lower a loss must be to be clearly better: a share of itself, and of that of guessing.</summary>
    private const double Least = 0.05, OfGuessing = 0.005;

    /// <summary>By how many standard errors an accuracy must be higher: as if the two runs erred on different rows.</summary>
    private const double Errors = 2;

    private readonly bool _sameLoss, _sameActivations, _ended;
    private readonly Score _before, _after;
    private readonly bool _trainsWorse;
    private readonly double _guessing, _chance;

    private Comparison(Watch before, Watch after, Score first, Score second, long steps, bool ended)
    {
        (_before, _after, Steps, _ended) = (first, second, steps, ended);
        _sameLoss = before.Plan.Training.Loss == after.Plan.Training.Loss;
        _sameActivations = Activations(before).SequenceEqual(Activations(after));
        _guessing = after.GuessingLoss ?? double.PositiveInfinity;
        _chance = 1.0 / Math.Max(1, after.Plan.Data.Classes);
        _trainsWorse = after.Result?.TrainAccuracy < before.Result?.TrainAccuracy
            || (_sameLoss && after.Result?.TrainLoss > (1 + Least) * before.Result?.TrainLoss);
        NewFindings = after;
    }

    public long Steps { get; }

    private Watch NewFindings { get; }

    private string Rows => _after.Held ? "validation" : "train";

    /// <summary>Accuracies that both have, and that differ or are all that can be compared.</summary>
    private bool ByAccuracy => _before.Accuracy is not null && _after.Accuracy is not null
        && (_before.Accuracy != _after.Accuracy || !_sameLoss);

    public Trial Trial => ByAccuracy || (_after.Accuracy is not null && _before.Diverged)
        ? new($"{Rows}Accuracy", Finite(_before.Accuracy), Finite(_after.Accuracy), Steps)
        : new($"{Rows}Loss", Finite(_before.Loss), Finite(_after.Loss), Steps);

    /// <summary>Null if there is no step at which both were measured.</summary>
    public static Comparison? Of(Watch before, Watch after)
    {
        var rows = before.Plan.Data.ValidationRows > 0 ? before.Plan.Data.ValidationRows : before.Plan.Data.TrainRows;
        var last = before.Result is null ? null : Score.Of(before.Result, rows);
        if (last is null)
            return null;
        if (after.Result is { } result)
            return new(before, after, last, Score.Of(result, rows), after.Points[^1].Step, ended: true);
        var split = before.Plan.Data.ValidationRows > 0 ? Split.Validation : Split.Train;
        foreach (var which in new[] { split, Split.Train }.Distinct())
            foreach (var point in after.Points.Where(p => p.Split == which && p.Step > 0).OrderByDescending(p => p.Step))
                if (point.Step > before.LastStep)
                    return new(before, after, last, Score.Of(point, rows), point.Step, ended: false);
                else if (before.Points.LastOrDefault(p => p.Split == which && p.Step == point.Step) is { } same)
                    return new(before, after, Score.Of(same, rows), Score.Of(point, rows), point.Step, ended: false);
        return null;
    }

    /// <summary>Whether the change helps against a finding.</summary>
    public bool Helps(Finding finding)
    {
        if (_after.Diverged)
            return false;
        // that it no longer diverges is no help if it learns nothing
        if (_before.Diverged)
            return _after.Loss < _guessing || _after.Accuracy > 1.5 * _chance;
        // a lower loss on few validation rows is luck where the training rows say otherwise; that less is learnt by heart helps if it
        // shows in the accuracy
        var fair = !_trainsWorse;
        var lower = fair && _sameLoss && _after.Loss < (1 - Clearly) * _before.Loss
            && !(_before.Loss - _after.Loss < OfGuessing * _guessing);
        // at its end a run is judged by its metric alone; before, that may still have to follow
        var lessened = fair && !_ended && IsLess(finding);
        if (_before.Accuracy is not { } accuracy || _after.Accuracy is not { } changed)
            return lower || (lessened && _after.Loss <= _before.Loss);
        if (changed - accuracy > Noise(accuracy, changed))
            return true;
        var noHigher = !_sameLoss || _after.Loss <= (changed > accuracy ? 1 + Least : 1) * _before.Loss;
        return changed >= accuracy && (lower || (lessened && noHigher));
    }

    /// <summary>What a loss must be lower by, as a share: its mean over n rows strays by about 1/sqrt(n) of it.</summary>
    private double Clearly => Math.Max(Least, 1 / Math.Sqrt(_after.Rows));

    /// <summary>Of the mean of two shares, each on so many rows.</summary>
    private double Noise(double a, double b) => Errors * Math.Sqrt((a + b) / 2 * (1 - (a + b) / 2) / _after.Rows);

    /// <summary>Whether this change did clearly better than another one did beside the same run.</summary>
    public bool Beats(Comparison other)
    {
        if (_after.Accuracy is { } mine && other._after.Accuracy is { } theirs)
        {
            var noise = Noise(mine, theirs);
            if (Math.Abs(mine - theirs) > noise || !_sameLoss || !other._sameLoss)
                return mine - theirs > noise;
        }
        return _sameLoss && other._sameLoss && _after.Loss < (1 - 4 * Clearly) * other._after.Loss
            && !(_after.Accuracy < other._after.Accuracy)
            && !(NewFindings.Result?.TrainLoss > other.NewFindings.Result?.TrainLoss);
    }

    /// <summary>
    /// Whether the finding is gone, or less severe. What other units can't have by definition, as leaky_relu's are never dead, is not gone.
    /// </summary>
    public bool IsLess(Finding finding)
    {
        if ((!_ended && Steps < finding.Step) || (!_sameActivations && finding.Rule is "dead_units" or "saturated_activations"))
            return false;
        var worst = NewFindings.Findings.Where(f => f.Rule == finding.Rule).Select(f => (Severity?)f.Severity).Max();
        return worst is null || worst < finding.Severity;
    }

    private static IEnumerable<string> Activations(Watch watch) => watch.Plan.DenseLayers.Select(layer => layer.Activation);

    private static float? Finite(double? value) => value is { } number && double.IsFinite(number) ? (float)number : null;

    private sealed record Score(bool Held, double? Accuracy, double Loss, int Rows)
    {
        public bool Diverged => !double.IsFinite(Loss);

        public static Score Of(TrainingResult result, int rows)
        {
            var held = result.ValidationLoss is not null;
            double loss = result.Divergence is not null ? double.NaN : held ? result.ValidationLoss ?? double.NaN : result.TrainLoss;
            return new(held, double.IsFinite(loss) ? held ? result.ValidationAccuracy : result.TrainAccuracy : null, loss, rows);
        }

        public static Score Of(MetricPoint point, int rows) =>
            new(point.Split is Split.Validation, float.IsFinite(point.Loss) ? point.Accuracy : null, point.Loss, rows);
    }
}
