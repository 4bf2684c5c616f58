using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>The findings of one run. Filled on the training thread, read from others.</summary>
public sealed class Watch(RunPlan plan, DataFacts data)
{
    private readonly Course _course = new(plan, data);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Rule, string? Layer), Kept> _worst = [];
    private readonly List<MetricPoint> _points = [];
    private int _changes;

    public RunPlan Plan => plan;

    /// <summary>Losses on training and validation rows; to be read on the training thread.</summary>
    public IReadOnlyList<MetricPoint> Points => _points;

    public double? GuessingLoss => _course.GuessingLoss;

    public long LastStep => _points.Count == 0 ? 0 : _points[^1].Step;

    /// <summary>How the run ended; null if it didn't come to its end.</summary>
    public TrainingResult? Result => _course.Result;

    public IReadOnlyList<Finding> Findings
    {
        get
        {
            lock (_lock)
                return [.. _worst.Values.Select(kept => kept.Finding)];
        }
    }

    /// <summary>
    /// What is worth a trial: of each finding what is most likely to blame, then of each what is next, those of the worst findings first.
    /// </summary>
    public IReadOnlyList<Change> Untried
    {
        get
        {
            var findings = _worst.Values.OrderByDescending(kept => kept.Finding.Severity).ThenBy(kept => kept.Finding.Step).ToList();
            var most = findings.Select(kept => kept.Changes.Count).DefaultIfEmpty().Max();
            return [.. Enumerable.Range(0, most).SelectMany(i => findings.Select(kept => kept.Changes.ElementAtOrDefault(i)))
                .OfType<Change>().DistinctBy(change => change.Key)];
        }
    }

    /// <summary>What is most likely to mend a net that has this before the first step.</summary>
    public Change? Likeliest(Symptom symptom) => Suspects.Of(_course, symptom, null, 0) is [var first, ..] ? first : null;

    public void Add(MetricPoint point)
    {
        if (point.Split == Split.Test)
            return;
        _points.Add(point);
        _course.Add(point);
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
            foreach (var (key, kept) in _worst.ToList())
                if (kept.Finding.Step > step)
                    _worst.Remove(key);
        _course.Return(_points.Where(point => point.Step <= step), step);
    }

    public void End(TrainingResult result)
    {
        _course.End(result);
        Look(Moment.End);
        // units that the run could do without
        if (_course.HasLearnt)
            Replace(kept => kept.Finding is { Rule: "dead_units", Severity: Severity.Warning }
                ? kept with { Finding = kept.Finding with { Severity = Severity.Info } } : kept);
    }

    /// <summary>Tells with each finding what came of its changes, and recommends the one that helped most.</summary>
    /// <param name="trials">The runs with changes, by <see cref="Change.Key"/>.</param>
    public void Judge(IReadOnlyDictionary<string, Watch> trials)
    {
        var compared = new Dictionary<string, Comparison>();
        foreach (var (key, trial) in trials)
            if (Comparison.Of(this, trial) is { } comparison)
                compared[key] = comparison;
        Replace(kept => Judged(kept, compared));
    }

    private Kept Judged(Kept kept, Dictionary<string, Comparison> compared)
    {
        var tried = kept.Changes.Where(change => compared.ContainsKey(change.Key))
            .Select(change => (Change: change, Comparison: compared[change.Key], Helps: compared[change.Key].Helps(kept.Finding))).ToList();
        if (tried.Count == 0)
            return kept;
        // the most likely one, unless a less likely one does clearly better
        var helping = tried.Where(t => t.Helps).ToList();
        var among = helping.Count > 0 ? helping : tried;
        var best = among.Skip(1).Aggregate(among[0], (most, other) => other.Comparison.Beats(most.Comparison) ? other : most);
        var finding = kept.Finding with
        {
            Trial = best.Comparison.Trial,
            Tried = [.. tried.Select(t => new TriedChange(t.Change.Sentence, t.Change.Patch, t.Comparison.Trial, t.Helps))],
        };
        // what was not tried for want of time is no advice where all that was tried failed
        if (helping.Count > 0)
            finding = finding with
            {
                Recommendation = best.Change.Recommendation,
                Message = Cause() is { } cause ? $"{kept.Message} The cause: {cause}." : kept.Message,
            };
        else
            finding = finding with
            {
                Recommendation = null,
                Severity = finding.Severity is Severity.Warning && _course.HasLearnt ? Severity.Info : finding.Severity,
                Message = kept.Message + (tried.Count == 1 ? " The change that was tried does not help."
                    : $" None of {tried.Count} changes that were tried helps."),
            };
        return kept with { Finding = finding };

        // what helped most need not be what is to blame: a norm mends many a beginning
        string? Cause() => best.Change.Cause ?? helping.Select(t => t.Change.Cause).FirstOrDefault(cause => cause is not null)
            ?? tried.FirstOrDefault(t => t.Change.Cause is not null && t.Comparison.IsLess(kept.Finding)).Change?.Cause;
    }

    private void Replace(Func<Kept, Kept> change)
    {
        lock (_lock)
            foreach (var key in _worst.Keys.ToArray())
                if (change(_worst[key]) is var changed && changed != _worst[key])
                    Put(key, changed);
    }

    private void Look(Moment moment)
    {
        foreach (var rule in Rule.All)
        {
            if (!rule.Looks.HasFlag(moment) || !rule.Enabled(_course.Rules))
                continue;
            foreach (var found in rule.Find(_course))
                lock (_lock)
                    if (!_worst.TryGetValue((rule.Name, found.Layer), out var before)
                        || (before.Finding.Severity, before.Badness).CompareTo((found.Severity, found.Badness)) < 0)
                        Put((rule.Name, found.Layer), Keep(rule, found));
        }
    }

    private void Put((string, string?) key, Kept kept) =>
        _worst[key] = kept with { Finding = kept.Finding with { Number = ++_changes } };

    private Kept Keep(Rule rule, Found found)
    {
        var changes = Suspects.Of(_course, found.Symptom, found.Layer, found.Step);
        var likely = changes.Count > 0 ? changes[0] : null;
        return new(new()
        {
            Rule = rule.Name,
            Severity = found.Severity,
            Layer = found.Layer,
            Step = found.Step,
            Value = (float)found.Value,
            Threshold = (float?)found.Threshold,
            Message = likely?.Cause is { } cause ? $"{found.Message} A likely cause: {cause}." : found.Message,
            Recommendation = likely?.Recommendation,
        }, found.Badness, found.Message, changes);
    }

    /// <summary>A finding with what led to it.</summary>
    private sealed record Kept(Finding Finding, double Badness, string Message, IReadOnlyList<Change> Changes);
}
