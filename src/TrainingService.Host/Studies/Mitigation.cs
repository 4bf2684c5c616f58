namespace TrainingService.Host.Studies;

/// <summary>C1, like for like: off on every row is the same measure for every activation, whether a gradient passes there or not.</summary>
public static class Mitigation
{
    private const double Delta = 0.01;

    /// <summary>What it is judged by, besides the accuracy.</summary>
    public static IReadOnlyList<Comparisons> Comparisons(params IReadOnlyList<(string Leaky, string Relu)> pairs) =>
        [new("offEveryRowFraction", Delta, pairs), new("cameBackFraction", 0.05, pairs)];

    /// <summary>Whether leaky ReLU mitigates dying units, statement by statement.</summary>
    /// <param name="where">At which settings, in a sentence.</param>
    /// <param name="elsewhere">What other settings show.</param>
    /// <param name="anyway">Also of nets that learned nothing: where that is the question.</param>
    public static ClaimReport Judge(StudyEvidence e, string leaky, string relu, string where, string? elsewhere = null,
        bool anyway = false)
    {
        var claim = Claims.C1;
        // where nets that learned nothing count, so do the units that were never on
        var counted = anyway ? "Units that were off from the first step on are counted, too." : null;
        ArmMean Off(string arm) => e.Mean("offEveryRowFraction", arm, anyway);
        Comparison By(string metric) => e.Compare(metric, leaky, relu, anyway);
        return claim.Report(
            claim['a'].SomeButNotAll(Off(relu), Delta, where, counted),
            claim['b'].Lower(By("offEveryRowFraction"), where, $"{Off(relu).Sentence} {Off(leaky).Sentence} {counted}{elsewhere}".Trim()),
            claim['c'].Higher(By("cameBackFraction"), where, "Of the units that were off on every row at some "
                + "evaluation, counted are those that are on again at the end; seeds with which no unit of an arm was off "
                + "tell nothing."),
            claim['d'].NotWorse(By("testAccuracy"), where));
    }
}
