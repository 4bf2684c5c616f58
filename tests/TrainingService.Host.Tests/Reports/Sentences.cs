using System.Text.RegularExpressions;
using TrainingService.Host.Reports;

namespace TrainingService.Host.Tests.Reports;

/// <summary>What every report must keep to, whatever came out. Each world that a test makes by hand is held against it.</summary>
public static partial class Sentences
{
    public const int MostWords = 40;

    /// <summary>Nothing that a report says is longer, and its numbers are written as people write them.</summary>
    public static void MustBeReadable(SweepReport report) => Assert.All(TextsOf(report), MustBeReadable);

    public static void MustBeReadable(string text)
    {
        foreach (var sentence in End().Split(text))
            Assert.True(Blank().Split(sentence.Trim()).Length <= MostWords, $"{Blank().Split(sentence.Trim()).Length} words: {sentence}");
        Assert.DoesNotMatch(@"(^|[\s(±×])-\d", text);
        Assert.DoesNotMatch(@"\d[eE][-+]?\d", text);
        Assert.DoesNotMatch(@"NaN|Infinity|(?<![\d.,])1 (points|seeds|runs|cells)\b|p = 0\.\d{4}", text);
        Assert.DoesNotMatch(@"\d{5,} seeds", text);
    }

    private static IEnumerable<string> TextsOf(SweepReport report) =>
    [
        report.Headline.Sentence, report.Answer, .. report.Next is { } next ? [next.Sentence] : (string[])[],
        .. report.Method is { } method ? [method] : (string[])[], .. report.Split is { } split ? [split.GeneralizesTo] : (string[])[],
        .. report.Notes, .. report.Contrasts.Select(contrast => contrast.Sentence),
        .. (report.Claims ?? []).SelectMany(claim => claim.Statements.SelectMany(s => new[] { s.Text, s.Evidence })
            .Append(claim.Claim).Append(claim.Literature ?? "")),
    ];

    [GeneratedRegex(@"(?<=[.?!])\s+")]
    private static partial Regex End();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();
}
