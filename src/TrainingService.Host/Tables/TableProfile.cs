using System.Globalization;
using System.Text;
using TrainingService.Host.Http;

namespace TrainingService.Host.Tables;

/// <summary>What was seen in a file's first reading.</summary>
/// <param name="Names">Of the columns.</param>
/// <param name="Columns">Each over the rows that are used.</param>
/// <param name="Rows">That are used.</param>
/// <param name="DroppedRows">Those whose target is missing.</param>
/// <param name="TestRows">Of the rows used, those from the file of test rows.</param>
/// <param name="Decimals">How numbers are written.</param>
/// <param name="Preview">The first rows as they stand in the file.</param>
public sealed record TableProfile(IReadOnlyList<string> Names, IReadOnlyList<ColumnProfile> Columns, long Rows, long DroppedRows,
    long TestRows, Decimals Decimals, IReadOnlyList<IReadOnlyList<string>> Preview)
{
    public const int PreviewRows = 10;

    /// <summary>Bytes for the different values of all columns.</summary>
    private const long ValuesMemory = 100_000_000;

    /// <param name="open">Opens the file from its beginning.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="TableException">If the file can't be read.</exception>
    public static TableProfile Of(Func<RowSource> open, TableOptions options, CancellationToken cancellation)
    {
        var profile = Of(open, options, options.Decimals ?? Decimals.Point, cancellation);
        // What commas mean is known when all cells have been seen.
        return options.Decimals is null && profile.FoundDecimals(options) is { } found and not Decimals.Point
            ? Of(open, options, found, cancellation) : profile;
    }

    private static TableProfile Of(Func<RowSource> open, TableOptions options, Decimals decimals, CancellationToken cancellation)
    {
        using var source = open();
        var names = source.Names;
        var (budget, missing) = (new TextBudget(ValuesMemory), new Missing(options.Missing));
        var target = options.Target is null ? -1 : names.PlaceOf(options.Target);
        if (options.Target is not null && target < 0)
            throw new TableException(UnknownColumn(options.Target, names), "/target");
        var columns = names.Select((name, i) => new ColumnProfile(Most(name, i == target, options), budget)).ToArray();
        var preview = new List<IReadOnlyList<string>>();
        long rows = 0, droppedRows = 0, testRows = 0;
        while (source.Read())
        {
            if (source.Row % 4096 == 0)
                cancellation.ThrowIfCancellationRequested();
            if (preview.Count < PreviewRows)
                preview.Add([.. names.Select((_, i) => Shown(source[i]))]);
            if (target >= 0 && missing.Has(source[target]))
            {
                droppedRows++;
                continue;
            }
            rows++;
            testRows += source.IsTest ? 1 : 0;
            for (var i = 0; i < columns.Length; i++)
                columns[i].Add(source[i], source, decimals, missing);
        }
        if (rows == 0)
            throw new TableException(droppedRows > 0
                ? $"no row has a value in the target's column '{options.Target}' ({droppedRows:N0} rows)"
                : $"there are no rows, only the names of {names.Count:N0} {(names.Count == 1 ? "column" : "columns")}");
        return new(names, columns, rows, droppedRows, testRows, decimals, preview);
    }

    public static string UnknownColumn(string name, IReadOnlyList<string> names)
    {
        const int Shown = 20, Last = 2;
        var near = Engine.Specs.Names.DidYouMean(name, names);
        if (near.Length > 0)
            return $"there is no column '{name}'{near}";
        if (names.Count == 1)
            return $"there is no column '{name}'; the file was read as one column, '{names[0]}': if it is a table, say which character "
                + "separates its fields (delimiter)";
        // the last ones, too, where a target often is
        var listed = names.Count <= Shown ? string.Join(", ", names)
            : $"{string.Join(", ", names.Take(Shown - Last))}, {names.Count - Shown:N0} more, {string.Join(", ", names.TakeLast(Last))}";
        return $"there is no column '{name}'; the columns are {listed}";
    }

    private static int Most(string name, bool isTarget, TableOptions options) => options.Types.GetValueOrDefault(name)?.Kind switch
    {
        ColumnKind.Ordinal => TablePlan.MostOrdinals + 1,
        ColumnKind.Category => TablePlan.MostDeclaredCategories + 1,
        _ when isTarget => TablePlan.MostClasses + 1,
        _ => TablePlan.MostCategories + 1,
    };

    private static string Shown(Cell cell)
    {
        const int Longest = 100;
        if (cell.IsNumber)
            return double.IsNaN(cell.Number) ? "" : cell.Number.ToString("R", CultureInfo.InvariantCulture);
        var text = Encoding.UTF8.GetString(cell.Text[..Math.Min(cell.Text.Length, 4 * Longest)]);
        return Characters.Shorten(text, Longest);
    }

    /// <summary>What the commas in numbers are.</summary>
    private Decimals FoundDecimals(TableOptions options)
    {
        // A column that has other texts, too, is none of numbers.
        var telling = Columns.Where((column, i) =>
            column.WithCommas > 0 && column.WithCommas == column.Texts - column.PerhapsMissing
                && !options.Drop.Contains(Names[i])).ToList();
        var (comma, thousands) = (telling.Find(c => c.CommaDecimal is not null), telling.Find(c => c.CommaThousands is not null));
        var point = Columns.FirstOrDefault(c => c.WithPoint > 0 && c.Texts == c.PerhapsMissing);
        if (comma is not null)
            return thousands is null && point is null && !telling.Exists(c => c.WithPoint > 0) ? Decimals.Comma : Decimals.Point;
        if (thousands is not null || telling.Count > 0 && point is not null)
            return Decimals.PointAndThousands;
        if (telling.Find(c => c.CommaEither is not null)?.CommaEither is { } either)
            throw new TableException($"{either.Place}: {either.Text} can be a number with a decimal comma or with a comma between "
                + $"thousands: "
                + "say decimal=comma or decimal=point");
        return Decimals.Point;
    }
}
