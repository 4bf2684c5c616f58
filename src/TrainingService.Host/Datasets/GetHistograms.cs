using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Datasets;

/// <summary>A page of a data set's features, each counted.</summary>
public sealed record HistogramPage
{
    /// <summary>The data set.</summary>
    public required string Name { get; init; }

    /// <summary>Rows of the data set, train and test together.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows that were counted: fewer than all where all would take too long; then each so manieth.</summary>
    public required int CountedRows { get; init; }

    /// <summary>The classes that <c>byClass</c> tells apart; empty where there are none, or more than 20.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>The target's values; of a number target only.</summary>
    public FeatureHistogram? Target { get; init; }

    /// <summary>In the order of the columns.</summary>
    public required IReadOnlyList<FeatureHistogram> Items { get; init; }

    /// <summary>For the next page; null at the end.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? NextCursor { get; init; }
}

/// <summary>How often a column's values occur.</summary>
public sealed record FeatureHistogram
{
    /// <summary>The column.</summary>
    public required string Name { get; init; }

    /// <summary>A number or a category.</summary>
    public required FeatureKind Kind { get; init; }

    /// <summary>Counted rows without a value.</summary>
    public required int Missing { get; init; }

    /// <summary>
    /// Of a number: where bins begin and the last one ends, one more than there are counts. A value on an edge counts to the bin above it,
    /// the largest to the last.
    /// </summary>
    public IReadOnlyList<double>? Edges { get; init; }

    /// <summary>Of a category: its values, the commonest first, at most 50.</summary>
    public IReadOnlyList<string>? Categories { get; init; }

    /// <summary>Counted rows of each bin, or of each category.</summary>
    public required IReadOnlyList<int> Counts { get; init; }

    /// <summary>The same by class, in the order of <c>classes</c>.</summary>
    public IReadOnlyList<IReadOnlyList<int>>? ByClass { get; init; }

    /// <summary>Counted rows of the categories that are not named.</summary>
    public int? Others { get; init; }
}

public static class GetHistograms
{
    private const string List = "histograms";

    private const int StandardBins = 20, MostBins = 100, MostFeatures = 100, MostClasses = 20, MostCategories = 50;

    /// <summary>Values that a page holds in memory, and cells that it reads for them: a fraction of a second.</summary>
    private const long MostValues = 4_000_000, MostCells = 100_000_000;

    /// <summary>Count a data set's values</summary>
    /// <remarks>
    /// Histograms of its features over all rows, before anything is imputed, encoded or scaled: numbers by bin, categories by value, by
    /// class too where there are classes, with what is missing told beside them. Numbers that are whole get bins of whole numbers.
    /// </remarks>
    /// <param name="name">The data set's name.</param>
    /// <param name="feature">Only these columns, in their order in the data set; repeat it for several.</param>
    /// <param name="bins">Of a number, at most. Default 20.</param>
    /// <param name="limit">Features on a page; more than 100 gives 100.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <response code="200">A page of features.</response>
    public static Results<Ok<HistogramPage>, ProblemHttpResult> Handle(string name, DatasetRegistry datasets, [FromQuery] string[]? feature,
        [Range(1, MostBins), DefaultValue(StandardBins)] int? bins,
        [Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, string? cursor, CancellationToken cancellation)
    {
        if (datasets.Find(name) is not { } dataset)
            return Problems.NotFound(datasets.Unknown(name));
        var errors = new List<SpecError>();
        var size = Math.Min(Paging.Size(limit, errors), MostFeatures);
        var first = Paging.TryRead(cursor, errors, out int index, List) ? index : 0;
        if (bins is < 1 or > MostBins)
            errors.Add(new("/bins", $"must be from 1 to {MostBins}, not {bins}"));
        var names = dataset.Columns.Select(column => column.Name).ToHashSet();
        foreach (var unknown in (feature ?? []).Where(wanted => !names.Contains(wanted)))
            errors.Add(new("/feature", $"'{dataset.Name}' has no feature '{Characters.Shorten(unknown, 100)}'"
                + Names.DidYouMean(unknown, names)));
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        if (dataset.FindObstacle() is { } obstacle)
            return Problems.Conflict(obstacle);
        int[] wanted = [.. Enumerable.Range(0, dataset.Columns.Count)
            .Where(c => feature is null or [] || feature.Contains(dataset.Columns[c].Name))];
        int[] columns = [.. wanted.Skip(first).Take(size)];
        return TypedResults.Ok(Count(dataset, columns, bins ?? StandardBins, cancellation) with
        {
            NextCursor = first + columns.Length < wanted.Length ? Paging.Cursor(first + columns.Length, List) : null,
        });
    }

    private static HistogramPage Count(Dataset dataset, int[] columns, int bins, CancellationToken cancellation)
    {
        var table = dataset.Read();
        var every = (int)Math.Max(1, Math.Max((long)table.Rows * (columns.Length + 1) / MostValues,
            (long)table.Rows * table.Columns / MostCells));
        int[] rows = [.. Enumerable.Range(0, (table.Rows + every - 1) / every).Select(i => i * every)];
        var values = columns.Select(_ => new double[rows.Length]).ToArray();
        var cells = new double[table.Columns];
        foreach (var (i, row) in rows.Index())
        {
            if (i % 4096 == 0)
                cancellation.ThrowIfCancellationRequested();
            table.ReadRow(row, cells);
            for (var c = 0; c < columns.Length; c++)
                values[c][i] = cells[columns[c]];
        }
        var classes = dataset.Card.Classes.Count <= MostClasses ? dataset.Card.Classes : [];
        int[] labels = classes.Count > 0 ? [.. rows.Select(row => table.Labels[row])] : [];
        return new()
        {
            Name = dataset.Name,
            Rows = table.Rows,
            CountedRows = rows.Length,
            Classes = classes,
            Target = table.Values.Length == 0 ? null
                : Of(new(dataset.Card.Target), [.. rows.Select(row => table.Values[row])], [], 0, bins),
            Items = [.. columns.Select((column, c) => Of(dataset.Columns[column], values[c], labels, classes.Count, bins))],
            NextCursor = null,
        };
    }

    private static FeatureHistogram Of(Column column, double[] values, int[] labels, int classes, int bins)
    {
        var missing = values.Count(double.IsNaN);
        if (column.Categories is { } categories)
        {
            var (all, byClass) = Tally(values, labels, classes, categories.Count, value => (int)value);
            int[] shown = [.. Enumerable.Range(0, categories.Count).OrderByDescending(k => all[k]).ThenBy(k => k).Take(MostCategories)];
            return new()
            {
                Name = column.Name,
                Kind = FeatureKind.Categorical,
                Missing = missing,
                Categories = [.. shown.Select(k => categories[k])],
                Counts = [.. shown.Select(k => all[k])],
                ByClass = byClass?.Select(counts => (IReadOnlyList<int>)[.. shown.Select(k => counts[k])]).ToList(),
                Others = shown.Length < categories.Count ? all.Sum() - shown.Sum(k => all[k]) : null,
            };
        }
        var edges = Edges(values, bins);
        var (low, width) = edges.Length == 0 ? (0, 1) : (edges[0], (edges[^1] - edges[0]) / (edges.Length - 1));
        var (counts, ofClasses) = Tally(values, labels, classes, Math.Max(0, edges.Length - 1), value => Place(value, edges, low, width));
        return new()
        {
            Name = column.Name,
            Kind = FeatureKind.Numeric,
            Missing = missing,
            Edges = edges,
            Counts = counts,
            ByClass = ofClasses,
        };
    }

    /// <summary>Which bin: reckoned, then set right by the edges that are told.</summary>
    private static int Place(double value, double[] edges, double low, double width)
    {
        var bin = Math.Clamp((int)((value - low) / width), 0, edges.Length - 2);
        if (value < edges[bin])
            return Math.Max(0, bin - 1);
        return bin < edges.Length - 2 && value >= edges[bin + 1] ? bin + 1 : bin;
    }

    /// <summary>Bins of equal width, of whole numbers of whole widths around them. None without a value.</summary>
    private static double[] Edges(double[] values, int bins)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        var isWhole = true;
        foreach (var value in values)
        {
            if (double.IsNaN(value))
                continue;
            (low, high) = (Math.Min(low, value), Math.Max(high, value));
            isWhole &= value == Math.Floor(value);
        }
        if (low > high)
            return [];
        if (isWhole && high - low < 1e9)
        {
            var step = Math.Ceiling((high - low + 1) / bins);
            var count = (int)Math.Ceiling((high - low + 1) / step);
            return [.. Enumerable.Range(0, count + 1).Select(i => low - 0.5 + i * step)];
        }
        if (low == high)
            return [low - Math.Max(0.5, Math.Abs(low) * 1e-6), high + Math.Max(0.5, Math.Abs(high) * 1e-6)];
        return [.. Enumerable.Range(0, bins).Select(i => low + (high - low) * i / bins), high];
    }

    private static (int[] All, IReadOnlyList<int[]>? ByClass) Tally(double[] values, int[] labels, int classes, int bins,
        Func<double, int> bin)
    {
        var all = new int[bins];
        var byClass = labels.Length == 0 ? null : Enumerable.Range(0, classes).Select(_ => new int[bins]).ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            if (double.IsNaN(values[i]))
                continue;
            var at = bin(values[i]);
            all[at]++;
            if (byClass is not null)
                byClass[labels[i]][at]++;
        }
        return (all, byClass);
    }
}
