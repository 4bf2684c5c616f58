namespace TrainingService.Host.Statistics;

/// <summary>An answer that is read at a glance.</summary>
/// <param name="Verdict">Its sign.</param>
/// <param name="Sentence">In one sentence.</param>
public sealed record Headline(Verdict Verdict, string Sentence)
{
    /// <summary>The one verdict of several comparisons: what is true of any decided one, open if none is.</summary>
    public static Verdict Of(IEnumerable<Verdict> verdicts) => verdicts.ToHashSet() is var all && all.Count == 0 ? Verdict.Inconclusive
        : new[] { Verdict.Supported, Verdict.Higher, Verdict.Lower, Verdict.Refuted, Verdict.Negligible, Verdict.Equivalent }
            .Where(all.Contains).DefaultIfEmpty(Verdict.Inconclusive).First();
}
