using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>Why a sweep has the seeds that it has, and what its looks cost, in words.</summary>
public static class LookNotes
{
    public static IEnumerable<string> Of(Sweep sweep, IReadOnlyList<CellResult> cells, IReadOnlyList<ContrastResult> contrasts)
    {
        var spec = sweep.Spec;
        var looks = SweepLookResponse.AllOf(spec);
        if (spec.Until is { AtMost: { } atMost })
            yield return $"{Why(sweep, cells, contrasts, atMost)} {Cost(looks)}"
                + (looks.Zip(looks.Skip(1)).Any(pair => pair.Second.Decided < pair.First.Decided)
                    ? " What was decided at one look can be open at the next: verdicts are of all seeds." : "");
        if (!sweep.Extended)
            yield break;
        if (looks.Count == 0)
        {
            yield return "Seeds or arms were added after a look that an earlier version did not note: p-values don't pay for it.";
            yield break;
        }
        var before = looks.LastOrDefault(look => look.Seeds < spec.Seeds.Count);
        yield return before switch
        {
            null => "Arms were added after a look at the others; the adjusted p-values are over all comparisons.",
            { AlphaLeft: > 0 } => $"Seeds were added by hand after a look at {before.Seeds}, when {Number(before.AlphaLeft)} of alpha was "
                + "left; the adjusted p-values pay for both looks.",
            _ => $"Seeds were added by hand after a look at {before.Seeds}, which had spent all of alpha. They narrow the intervals, but "
                + "no difference that was not significant then can become so. A new sweep with \"seeds\": {\"until\": \"decided\"} "
                + "plans its "
                + "looks.",
        };
    }

    private static string Why(Sweep sweep, IReadOnlyList<CellResult> cells, IReadOnlyList<ContrastResult> contrasts, int atMost)
    {
        var seeds = sweep.Spec.Seeds.Count;
        var decided = contrasts.Count(SweepLooks.IsDecided);
        var stopped = $"The sweep stopped with {seeds} of at most {atMost} seeds";
        return sweep.Spec.Stopped switch
        {
            SweepStop.Decided => $"{stopped}, because "
                + $"{(contrasts.Count == 1 ? "its comparison was" : $"all {contrasts.Count} comparisons were")} decided."
                + (seeds < atMost && contrasts.Any(contrast => SweepLooks.IsDecided(contrast) && !contrast.Equivalence.Equivalent)
                    ? " What stops when a difference shows tends to show it somewhat too large." : ""),
            SweepStop.AtMost => $"{stopped}, with {decided} of {contrasts.Count} comparisons decided.",
            SweepStop.Budget => $"{stopped}, because it had run for {Number(sweep.Spec.BudgetSeconds ?? 0)} seconds, "
                + $"with {decided} of {contrasts.Count} comparisons decided.",
            SweepStop.Hopeless => $"{stopped}: {decided} of {contrasts.Count} {(contrasts.Count == 1 ? "comparison" : "comparisons")} "
                + $"decided. {Prose.Capital(Open(contrasts.Count - decided, decided))} "
                + (contrasts.Count(contrast => contrast.BeyondSeeds) == contrasts.Count - decided
                    ? "can't be decided by more seeds of these rows"
                        + (sweep.Spec.TestToTrain(sweep.Spec.By) > 0
                            && contrasts.All(contrast => !contrast.BeyondSeeds || contrast.SdDifference > 0) ? ", as far as the intervals "
                                + "allow for the training rows that seeds share. More rows, or a larger delta, may help." : ".")
                    : $"{(contrasts.Count - decided == 1 ? "has" : "have")}, as far as the spread between seeds tells, a chance below "
                        + $"{Number(100 * Prospects.Least)} %{(contrasts.Count - decided == 1 ? "" : " each")} to be decided with "
                        + $"{atMost} seeds. More rows to test on, or a larger "
                        + "delta, may help more than seeds."),
            _ when sweep.IsFinished => $"The sweep ended with {seeds} of at most {atMost} seeds, "
                + $"with {decided} of {contrasts.Count} comparisons decided.",
            _ => $"The sweep runs until decided, with at most {atMost} seeds; so far {decided} of {contrasts.Count} comparisons are.",
        };
    }

    private static string Open(int open, int decided) => (open, decided) switch
    {
        (1, 0) => "it",
        (_, 0) => "they",
        (1, _) => "the other one",
        (2, _) => "the other two",
        _ => $"the other {open}",
    };

    private static string Cost(IReadOnlyList<SweepLookResponse> looks) => looks.Count == 0 ? "It has not looked yet."
        : $"It looked {looks.Count switch { 1 => "once", 2 => "twice", var times => $"{times} times" }} (with "
            + $"{Seeds(looks)} seeds), and adjusted p-values and intervals pay for all looks; "
            + $"{Number(looks[^1].AlphaLeft)} of the risk of 0.05 is left.";

    private static string Seeds(IReadOnlyList<SweepLookResponse> looks) => looks.Count <= 8 ? string.Join(", ", looks.Select(look =>
        look.Seeds))
        : $"{looks[0].Seeds}, {looks[1].Seeds}, … {looks[^1].Seeds}";

    private static string Number(double value) => Numbers.Short(value);
}
