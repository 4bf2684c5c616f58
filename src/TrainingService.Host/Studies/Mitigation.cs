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
    public static ClaimReport Judge(StudyEvidence e, string leaky, string relu, string where, string? elsewhere = null)
    {
        var claim = Claims.C1;
        ArmMean Off(string arm) => e.Mean("offEveryRowFraction", arm);
        Comparison By(string metric) => e.Compare(metric, leaky, relu);
        return claim.Report(
            claim['a'].SomeButNotAll(Off(relu), Delta, where),
            claim['b'].Lower(By("offEveryRowFraction"), where, $"{Off(relu).Sentence} {Off(leaky).Sentence} {elsewhere}".Trim()),
            claim['c'].Higher(By("cameBackFraction"), where, "Of the units that were off on every row at some "
                + "evaluation, counted are those that are on again at the end; seeds with which no unit of an arm was off "
                + "tell nothing."),
            claim['d'].NotWorse(By("testAccuracy"), where));
    }
}
