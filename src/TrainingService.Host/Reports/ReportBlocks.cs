using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>A part of a report with a heading. Text is plain: whoever writes it out escapes it.</summary>
/// <param name="Id">For links within the page.</param>
/// <param name="Title">The heading.</param>
/// <param name="Blocks">In order.</param>
public sealed record Section(string Id, string Title, IReadOnlyList<Block> Blocks);

/// <summary>What sections are made of.</summary>
public abstract record Block;

/// <summary>A paragraph.</summary>
/// <param name="Text">One or more sentences.</param>
public sealed record Paragraph(string Text) : Block;

/// <summary>A bullet list.</summary>
public sealed record Bullets(IReadOnlyList<string> Items) : Block;

/// <summary>A table; the first cell of each row names it.</summary>
/// <param name="Caption">What it shows.</param>
/// <param name="Columns">Their headings.</param>
/// <param name="Rows">As many cells as columns.</param>
/// <param name="Folded">Long, and only for those who look for it.</param>
public sealed record Table(string Caption, IReadOnlyList<string> Columns, IReadOnlyList<Row> Rows, bool Folded = false) : Block;

/// <summary>A row, and a sentence below it across all columns.</summary>
public sealed record Row(IReadOnlyList<Cell> Cells, string? Below = null);

/// <summary>A cell of a table; with a verdict it carries its sign.</summary>
public readonly record struct Cell(string Text, string? Link = null, Verdict? Verdict = null)
{
    public static implicit operator Cell(string text) => new(text);

    public static Cell Of(Verdict verdict) => new($"{Sign(verdict)} {verdict.ToString().ToLowerInvariant()}", Verdict: verdict);

    public static string Sign(Verdict verdict) => verdict switch
    {
        Statistics.Verdict.Supported => "✔",
        Statistics.Verdict.Refuted => "✘",
        Statistics.Verdict.Equivalent or Statistics.Verdict.Negligible => "≈",
        Statistics.Verdict.Higher => "↑",
        Statistics.Verdict.Lower => "↓",
        _ => "?",
    };
}

/// <summary>The answer: its sign and one sentence.</summary>
public sealed record Lead(Headline Headline) : Block;

/// <summary>What was done, in a line of short parts.</summary>
public sealed record Setup(IReadOnlyList<string> Parts) : Block;

/// <summary>What to do next: a sentence, and the request that does it.</summary>
public sealed record Next(string Text, string? Command) : Block;

/// <summary>Pictures that are read together, with their numbers.</summary>
/// <param name="Title">What they show.</param>
/// <param name="Charts">One, or several small ones.</param>
/// <param name="Text">How to read them.</param>
/// <param name="Tabled">Whether tables of the curves follow; not where the section has a better one.</param>
/// <param name="Legend">Names of the curves and their styles, where charts share them.</param>
public sealed record Figure(string Title, IReadOnlyList<Chart> Charts, string? Text = null, bool Tabled = true,
    IReadOnlyList<(string Name, int Style)>? Legend = null) : Block;

/// <summary>Text to be copied, folded.</summary>
public sealed record Listing(string Caption, string Text) : Block;

/// <summary>Addresses under a heading, folded.</summary>
public sealed record Links(string Id, string Caption, IReadOnlyList<(string Text, string Address)> Items) : Block;
