using System.Text.RegularExpressions;
using TrainingService.Host.Reports;

namespace TrainingService.Host.Tests.Reports;

public sealed partial class ReportMarkdownTests
{
    private static readonly string Text = Write(3);

    [Fact]
    public void Sections_come_in_the_order_of_the_page()
    {
        Assert.StartsWith("# Does leaky ReLU beat ReLU here?", Text, StringComparison.Ordinal);
        Assert.Contains("\n**✔ Arm 1 is better than relu \\& \\<script\\>", Text, StringComparison.Ordinal);
        Assert.Equal(["The answer", "Statements", "How the arms learned", "Gradients", "Layers", "Nets born dead", "Comparisons", "Arms",
            "What was tried in tuning", "In words", "Notes", "When the sweep looked", "What others have found",
                "Where the figures come from"],
            Text.Split('\n').Where(line => line.StartsWith("## ", StringComparison.Ordinal)).Select(line => line[3..]));
    }

    [Fact]
    public void Every_row_of_a_table_has_as_many_cells_as_its_header()
    {
        var lines = Text.Split('\n');
        var tables = 0;
        for (var i = 1; i < lines.Length; i++)
        {
            if (!lines[i].StartsWith("| ---", StringComparison.Ordinal))
                continue;
            tables++;
            Assert.Equal("", lines[i - 2]);
            var columns = Cells(lines[i - 1]);
            for (var row = i; lines[row].StartsWith('|'); row++)
                Assert.Equal(columns, Cells(lines[row]));
        }
        Assert.InRange(tables, 10, 40);

        static int Cells(string line) => Pipe().Count(line) - 1;
    }

    [Fact]
    public void What_somebody_typed_stays_text()
    {
        Assert.DoesNotContain("<", Unescaped(), StringComparison.Ordinal);
        Assert.Contains(@"\<b\>o\</b\> \| \*a\* \& \[x\](y)", Text, StringComparison.Ordinal);

        static string Unescaped() => Fenced().Replace(Text, "").Replace(@"\<", "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("# no heading", @"\# no heading")]
    [InlineData("- no list", @"\- no list")]
    [InlineData("1. no list", @"1\. no list")]
    [InlineData("two\n\nlines", "two lines")]
    [InlineData("−0.5 [−1, 2]", @"−0.5 \[−1, 2\]")]
    public void Marks_are_escaped(string typed, string written) =>
        Assert.Contains($"\n{written}\n", ReportMarkdown.Write("t", [new("a", "A", [new Paragraph(typed)])]), StringComparison.Ordinal);

    [Fact]
    public void A_listing_can_not_be_ended_by_its_own_text() =>
        Assert.Contains("\n````json\n```\n````\n",
            ReportMarkdown.Write("t", [new("a", "A", [new Listing("spec", "```")])]), StringComparison.Ordinal);

    [Fact]
    public void Jobs_and_curves_can_be_followed()
    {
        Assert.Contains($"[seed 1](/api/v1/jobs/{SampleReport.Job(0, 0)})", Text, StringComparison.Ordinal);
        Assert.Contains("| On the validation rows, arm 1 | 10 \\[9.16, 10.8\\] |", Text, StringComparison.Ordinal);
    }

    private static string Write(int arms)
    {
        var report = SampleReport.Of(arms);
        return ReportMarkdown.Write(ReportContent.Title(report), ReportContent.Of(report, SampleReport.Curves(arms)));
    }

    [GeneratedRegex(@"(?<!\\)\|")]
    private static partial Regex Pipe();

    [GeneratedRegex("```.*?```", RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
