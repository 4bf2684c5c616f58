using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace TrainingService.Host.Reports;

/// <summary>
/// A report as one HTML page that needs nothing from outside: it can be saved, mailed and printed, and reads well on
/// a phone and in a screen reader.
/// </summary>
public static class ReportPage
{
    private const string Style = """
        :root { color-scheme: light dark;
          --ink: #1a1a1a; --faint: #595959; --paper: #fff; --line: #d0d0d0; --soft: #f4f5f7; --link: #0b57a4;
          --supported: #00662b; --refuted: #a11a1a; --equivalent: #0b57a4; --inconclusive: #5c4a00; }
        @media (prefers-color-scheme: dark) { :root {
          --ink: #e8e8e8; --faint: #b0b0b0; --paper: #17191c; --line: #44484e; --soft: #22252a; --link: #8ec2ff;
          --supported: #7fd8a0; --refuted: #ff9b94; --equivalent: #8ec2ff; --inconclusive: #e3c878; } }
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 68rem; padding: 1.5rem 1rem 4rem; background: var(--paper); color: var(--ink);
          font: 1rem/1.55 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
        h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
        h2 { font-size: 1.25rem; margin: 2.6rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--line); }
        h3 { font-size: 1.05rem; margin: 1.6rem 0 .3rem; }
        p, ul { max-width: 48rem; }
        a { color: var(--link); }
        nav ul { list-style: none; padding: 0; margin: .8rem 0 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; max-width: none; }
        .lead { font-size: 1.2rem; line-height: 1.5; padding: .9rem 1.1rem; background: var(--soft); border-left: .3rem solid var(--link); }
        .faint, figcaption, caption { color: var(--faint); font-size: .92rem; }
        .scroll { overflow-x: auto; margin: .8rem 0; }
        table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
        caption { text-align: left; padding-bottom: .4rem; }
        th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-top: 1px solid var(--line); }
        thead th { border-top: 0; font-weight: 600; vertical-align: bottom; }
        tbody th { font-weight: 600; min-width: 8rem; overflow-wrap: anywhere; }
        td { white-space: nowrap; }
        .words td { white-space: normal; min-width: 7rem; }
        tr.below td { border-top: 0; white-space: normal; padding: 0 0 .8rem; color: var(--faint); }
        tr.below div { position: sticky; left: 0; max-width: min(46rem, calc(100vw - 3rem)); }
        .verdict { font-weight: 700; white-space: nowrap; }
        .supported { color: var(--supported); } .refuted { color: var(--refuted); }
        .equivalent, .negligible, .higher, .lower { color: var(--equivalent); } .inconclusive { color: var(--inconclusive); }
        figure { margin: 1rem 0; }
        .charts { display: grid; grid-template-columns: 1fr; gap: .8rem; }
        .charts.small { grid-template-columns: repeat(auto-fill, minmax(18rem, 1fr)); }
        .charts svg { display: block; border: 1px solid var(--line); border-radius: 4px; }
        .wide { overflow-x: auto; } .wide svg { min-width: 34rem; }
        details { margin: .6rem 0; } summary { cursor: pointer; color: var(--link); }
        .jobs { columns: 9rem; padding: 0; list-style: none; max-width: none; font-size: .92rem; }
        pre { overflow-x: auto; background: var(--soft); padding: .8rem; font-size: .85rem; }
        @media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
          figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; } a { color: inherit; text-decoration: none; }
          .scroll, .wide { overflow: visible; } .wide svg { min-width: 0; } }
        """;

    /// <summary>Leaves all letters as they are and escapes what means something in HTML.</summary>
    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>For the Content-Security-Policy header: the page may load and run nothing, and stands by itself.</summary>
    public const string Policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    public static string Write(string title, IReadOnlyList<Section> sections)
    {
        var contents = string.Concat(sections.Select(section => $"<li><a href=\"#{section.Id}\">{E(section.Title)}</a></li>"));
        var page = new StringBuilder($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>{E(title)}</title>
            <style>
            {Style}
            </style>
            </head>
            <body>
            <header>
            <h1>{E(title)}</h1>
            <nav aria-label="Contents"><ul>{contents}</ul></nav>
            </header>
            <main>

            """);
        foreach (var section in sections)
        {
            page.Append($"<section id=\"{section.Id}\" aria-labelledby=\"{section.Id}-title\">\n<h2 "
                + $"id=\"{section.Id}-title\">{E(section.Title)}</h2>\n");
            foreach (var block in section.Blocks)
                Add(page, block);
            page.Append("</section>\n");
        }
        return page.Append("</main>\n<footer><p class=\"faint\">Measured by TrainingService. "
            + "✔ supported, ✘ refuted, ≈ equivalent, ? inconclusive.</p></footer>\n</body>\n</html>\n").ToString();
    }

    private static void Add(StringBuilder page, Block block)
    {
        switch (block)
        {
            case Paragraph paragraph:
                page.Append($"<p{(paragraph.Lead ? " class=\"lead\"" : "")}>{E(paragraph.Text)}</p>\n");
                break;
            case Bullets bullets:
                page.Append($"<ul>{string.Concat(bullets.Items.Select(item => $"<li>{E(item)}</li>"))}</ul>\n");
                break;
            case Table { Folded: true } table:
                page.Append($"<details><summary>Table: {E(table.Caption)}</summary>\n");
                Add(page, table);
                page.Append("</details>\n");
                break;
            case Table table:
                Add(page, table);
                break;
            case Figure figure:
                Add(page, figure);
                break;
            case Listing listing:
                page.Append($"<details><summary>{E(listing.Caption)}</summary>\n<pre>{E(listing.Text)}</pre>\n</details>\n");
                break;
            case Links links:
                page.Append($"<details id=\"{links.Id}\"><summary>{E(links.Caption)} ({links.Items.Count})</summary>\n<ul class=\"jobs\">");
                foreach (var (text, address) in links.Items)
                    page.Append($"<li><a href=\"{E(address)}\">{E(text)}</a></li>");
                page.Append("</ul>\n</details>\n");
                break;
        }
    }

    private static void Add(StringBuilder page, Table table)
    {
        // Columns of figures shall not break; columns of sentences must.
        var words = table.Rows.Any(row => row.Cells.Skip(1).Any(cell => cell.Text.Length > 40));
        page.Append($"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{E(table.Caption)}\">\n")
            .Append($"<table{(words ? " class=\"words\"" : "")}>\n<caption>{E(table.Caption)}</caption>\n<thead><tr>");
        foreach (var column in table.Columns)
            page.Append(column == "" ? "<td></td>" : $"<th scope=\"col\">{E(column)}</th>");
        page.Append("</tr></thead>\n<tbody>\n");
        foreach (var row in table.Rows)
        {
            page.Append("<tr>");
            for (var i = 0; i < row.Cells.Count; i++)
                page.Append(i == 0 ? $"<th scope=\"row\">{Content(row.Cells[i])}</th>" : $"<td>{Content(row.Cells[i])}</td>");
            page.Append("</tr>\n");
            if (row.Below is { } below)
                page.Append($"<tr class=\"below\"><td colspan=\"{table.Columns.Count}\"><div>{E(below)}</div></td></tr>\n");
        }
        page.Append("</tbody>\n</table>\n</div>\n");
    }

    private static string Content(Cell cell) => cell switch
    {
        { Verdict: { } verdict } => $"<span class=\"verdict {verdict.ToString().ToLowerInvariant()}\">{E(cell.Text)}</span>",
        { Link: { } link } => $"<a href=\"{E(link)}\">{E(cell.Text)}</a>",
        _ => E(cell.Text),
    };

    private static void Add(StringBuilder page, Figure figure)
    {
        page.Append($"<h3>{E(figure.Title)}</h3>\n");
        if (figure.Text is { } text)
            page.Append($"<p class=\"faint\">{E(text)}</p>\n");
        page.Append($"<figure>\n<div class=\"charts{(figure.Charts[0].Width < Chart.FullWidth ? " small" : "")}\">\n");
        foreach (var chart in figure.Charts)
            page.Append($"<div class=\"{(chart.Width < Chart.FullWidth ? "narrow" : "wide")}\">{ChartSvg.Draw(chart)}</div>\n");
        page.Append("</div>\n<figcaption>Behind it: <a href=\"#provenance\">the jobs</a>.</figcaption>\n</figure>\n");
        foreach (var table in ChartTables.Of(figure))
            Add(page, (Block)table);
    }

    private static string E(string text) => Html.Encode(ChartSvg.Clean(text));
}
