using System.Text;
using System.Text.RegularExpressions;

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
                text.Append(paragraph.Lead ? $"**{Escape(paragraph.Text)}**\n" : $"{Escape(paragraph.Text)}\n");
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
                // A fence longer than any in the text can't be closed by it.
                var fence = new string('`',
                    Math.Max(3, Backticks().Matches(listing.Text).Select(match => match.Length).DefaultIfEmpty().Max() + 1));
                text.Append($"### {Escape(listing.Caption)}\n\n{fence}json\n{listing.Text}\n{fence}\n");
                break;
            case Links links:
                text.Append($"{Escape(links.Caption)}: "
                    + $"{string.Join(", ", links.Items.Select(item => $"[{Escape(item.Text)}]({item.Address})"))}\n");
                break;
        }
    }

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
