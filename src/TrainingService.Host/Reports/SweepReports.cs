using MathNet.Numerics.Statistics;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>From a sweep's cells to what they have shown.</summary>
public static class SweepReports
{
    public static SweepReport Of(Sweep sweep, IReadOnlyList<CellResult> cells)
    {
        var spec = sweep.Spec;
        var metric = spec.By;
        var compared = cells.Where(cell => cell.Candidate < 0).ToList();
        var byArm = compared.ToLookup(cell => cell.Arm);
        var contrasts = SweepContrasts.Judge(spec, cells);
        var trials = Trials.Of(spec, cells);
        return new()
        {
            SweepId = sweep.Id,
            Name = sweep.Name,
            Status = sweep.Status is JobStatus.Queued && cells.Any(cell => cell.Status != JobStatus.Queued)
                ? JobStatus.Running : sweep.Status,
            Headline = Headline(sweep, metric, contrasts, compared),
            Answer = Answer(sweep, metric, contrasts, compared),
            Next = NextStep.Of(sweep, cells, contrasts),
            FinishedAt = sweep.FinishedAt,
            Metric = metric.Name,
            Baseline = spec.Contrasts.Count == 0 ? null : spec.Baseline,
            Delta = spec.Delta,
            Split = spec.Rows is { } rows ? SplitReport.Of(spec, rows) : null,
            Arms = [.. spec.Arms.Select((arm, index) => Arm(arm.Name, metric, [.. byArm[index]], trials))],
            Contrasts = contrasts,
            Trials = spec.Tune is null ? null : [.. Trials.Shown(trials)],
            Looks = SweepLookResponse.AllOf(spec),
            Best = SweepBest.Of(sweep),
            Notes = [.. LookNotes.Of(sweep, cells, contrasts), .. Notes(sweep, cells, metric)],
            Provenance = new(
                Distinct(compared, cell => cell.Result?.EngineVersion), Distinct(compared, cell => cell.Result?.InstructionSet),
                spec.Base.Dataset.Name, Distinct(compared, cell => cell.Result?.DatasetSha256), spec.Seeds, spec.ToSpec()),
        };
    }

    private static ArmReport Arm(string name, SweepMetric metric, List<CellResult> cells, IReadOnlyList<TrialReport> trials)
    {
        var ended = cells.Where(cell => cell.HasOutcome).ToList();
        var all = ArmSummary.Of([.. ended.Select(metric.Of).OfType<double>()]);
        var summary = metric.Outcome.IsShare ? all.OfShares() : all;
        var seconds = ended.Where(cell => !cell.Diverged).Select(cell => cell.Result?.FastestEpochSeconds).OfType<double>().ToArray();
        var finished = ended.Where(cell => !cell.Diverged).ToList();
        return new(name, summary.N, summary.Diverged, summary.DivergedCi95,
            cells.Count(cell => cell.Status is JobStatus.Failed or JobStatus.Canceled && !cell.HasOutcome),
            summary.Mean, summary.Sd, summary.Ci95, summary.Median, seconds.Length == 0 ? null : seconds.Median(),
            trials.Where(trial => trial.Arm == name && trial.Chosen > 0).MaxBy(trial => trial.Chosen)?.Values,
            // Of runs that diverged little is finite, and one would spoil the mean of all.
            Layers(finished), [.. cells.Select(cell => cell.JobId)]);
    }

    private static IReadOnlyList<ArmLayer> Layers(List<CellResult> cells) =>
        [.. cells.SelectMany(cell => cell.Last.Select(row => (cell.Layers[row.Layer].Name, Row: row)))
            .GroupBy(layer => (Index: layer.Row.Layer, layer.Name))
            .OrderBy(layer => layer.Key.Index)
            .Select(layer => new ArmLayer(layer.Key.Index, layer.Key.Name, Measures.OfLayers
                .Select(measure => (measure.Name, Values: layer.Select(l => (double?)measure.Value(l.Row)).OfType<double>().ToArray()))
                .Where(measure => measure.Values.Length > 0).ToDictionary(measure => measure.Name, measure => measure.Values.Average())))];

    private static Headline Headline(Sweep sweep, SweepMetric metric, IReadOnlyList<ContrastResult> contrasts, List<CellResult> cells)
    {
        if (!cells.Exists(cell => cell.HasOutcome))
            return new(Verdict.Inconclusive, NothingYet(sweep));
        if (contrasts.Count == 0)
            return new(Verdict.Inconclusive, "There is one arm and nothing to compare it with; its figures are below.");
        var (more, less) = metric.Outcome.Sides;
        if (contrasts.Count == 1)
        {
            var (arm, baseline) = (Short(contrasts[0].Arm), Short(contrasts[0].Baseline));
            return new(contrasts[0].Verdict, contrasts[0].Verdict switch
            {
                Verdict.Supported or Verdict.Higher => $"{arm} is {more} than {baseline}",
                Verdict.Refuted or Verdict.Lower => $"{arm} is {less} than {baseline}",
                Verdict.Equivalent => $"{arm} and {baseline} are the same within {metric.Outcome.Amount(contrasts[0].Equivalence.Delta)}",
                Verdict.Negligible => $"{arm} differs from {baseline}, but by too little to matter",
                _ => $"Whether {arm} is {more} or {less} than {baseline} is open",
            } + $" by {metric.Outcome.Words} ({Numbers.Difference(metric.Outcome, contrasts[0].MeanDifference)}, 95 % interval "
                + $"{Numbers.DifferenceInterval(metric.Outcome, contrasts[0].Ci95)}).");
        }
        var baselines = contrasts.Select(contrast => contrast.Baseline).Distinct().ToList();
        var than = baselines.Count == 1 ? Short(baselines[0]) : "their baselines";
        string[] parts =
        [
            Of(more, Verdict.Supported, Verdict.Higher), Of(less, Verdict.Refuted, Verdict.Lower),
            Of("the same but for what doesn't matter", Verdict.Equivalent, Verdict.Negligible), Of("open", Verdict.Inconclusive),
        ];
        return new(Statistics.Headline.Of(contrasts.Select(contrast => contrast.Verdict)),
            $"Of {contrasts.Count} arms against {than} by {metric.Outcome.Words}: {string.Join("; ", parts.Where(part => part != ""))}.");

        string Of(string words, params Verdict[] verdicts)
        {
            var some = contrasts.Where(contrast => verdicts.Contains(contrast.Verdict)).ToList();
            return some.Count == 0 ? "" : $"{some.Count} {words}"
                + (some.Count <= 2 && baselines.Count == 1 && verdicts[0] != Verdict.Inconclusive
                    ? $" ({string.Join(", ", some.Select(contrast => Short(contrast.Arm)))})" : "");
        }
    }

    /// <summary>Of a name that somebody typed.</summary>
    private static string Short(string arm) => Characters.Shorten(ArmNames.Shown(arm), 40);

    private static string NothingYet(Sweep sweep) =>
        sweep.IsFinished ? "No cell has an outcome, so nothing can be said." : "No cell has ended yet, so nothing can be said.";

    private static string Answer(Sweep sweep, SweepMetric metric, IReadOnlyList<ContrastResult> contrasts, List<CellResult> cells)
    {
        var ended = cells.Count(cell => cell.HasOutcome);
        if (ended == 0)
            return NothingYet(sweep);
        var soFar = sweep.IsFinished && ended == cells.Count && cells.Count > 0
            ? $"Arms are compared by {metric.Outcome.Words}, over {Numbers.Count(sweep.Spec.Seeds.Count, "seed")}. "
            : $"Arms are compared by {metric.Outcome.Words}, with {ended} of {sweep.Spec.Arms.Count * sweep.Spec.Seeds.Count} "
                + $"cells{(sweep.IsFinished ? "" : " so far")}. ";
        if (contrasts.Count == 0)
            return $"{soFar}There is one arm and nothing to compare it with; its figures are below.";
        if (contrasts.Count == 1)
            return soFar + contrasts[0].Sentence;
        var parts = new List<string>();
        Say(Verdict.Supported, $"{metric.Outcome.Sides.More} than");
        Say(Verdict.Refuted, $"{metric.Outcome.Sides.Less} than");
        Say(Verdict.Higher, "higher than");
        Say(Verdict.Lower, "lower than");
        Say(Verdict.Negligible, "different, but by too little to matter, from");
        Say(Verdict.Equivalent, "equivalent to");
        var open = contrasts.Count(contrast => contrast.Verdict == Verdict.Inconclusive);
        if (open > 0)
            parts.Add(open == contrasts.Count ? $"None of the {open} comparisons can be decided with these seeds."
                : $"{open} of {contrasts.Count} comparisons can't be decided with these seeds.");
        return $"{soFar}{string.Join(" ", parts)}";

        void Say(Verdict verdict, string relation)
        {
            foreach (var group in contrasts.Where(contrast => contrast.Verdict == verdict).GroupBy(contrast => contrast.Baseline))
            {
                var arms = group.Select(contrast => contrast.Arm).ToList();
                parts.Add(arms.Count > 8 ? $"{arms.Count} arms are {relation} {group.Key}."
                    : Prose.List($"{Prose.Capital(relation)} {group.Key}", arms));
            }
        }
    }

    private static IEnumerable<string> Notes(Sweep sweep, IReadOnlyList<CellResult> cells, SweepMetric metric)
    {
        var spec = sweep.Spec;
        var compared = cells.Where(cell => cell.Candidate < 0).ToList();
        var unfinished = compared.Count(cell => cell.Status is not (JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled));
        if (unfinished > 0)
            yield return $"{unfinished} of {Numbers.Count(compared.Count, "cell")} {Have(unfinished)} not ended yet; "
                + "the figures will change.";
        if (spec.Tune is not null && compared.Count == 0 && !sweep.IsFinished)
            yield return "Tuning is not finished; the cells that arms are compared by come afterwards.";
        foreach (var edge in Tuning.AtEdges(spec, cells).GroupBy(edge => (edge.Pointer, edge.Largest, edge.Value)))
            yield return $"Tuning chose the {(edge.Key.Largest ? "largest" : "smallest")} value of {edge.Key.Pointer} "
                + $"({ArmNames.Plain(edge.Key.Value)}) with "
                + $"{string.Join(", ", edge.Take(3).Select(arm => $"{arm.Seeds} of {arm.Of} seeds of {Short(arm.Arm)}"))}"
                + $"{(edge.Count() > 3 ? $" and often of {edge.Count() - 3} more arms" : "")}. A better one may lie beyond the list.";
        var untried = spec.Tune is null ? 0 : Tuning.Choices(cells).Count(choice => choice.Trial is null);
        if (untried > 0)
            yield return $"{Numbers.Count(untried, "cell")} {Were(untried)} tuned by an earlier version, with a choice made once for all "
                + "seeds of the arm: its luck is in every pair, and the intervals don't show it.";
        if (spec.Tune is not null && sweep.IsFinished)
        {
            var untuned = spec.Arms.Where((_, arm) => compared.TrueForAll(cell => cell.Arm != arm)).Select(arm => arm.Name).ToList();
            if (untuned.Count > 0)
                yield return "Tuning chose nothing for "
                    + $"{string.Join(", ", untuned.Take(3).Select(Short))}{(untuned.Count > 3 ? $" and {untuned.Count - 3} more" : "")}. "
                    + "There is nothing to compare: none of the trials has an outcome, or the sweep ended before. "
                    + "POST .../retry-failed runs them again.";
            var trials = cells.Count(cell => cell.Candidate >= 0 && !cell.HasOutcome);
            if (trials > 0)
                yield return $"{trials} of {cells.Count(cell => cell.Candidate >= 0)} tuning trials {Have(trials)} no outcome; "
                    + "tuning chose among the others.";
        }
        if (sweep.Status == JobStatus.Canceled)
            yield return "The sweep was canceled; the figures cover the cells that had ended, which need not be a fair sample.";
        foreach (var failed in compared.Where(cell => cell.Status == JobStatus.Failed && !cell.Diverged).GroupBy(cell => cell.ErrorCode))
            yield return $"{Numbers.Count(failed.Count(), "cell")} failed with '{failed.Key}' and {Have(failed.Count())} no outcome; "
                + $"POST .../retry-failed runs {Them(failed.Count())} again. "
                + $"First: job {failed.First().JobId}.";
        var canceled = compared.Count(cell => cell.Status == JobStatus.Canceled);
        if (canceled > 0 && sweep.Status != JobStatus.Canceled)
            yield return $"{Numbers.Count(canceled, "cell")} {Were(canceled)} canceled and {Have(canceled)} no outcome; "
                + $"POST .../retry-failed runs {Them(canceled)}.";
        var diverged = compared.Where(cell => cell.Diverged).ToList();
        if (diverged.Count > 0)
            yield return $"{Numbers.Count(diverged.Count, "run")} diverged. That is an outcome: means are over the runs that finished, "
                + "and in comparisons a diverged run is worse than any that finished.";
        var unmeasured = compared.Count(cell => cell is { HasOutcome: true, Diverged: false } && metric.Of(cell) is null);
        if (unmeasured > 0)
            yield return $"{Numbers.Count(unmeasured, "run")} that finished {Have(unmeasured)} no finite value of '{metric.Name}' "
                + "(through a dead layer, for one, no gradient flows); means and comparisons are without them.";
        foreach (var warning in SweepWarnings.Of(spec))
            yield return warning;
        var shared = compared.Count - compared.Select(cell => cell.JobId).Distinct().Count();
        if (shared > 0)
            yield return $"{Numbers.Count(shared, "cell")} {Have(shared)} the same spec as another one and "
                + $"{(shared == 1 ? "shares" : "share")} its job, since an equal run gives equal bits.";
        if (metric.Name is "trainAccuracy" or "trainLoss" or "validationAccuracy" or "validationLoss")
            yield return $"The metric '{metric.Name}' is not measured on test rows: it tells how well the data is fitted or was tuned for, "
                + "not how well new data is predicted.";
        var versions = Distinct(compared, cell => cell.Result?.EngineVersion);
        if (versions.Count > 1)
            yield return $"The cells ran on different engine versions ({string.Join(", ", versions)}).";
    }

    private static string Have(int count) => count == 1 ? "has" : "have";

    private static string Were(int count) => count == 1 ? "was" : "were";

    private static string Them(int count) => count == 1 ? "it" : "them";

    private static IReadOnlyList<string> Distinct(IEnumerable<CellResult> cells, Func<CellResult, string?> value) =>
        [.. cells.Select(value).OfType<string>().Distinct().Order()];
}
