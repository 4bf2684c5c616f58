using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>
/// Two runs on the same rows, one with a change: at their ends where both came to it, else at the last step at which both were measured.
/// </summary>
public sealed class Comparison
{
    /// <summary>How much lower a loss must be to be clearly better.</summary>
    private const double Clearly = 0.05;

    /// <summary>Which accuracy on the training rows a change may cost that is no worse on the validation rows.</summary>
    private const double TrainTolerance = 0.01;

    private readonly bool _sameLoss, _ended;
    private readonly Score _before, _after;
    private readonly double? _trainBefore, _trainAfter;

    private Comparison(Watch before, Watch after, Score first, Score second, long steps, bool ended)
    {
        (_before, _after, Steps, _ended) = (first, second, steps, ended);
        _sameLoss = before.Plan.Training.Loss == after.Plan.Training.Loss;
        (_trainBefore, _trainAfter) = (before.Result?.TrainAccuracy, after.Result?.TrainAccuracy);
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
        if (_before.Diverged)
            return true;
        if (finding.Rule != "overfit" && _trainAfter < _trainBefore - TrainTolerance)
            return false;
        var lower = _sameLoss && _after.Loss < (1 - Clearly) * _before.Loss;
        var lessened = (_ended || Steps >= finding.Step) && IsLess(finding);
        if (_before.Accuracy is not { } accuracy || _after.Accuracy is not { } changed)
            return lower || (lessened && _after.Loss <= _before.Loss);
        // of the mean of two shares, each on so many rows
        var share = (accuracy + changed) / 2;
        if (changed - accuracy > Math.Sqrt(share * (1 - share) / _after.Rows))
            return true;
        var noHigher = !_sameLoss || _after.Loss <= (changed > accuracy ? 1 + Clearly : 1) * _before.Loss;
        return changed >= accuracy && (lower || (lessened && noHigher));
    }

    /// <summary>Whether this change did clearly better than another one did beside the same run.</summary>
    public bool Beats(Comparison other)
    {
        if (_after.Accuracy is { } mine && other._after.Accuracy is { } theirs)
        {
            var share = (mine + theirs) / 2;
            var noise = Math.Sqrt(share * (1 - share) / _after.Rows);
            if (Math.Abs(mine - theirs) > noise || !_sameLoss || !other._sameLoss)
                return mine - theirs > noise;
        }
        return _sameLoss && other._sameLoss && _after.Loss < (1 - 4 * Clearly) * other._after.Loss && !(_after.Accuracy < other._after.Accuracy);
    }

    private bool IsLess(Finding finding)
    {
        var worst = NewFindings.Findings.Where(f => f.Rule == finding.Rule).Select(f => (Severity?)f.Severity).Max();
        return worst is null || worst < finding.Severity;
    }

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
