using System.Text;
using System.Text.RegularExpressions;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>A report as Markdown with tables (GitHub's dialect). Charts come as the tables of their numbers.</summary>
public static partial class ReportMarkdown
{
    public static string Write(string title, IReadOnlyList<Section> sections)
    {
        var text = new StringBuilder($"# {Escape(title)}\n");
        foreach (var section in sections)
        {
            text.Append($"\n## {Escape(section.Title)}\n");
            foreach (var block in section.Blocks)
                Add(text, block);
        }
        return text.ToString();
    }

    private static void Add(StringBuilder text, Block block)
    {
        text.Append('\n');
        switch (block)
        {
            case Paragraph paragraph:
                text.Append($"{Escape(paragraph.Text)}\n");
                break;
            case Lead lead:
                text.Append($"**{Cell.Sign(lead.Headline.Verdict)} {Escape(lead.Headline.Sentence)}**\n");
                break;
            case Setup setup:
                text.Append($"{Escape(string.Join(" · ", setup.Parts))}\n");
                break;
            case Forest forest:
                Add(text, new Table(Prose.Capital(forest.Axis), ["comparison", "verdict", "difference (95 % interval)"],
                    [.. forest.Rows.Select(row => new Row([row.Label, Cell.Of(row.Verdict), row.Figures]))]));
                break;
            case Next next:
                text.Append($"Next: {Escape(next.Text)}\n");
                if (next.Command is { } command)
                    text.Append($"\n{Fence(command)}sh\n{command}\n{Fence(command)}\n");
                break;
            case Bullets bullets:
                foreach (var item in bullets.Items)
                    text.Append($"- {Escape(item)}\n");
                break;
            case Table table:
                Add(text, table);
                break;
            case Figure figure:
                text.Append($"### {Escape(figure.Title)}\n");
                if (figure.Text is { } how)
                    text.Append($"\n{Escape(how)}\n");
                foreach (var numbers in ChartTables.Of(figure))
                    Add(text, (Block)numbers);
                break;
            case Listing listing:
                var fence = Fence(listing.Text);
                text.Append($"### {Escape(listing.Caption)}\n\n{fence}json\n{listing.Text}\n{fence}\n");
                break;
            case Links links:
                text.Append($"{Escape(links.Caption)}: "
                    + $"{string.Join(", ", links.Items.Select(item => $"[{Escape(item.Text)}]({item.Address})"))}\n");
                break;
        }
    }

    /// <summary>A fence longer than any in the text can't be closed by it.</summary>
    private static string Fence(string text) =>
        new('`', Math.Max(3, Backticks().Matches(text).Select(match => match.Length).DefaultIfEmpty().Max() + 1));

    private static void Add(StringBuilder text, Table table)
    {
        text.Append($"*{Escape(table.Caption)}*\n\n");
        Line(table.Columns.Select(Escape));
        Line(table.Columns.Select(_ => "---"));
        foreach (var row in table.Rows)
            Line(row.Cells.Select(cell => cell.Link is { } link && link[0] == '/' ? $"[{Escape(cell.Text)}]({link})" : Escape(cell.Text)));
        if (table.Rows.Any(row => row.Below is not null))
        {
            text.Append('\n');
            foreach (var row in table.Rows)
                if (row.Below is { } below)
                    text.Append($"- {Escape(row.Cells[0].Text.TrimEnd('.'))}: {Escape(below)}\n");
        }

        void Line(IEnumerable<string> cells) => text.Append("| ").AppendJoin(" | ", cells).Append(" |\n");
    }

    /// <summary>What somebody typed must neither end a cell nor become a heading, a link or HTML.</summary>
    private static string Escape(string text) => LineEnds().Replace(Special().Replace(text, @"\$0"), " ");

    [GeneratedRegex(@"[\\`*_\[\]<>|#~&]|(?<=^\s*)[-+](?=\s)|(?<=^\s*\d+)[.)](?=\s)")]
    private static partial Regex Special();

    [GeneratedRegex(@"\s*[\r\n\u2028\u2029]\s*")]
    private static partial Regex LineEnds();

    [GeneratedRegex("`+")]
    private static partial Regex Backticks();
}
