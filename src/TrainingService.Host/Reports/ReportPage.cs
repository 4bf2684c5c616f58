using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>
/// A report as one HTML page that needs nothing from outside: it can be saved, mailed and printed, and reads well on
/// a phone and in a screen reader.
/// </summary>
public static class ReportPage
{
    private const string Light = "--ink:#1a1a1a;--faint:#595959;--paper:#fff;--line:#d0d0d0;--soft:#f4f5f7;--link:#0b57a4;--grid:#ddd;"
        + "--axis:#999;--supported:#00662b;--refuted:#a11a1a;--equivalent:#0b57a4;--negligible:#0b57a4;--higher:#0b57a4;--lower:#0b57a4;"
        + "--inconclusive:#5c4a00;";

    private const string Dark = "--ink:#e8e8e8;--faint:#b0b0b0;--paper:#17191c;--line:#44484e;--soft:#22252a;--link:#8ec2ff;--grid:#33373c;"
        + "--axis:#6c7278;--supported:#7fd8a0;--refuted:#ff9b94;--equivalent:#8ec2ff;--negligible:#8ec2ff;--higher:#8ec2ff;--lower:#8ec2ff;"
        + "--inconclusive:#e3c878;";

    private static readonly string Style = $":root {{ color-scheme: light dark; {Light}{Palette.Variables(dark: false)} }}\n"
        + $"@media screen and (prefers-color-scheme: dark) {{ :root {{ {Dark}{Palette.Variables(dark: true)} }} }}\n" + """
        * { box-sizing: border-box; }
        body { margin: 0 auto; max-width: 69rem; padding: 1rem 1rem 4rem; background: var(--paper); color: var(--ink);
          font: 1rem/1.5 system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .6rem; overflow-wrap: anywhere; max-width: 52rem; }
        h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--line); }
        h3 { font-size: 1.05rem; margin: 1.4rem 0 .2rem; }
        p, ul { max-width: 48rem; } p { margin: .5rem 0; }
        a { color: var(--link); }
        .above { color: var(--faint); margin: 0; font-size: .92rem; }
        #answer h2 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
        .lead { display: flex; gap: .8rem; align-items: baseline; font-size: 1.3rem; line-height: 1.4; padding: .7rem 1rem;
          margin: 0 0 .7rem; background: var(--soft); border-left: .35rem solid; max-width: none; }
        .lead b { font-size: 1.5rem; line-height: 1; } .lead span { color: var(--ink); }
        .setup { display: flex; flex-wrap: wrap; list-style: none; padding: 0; margin: 0 0 .8rem; max-width: none; color: var(--faint);
          font-size: .95rem; }
        .setup li:not(:last-child)::after { content: "·"; margin: 0 .5rem; }
        .next { border: 1px solid var(--line); border-radius: 4px; padding: .5rem .8rem; max-width: none; margin: .6rem 0; }
        .next p { margin: 0; max-width: none; } .next pre { margin: .4rem 0 0; padding: .4rem .7rem; max-height: 9rem;
          white-space: pre-wrap; overflow-wrap: anywhere; }
        nav ul { list-style: none; padding: 0; margin: 1rem 0 0; display: flex; flex-wrap: wrap; gap: .1rem 1rem; max-width: none;
          font-size: .92rem; }
        .faint, figcaption, caption { color: var(--faint); font-size: .92rem; }
        .scroll { overflow-x: auto; margin: .8rem 0; }
        table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
        caption { text-align: left; padding-bottom: .3rem; }
        th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); }
        thead th { border-top: 0; font-weight: 600; vertical-align: bottom; }
        tbody th { font-weight: 600; min-width: 8rem; overflow-wrap: anywhere; }
        .words td { min-width: 5.5rem; }
        .long tbody th { min-width: min(20rem, 45vw); }
        .many { font-size: .82rem; } .many th, .many td { padding-right: .5rem; } .many tbody th { min-width: 6rem; }
        .many thead th { overflow-wrap: anywhere; }
        .verdict { font-weight: 700; white-space: nowrap; }
        .supported { color: var(--supported); } .refuted { color: var(--refuted); } .inconclusive { color: var(--inconclusive); }
        .equivalent, .negligible, .higher, .lower { color: var(--equivalent); }
        figure { margin: .6rem 0; } svg { display: block; }
        .forest .phone { display: none; }
        .charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: .6rem; }
        .charts svg { border: 1px solid var(--line); border-radius: 4px; width: 100%; }
        .legend { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; list-style: none; padding: 0; margin: .4rem 0; max-width: none;
          font-size: .92rem; } .legend li { display: flex; align-items: center; gap: .4rem; }
        details { margin: .6rem 0; } summary { cursor: pointer; color: var(--link); }
        .jobs { columns: 9rem; padding: 0; list-style: none; max-width: none; font-size: .92rem; }
        pre { overflow-x: auto; background: var(--soft); padding: .8rem; font-size: .85rem; }
        @media screen and (max-width: 44rem) { h1 { font-size: 1.3rem; } .lead { font-size: 1.1rem; padding: .6rem .7rem; }
          .forest .desk { display: none; } .forest .phone { display: block; } }
        @media print { body { max-width: none; padding: 0; font-size: 10pt; } nav, .next pre { display: none; }
          tr, .charts div, .forest, .lead { break-inside: avoid; }
          h2, h3, caption, .legend, p:has(+ figure) { break-after: avoid; }
          a { color: inherit; text-decoration: none; } .scroll { overflow: visible; }
          thead { display: table-header-group; } }
        """;

    /// <summary>Leaves all letters as they are and escapes what means something in HTML.</summary>
    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>For the Content-Security-Policy header: the page may load and run nothing, and stands by itself.</summary>
    public const string Policy =
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    /// <param name="title">The question.</param>
    /// <param name="sections">The first of them is what is seen first.</param>
    /// <param name="above">In small letters above the title.</param>
    public static string Write(string title, IReadOnlyList<Section> sections, string? above = null)
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
            {(above is null ? "" : $"<p class=\"above\">{E(above)}</p>\n")}<h1>{E(title)}</h1>
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
            // what is seen first is the answer
            if (section == sections[0])
                page.Append($"<nav aria-label=\"Contents\"><ul>{contents}</ul></nav>\n");
        }
        return page.Append("</main>\n<footer><p class=\"faint\">Measured by TrainingService. "
            + "✔ supported, ✘ refuted, ≈ no difference that matters, ↑ higher, ↓ lower, ? "
            + "open.</p></footer>\n</body>\n</html>\n").ToString();
    }

    private static void Add(StringBuilder page, Block block)
    {
        switch (block)
        {
            case Paragraph paragraph:
                page.Append($"<p>{E(paragraph.Text)}</p>\n");
                break;
            case Lead { Headline: var (verdict, sentence) }:
                page.Append($"<p class=\"lead {Class(verdict)}\"><b role=\"img\" aria-label=\"{Class(verdict)}\">{Cell.Sign(verdict)}</b> "
                    + $"<span>{E(sentence)}</span></p>\n");
                break;
            case Setup setup:
                page.Append($"<ul class=\"setup\">{string.Concat(setup.Parts.Select(part => $"<li>{E(part)}</li>"))}</ul>\n");
                break;
            case Forest forest:
                var (wide, narrow) = forest.Draw();
                page.Append($"<figure class=\"forest\">\n<div class=\"desk\">{wide}</div>\n<div class=\"phone\">{narrow}</div>\n"
                    + (forest.Note is { } left ? $"<figcaption>{E(left)}</figcaption>\n" : "") + "</figure>\n");
                break;
            case Next next:
                page.Append($"<div class=\"next\"><p><b>Next:</b> {E(next.Text)}</p>"
                    + (next.Command is { } command ? $"<pre tabindex=\"0\">{E(command)}</pre>" : "") + "</div>\n");
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
        string[] classes = [.. table.Rows.Any(row => row.Cells[0].Text.Length > 40) ? ["long"] : (string[])[], .. words ? ["words"]
            : (string[])[], .. table.Columns.Count > 7 ? ["many"] : (string[])[]];
        page.Append($"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"{E(table.Caption)}\">\n")
            .Append($"<table{(classes.Length == 0 ? "" : $" class=\"{string.Join(' ', classes)}\"")}>\n")
            .Append($"<caption>{E(table.Caption)}</caption>\n<thead><tr>");
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
        { Verdict: { } verdict } => $"<span class=\"verdict {Class(verdict)}\">{E(cell.Text)}</span>",
        { Link: { } link } => $"<a href=\"{E(link)}\">{E(cell.Text)}</a>",
        _ => E(cell.Text),
    };

    private static void Add(StringBuilder page, Figure figure)
    {
        page.Append($"<h3>{E(figure.Title)}</h3>\n");
        if (figure.Text is { } text)
            page.Append($"<p class=\"faint\">{E(text)}</p>\n");
        page.Append("<figure>\n");
        if (figure.Legend is { Count: > 0 } legend)
            page.Append("<ul class=\"legend\">")
                .AppendJoin("", legend.Select(entry => $"<li>{Swatch(entry.Style)}{E(entry.Name)}</li>")).Append("</ul>\n");
        page.Append("<div class=\"charts\">\n");
        foreach (var chart in figure.Charts)
            page.Append($"<div>{ChartSvg.OnPage(chart)}</div>\n");
        page.Append("</div>\n</figure>\n");
        foreach (var table in ChartTables.Of(figure))
            Add(page, (Block)table);
    }

    /// <summary>A curve's dash and marker.</summary>
    private static string Swatch(int index)
    {
        var style = ChartStyle.Of(index);
        var color = $"var(--c{style.Index})";
        return $"<svg width=\"40\" height=\"12\" aria-hidden=\"true\"><path d=\"M0 6H40\" stroke=\"{color}\" stroke-width=\"2\""
            + $"{(style.Dash is { } dash ? $" stroke-dasharray=\"{dash}\"" : "")}/><path transform=\"translate(20 6) scale(4)\" "
            + $"d=\"{style.Marker}\" "
            + $"fill=\"{(style.Filled ? color : "none")}\" stroke=\"{color}\" stroke-width=\".4\"/></svg>";
    }

    private static string Class(Verdict verdict) => verdict.ToString().ToLowerInvariant();

    private static string E(string text) => Html.Encode(ChartSvg.Clean(text));
}
