using TrainingService.Host.Statistics;

namespace TrainingService.Host.Sweeps;

/// <summary>A look at a sweep's seeds, as it is stored with the sweep.</summary>
/// <param name="Seeds">Seeds of each arm that there were.</param>
/// <param name="At">When.</param>
/// <param name="Decided">Comparisons that were decided.</param>
/// <param name="Of">Comparisons in all.</param>
/// <param name="Share">Share of the risk that it was planned to have spent by then; see <see cref="Looks"/>.</param>
public sealed record SweepLook(int Seeds, DateTimeOffset At, int Decided, int Of, double Share);

/// <summary>Why a sweep that runs until decided began no further batch of seeds.</summary>
public enum SweepStop
{
    /// <summary>Every comparison is decided.</summary>
    Decided,

    /// <summary>There are as many seeds as were asked for at most.</summary>
    AtMost,

    /// <summary>It had run for as long as was asked for.</summary>
    Budget,

    /// <summary>No comparison that is open is likely to be decided with the seeds that it may still have.</summary>
    Hopeless,
}

/// <summary>A look at a sweep's seeds, as clients see it.</summary>
/// <param name="Seeds">Seeds of each arm that there were.</param>
/// <param name="At">When it looked.</param>
/// <param name="Decided">Comparisons that were decided by then.</param>
/// <param name="Of">Comparisons in all.</param>
/// <param name="AlphaSpent">
/// Of the risk of 0.05 to find a difference where there is none, in any comparison and at any look, how much was spent by then.
/// </param>
/// <param name="AlphaLeft">How much was left for later looks.</param>
public sealed record SweepLookResponse(int Seeds, DateTimeOffset At, int Decided, int Of, double AlphaSpent, double AlphaLeft)
{
    public static IReadOnlyList<SweepLookResponse> AllOf(SweepPlan plan)
    {
        if (plan.Looks.Count == 0)
            return [];
        // What the last look could not spend by its few signs is left, too: hence one more look to come.
        var looks = plan.Looks;
        var spent = new Looks([.. looks.Select(look => look.Seeds), looks[^1].Seeds + 1], [.. looks.Select(look => look.Share), 1])
            .OnTests(Math.Max(1, plan.Contrasts.Count));
        return [.. looks.Select((look, index) => new SweepLookResponse(look.Seeds, look.At, look.Decided, look.Of,
            Rounded(Tails.Alpha * spent[index]), Rounded(Tails.Alpha * (1 - spent[index]))))];
    }

    private static double Rounded(double alpha) => Math.Round(alpha, 6);
}
