using System.Xml.Linq;
using TrainingService.Host.Reports;

namespace TrainingService.Host.Tests.Reports;

public sealed class ReportPageTests
{
    private static readonly XElement Page = Parse(3);

    [Fact]
    public void The_order_is_answer_statements_pictures_statistics_words_notes_literature_provenance()
    {
        Assert.Equal("answer claims asked learning gradients layers born-dead comparisons arms trials words notes looks literature "
            + "provenance",
            string.Join(' ', Page.Descendants("section").Select(section => section.Attribute("id")!.Value)));
        // what is seen first, in its order
        Assert.Equal(["h2", "p lead supported", "ul setup", "figure forest", "div next"], Page.Descendants("section").First().Elements()
            .Select(e => $"{e.Name.LocalName} {e.Attribute("class")?.Value}".Trim()));
        Assert.Equal("Does leaky ReLU beat ReLU here?", Page.Descendants("h1").Single().Value);
        Assert.Equal($"✔Arm 1 is better than relu & {SampleReport.Script}.", Lead().Value);
        Assert.Equal(["digits", "2 hidden layers", "8 seeds", "not tuned", "28 November 2026"],
            Page.Descendants("ul").Single(ul => ul.Attribute("class")?.Value == "setup").Elements().Select(part => part.Value));
        Assert.EndsWith("-d '{\"seedCount\":12}'", Page.Descendants("pre").First().Value, StringComparison.Ordinal);
        // the contents come after it
        Assert.Equal("section", Page.Descendants("nav").Single().ElementsBeforeSelf().Last().Name.LocalName);

        static XElement Lead() =>
            Page.Descendants("p").Single(p => p.Attribute("class")?.Value.StartsWith("lead", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void It_has_landmarks_a_language_and_headings_without_gaps()
    {
        Assert.Equal("en", Page.Attribute("lang")!.Value);
        foreach (var landmark in (string[])["header", "nav", "main", "footer", "h1", "title"])
            Assert.Single(Page.Descendants(landmark));
        Assert.All(Page.Descendants("section"),
            section => Assert.Equal($"{section.Attribute("id")!.Value}-title", section.Attribute("aria-labelledby")!.Value));
        var levels = Page.Descendants().Select(e => e.Name.LocalName)
            .Where(name => name is ['h', >= '1' and <= '6']).Select(name => name[1] - '0').ToList();
        Assert.All(levels.Zip(levels.Skip(1)), pair => Assert.True(pair.Second <= pair.First + 1));
    }

    [Fact]
    public void Every_table_has_a_caption_and_headers_with_scope()
    {
        Assert.All(Page.Descendants("table"), table =>
        {
            Assert.NotEmpty(table.Element("caption")!.Value);
            Assert.All(table.Descendants("th"), th => Assert.Contains(th.Attribute("scope")?.Value, (string[])["col", "row"]));
            var columns = table.Element("thead")!.Element("tr")!.Elements().Count();
            Assert.All(table.Element("tbody")!.Elements("tr"),
                row => Assert.Equal(columns, row.Elements().Sum(cell => (int?)cell.Attribute("colspan") ?? 1)));
        });
    }

    [Fact]
    public void It_loads_and_runs_nothing()
    {
        var text = Text(3);
        Assert.DoesNotContain(Page.Descendants(),
            e => e.Name.LocalName is "script" or "link" or "img" or "iframe" or "object" or "embed" or "image" or "use");
        Assert.DoesNotContain("@import", text, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", text, StringComparison.Ordinal);
        Assert.DoesNotMatch("\\son\\w+=", text);
        Assert.All(Page.Descendants().Attributes().Where(a => a.Name.LocalName is "href" or "src"),
            a => Assert.Matches("^(#|/api/v1/)", a.Value));
        Assert.DoesNotMatch("https?:", text.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal));
    }

    [Fact]
    public void Links_within_the_page_lead_somewhere_and_ids_are_unique()
    {
        var ids = Page.Descendants().Attributes("id").Select(id => id.Value).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Subset(ids.ToHashSet(), Page.Descendants("a").Select(a => a.Attribute("href")!.Value)
            .Where(href => href[0] == '#').Select(href => href[1..]).ToHashSet());
    }

    [Fact]
    public void Each_arm_leads_to_its_jobs_by_seed()
    {
        var arms = Page.Descendants("section").Single(s => s.Attribute("id")!.Value == "arms");
        var link = arms.Descendants("tr").Single(row => row.Value.StartsWith(SampleReport.Odd, StringComparison.Ordinal))
            .Descendants("a").Single().Attribute("href")!.Value;
        var jobs = Page.Descendants("details").Single(details => "#" + details.Attribute("id")?.Value == link).Descendants("a").ToList();
        Assert.Equal(Enumerable.Range(0, 8).Select(seed => ($"seed {seed + 1}", $"/api/v1/jobs/{SampleReport.Job(2, seed)}")),
            jobs.Select(a => (a.Value, a.Attribute("href")!.Value)));
    }

    [Fact]
    public void A_claim_is_the_table_of_its_statements_each_with_sign_word_effect_and_sentence()
    {
        var claim = Page.Descendants("table").Single(table =>
            table.Element("caption")!.Value == "C1: Leaky ReLU mitigates dying ReLU units.");
        var statements = claim.Descendants("tr").Where(row => row.Value.StartsWith("C1", StringComparison.Ordinal)).ToList();
        Assert.Equal(["✔ supported", "✘ refuted"], statements.Select(row => row.Descendants("span").Single().Value));
        Assert.Equal(["C1b: Fewer units are off.", "✔ supported", "−4.1 points", "−5 to −3.3 points", "arm 1 against relu", "8"],
            statements[0].Elements().Select(cell => cell.Value));
        Assert.Contains(Page.Descendants("section").Single(s => s.Attribute("id")!.Value == "words").Descendants("td"),
            cell => cell.Value == "Dead units fell by 4.1 points.");
        var open = Page.Descendants("section").Single(s => s.Attribute("id")!.Value == "claims").Descendants("tr")
            .Single(row => row.Value.StartsWith("C8a", StringComparison.Ordinal));
        Assert.Equal("? inconclusive", open.Descendants("span").Single().Value);
        Assert.Equal(SampleReport.Odd, open.Elements().Last().Value);
    }

    [Fact]
    public void Numbers_are_rounded_and_accuracies_are_in_per_cent()
    {
        var report = SampleReport.Of(3);
        var arm = Page.Descendants("section").Single(s => s.Attribute("id")!.Value == "arms").Descendants("tr")
            .Single(row => row.Value.StartsWith("arm 1", StringComparison.Ordinal)).Elements().Select(e => e.Value).ToList();
        Assert.Equal(["arm 1", "8", $"{100 * report.Arms[1].Mean!.Value:F1} %"], arm.Take(3));
        var comparison = Page.Descendants("section").Single(s => s.Attribute("id")!.Value == "comparisons")
            .Descendants("tr").First(row => row.Value.StartsWith("arm 1", StringComparison.Ordinal));
        Assert.Contains("+1 point", comparison.Elements().Select(e => e.Value));
        Assert.Matches("p = 0\\.0\\d\\d", comparison.Value);
    }

    [Fact]
    public void What_others_found_stands_apart_from_what_was_measured()
    {
        var page = Parse(3);   // of its own: it is changed
        var literature = page.Descendants("section").Single(s => s.Attribute("id")!.Value == "literature");
        Assert.Contains("Nothing in this section was measured here.", literature.Value, StringComparison.Ordinal);
        Assert.Contains("It can't die by construction.", literature.Value, StringComparison.Ordinal);
        literature.Remove();
        Assert.DoesNotContain("It can't die by construction.", page.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_chart_has_a_table_and_the_curves_of_all_arms()
    {
        XNamespace svg = "http://www.w3.org/2000/svg";
        var learning = Page.Descendants("section").Single(s => s.Attribute("id")!.Value == "learning");
        // accuracy on two splits, loss on one, cost
        Assert.Equal(4, learning.Descendants(svg + "svg").Count(chart => chart.Attribute("role")?.Value == "img"));
        Assert.Equal(3, learning.Descendants("table").Count());
        Assert.Equal(["relu", "arm 1", $"{SampleReport.Odd} (✕ 1 of 8 diverged)"],
            learning.Descendants("ul").Single(ul => ul.Attribute("class")?.Value == "legend").Elements().Select(entry => entry.Value));
        Assert.Contains("bands their 95 % intervals (Student's t)", learning.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_arms_the_baseline_the_best_and_the_worst_are_drawn_and_all_are_in_the_tables()
    {
        var page = Parse(50);
        var learning = page.Descendants("section").Single(s => s.Attribute("id")!.Value == "learning");
        var names = learning.Descendants("ul").Single(ul => ul.Attribute("class")?.Value == "legend").Elements().Select(t => t.Value)
            .ToHashSet();
        Assert.Superset(new HashSet<string> { "relu", "arm 49", "arm 48", "arm 1" }, names);
        Assert.DoesNotContain("arm 25", names);
        Assert.Contains("8 of 50 arms are shown", learning.Value, StringComparison.Ordinal);
        Assert.Equal(50, page.Descendants("section").Single(s => s.Attribute("id")!.Value == "arms")
            .Descendants("tbody").Single().Elements("tr").Count());
        Assert.InRange(Text(12, 24).Length, 0, 250_000);
    }

    [Fact]
    public void Two_seeds_have_no_band_and_it_says_so()
    {
        var sections = ReportContent.Of(SampleReport.Of(2, 2), SampleReport.Curves(2, 2));
        var page = ReportPage.Write("t", sections);
        Assert.Contains("with fewer than three there is no band", page, StringComparison.Ordinal);
        Assert.DoesNotContain("fill-opacity=\"0.16\"", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sweep_without_any_outcome_has_a_page()
    {
        var report = SampleReport.Of(2) with
        {
            Claims = null,
            Contrasts = [],
            Trials = null,
            Cells = null,
            Method = null,
            Question = null,
            Notes = [],
            Name = null,
            Study = null,
            Status = Host.Jobs.JobStatus.Running,
            Looks = [],
        };
        report = report with
        {
            Arms = [.. report.Arms.Select(arm =>
                arm with { N = 0, Mean = null, Sd = null, Ci95 = null, Median = null, SecondsPerEpoch = null, Layers = [], Jobs = [] })],
        };
        var empty = new ArmCurves(new Dictionary<(string, Engine.Training.Split), IReadOnlyList<CurveStat>>(),
            [], new Dictionary<(string, int), IReadOnlyList<CurveStat>>(), [], []);
        var sections = ReportContent.Of(report, [empty, empty]);
        Assert.Equal(["answer", "arms", "words", "provenance"], sections.Select(section => section.Id));
        Assert.Contains("The sweep is running", ReportPage.Write(ReportContent.Title(report), sections), StringComparison.Ordinal);
        // nobody reads an id
        Assert.Equal("Which of 2 arms is best on digits: relu, arm 1?", ReportContent.Title(report));
    }

    private static string Text(int arms, int seeds = 8)
    {
        var report = SampleReport.Of(arms, seeds);
        return ReportPage.Write(ReportContent.Title(report), ReportContent.Of(report, SampleReport.Curves(arms), SampleReport.Asked));
    }

    /// <summary>The page is well-formed XML too, so a parser that forgives nothing reads it.</summary>
    private static XElement Parse(int arms) => XDocument.Parse(Text(arms)).Root!;
}
