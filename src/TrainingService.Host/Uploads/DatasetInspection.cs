using TrainingService.Host.Datasets;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Uploads;

/// <summary>What a column is for.</summary>
public enum ColumnRole
{
    /// <summary>Something is predicted from it.</summary>
    Feature,

    /// <summary>It is predicted.</summary>
    Target,

    /// <summary>It only tells which rows belong together.</summary>
    Group,

    /// <summary>It only tells when rows were.</summary>
    Time,

    /// <summary>It is left out.</summary>
    Dropped,

    /// <summary>It can't be used as it is; <c>problems</c> says why.</summary>
    Unfit,
}

/// <summary>A column of a file.</summary>
/// <param name="Name">As in the file.</param>
/// <param name="Role">What it is for.</param>
/// <param name="Kind">What it holds; not known of one that is dropped or unfit.</param>
/// <param name="Missing">Rows without a value.</param>
/// <param name="Distinct">Different values; about as many where there are more than 255.</param>
/// <param name="Min">Least number, where all are numbers.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="Max">Largest number.</param>
/// <param name="Categories">The most frequent values of a category, boolean or ordinal, at most 20.</param>
/// <param name="Inputs">Names of the inputs that it becomes; of a category only their number is told.</param>
public sealed record InspectedColumn(string Name, ColumnRole Role, ColumnKind? Kind, long Missing, long Distinct,
    double? Min, double? Mean, double? Max, IReadOnlyList<ClassDetails>? Categories, IReadOnlyList<string> Inputs);

/// <summary>How a file was read.</summary>
/// <param name="Format">Its form.</param>
/// <param name="Delimiter">Between fields.</param>
/// <param name="Header">Whether the first line has the columns' names.</param>
/// <param name="Encoding">Of the text.</param>
/// <param name="Decimals">How numbers are written.</param>
/// <param name="SkippedLines">Lines above the table of a CSV file that are no part of it: comments, titles.</param>
public sealed record InspectedFile(FileFormat Format, string? Delimiter, bool? Header, string? Encoding, Decimals Decimals,
    int? SkippedLines = null);

/// <summary>What stands in the way of storing a file.</summary>
/// <param name="Field">The field of the upload to change, as a JSON pointer.</param>
/// <param name="Message">What is wrong and what to ask for instead.</param>
public sealed record InspectionProblem(string Field, string Message);

/// <summary>What would be stored, were it no dry run.</summary>
public sealed record DatasetInspection
{
    /// <summary>What jobs would call it.</summary>
    public required string Name { get; init; }

    /// <summary>Whether it can be stored as it is: there are no problems.</summary>
    public required bool Ready { get; init; }

    /// <summary>What stands in the way.</summary>
    public required IReadOnlyList<InspectionProblem> Problems { get; init; }

    /// <summary>What may be wrong with data that can be used as they are.</summary>
    public required IReadOnlyList<TableWarning> Warnings { get; init; }

    /// <summary>Columns to leave out so that the rest can be stored, for <c>drop</c>.</summary>
    public required IReadOnlyList<string> SuggestedDrop { get; init; }

    /// <summary>How the file was read.</summary>
    public required InspectedFile File { get; init; }

    /// <summary>Rows that would be used.</summary>
    public required long Rows { get; init; }

    /// <summary>Rows that would be left out because their target is missing.</summary>
    public required long DroppedRows { get; init; }

    /// <summary>All columns of the file.</summary>
    public required IReadOnlyList<InspectedColumn> Columns { get; init; }

    /// <summary>The column that is predicted.</summary>
    public string? Target { get; init; }

    /// <summary>What is predicted of it.</summary>
    public TableTask? Task { get; init; }

    /// <summary>The classes and how many rows each has; empty if a number is predicted.</summary>
    public required IReadOnlyList<ClassDetails> Classes { get; init; }

    /// <summary>Inputs that a network would have.</summary>
    public required int EncodedFeatures { get; init; }

    /// <summary>Missing values in all features.</summary>
    public required long MissingValues { get; init; }

    /// <summary>The first rows as they stand in the file, in the order of <c>columns</c>.</summary>
    public required IReadOnlyList<IReadOnlyList<string>> Preview { get; init; }

    public static DatasetInspection Of(UploadFields fields, TableFile file, TablePlan plan, IEnumerable<TableWarning> leaks)
    {
        var profile = plan.Profile;
        var warnings = plan.Warnings.ToList();
        warnings.AddRange(leaks.Where(leak => !warnings.Exists(w => (w.Kind, w.Column) == (leak.Kind, leak.Column))));
        var classes = plan.Target is { Kind: ColumnKind.Category } target ? Counted(target.Categories, target.Counts) : [];
        return new()
        {
            Name = fields.Name,
            Ready = plan.Problems.Count == 0,
            Problems = [.. plan.Problems.Select(problem => new InspectionProblem(problem.Pointer, problem.Message))],
            Warnings = warnings,
            SuggestedDrop = plan.Unfit,
            File = new(file.Format, file.Dialect?.Separator.ToString(), file.Dialect?.HasHeader, file.Dialect?.Encoding, profile.Decimals,
                file.Format is FileFormat.Csv ? file.Dialect?.LinesAbove : null),
            Rows = profile.Rows,
            DroppedRows = profile.DroppedRows,
            Columns = [.. profile.Names.Select((name, i) => Column(name, i, plan))],
            Target = plan.Target?.Name,
            Task = plan.Target is null ? null : classes.Count > 0 ? TableTask.Classification : TableTask.Regression,
            Classes = classes,
            EncodedFeatures = plan.Inputs,
            MissingValues = plan.Features.Where(f => f.Part is null or DatePart.Year).Sum(f => f.Missing),
            Preview = profile.Preview,
        };
    }

    private static InspectedColumn Column(string name, int source, TablePlan plan)
    {
        const int MostShown = 20;
        var profile = plan.Profile.Columns[source];
        var made = plan.Features.Where(feature => feature.Source == source).ToList();
        var planned = plan.Target?.Source == source ? plan.Target : made.FirstOrDefault();
        var numbers = profile.Texts == profile.PerhapsMissing ? profile.Numbers : null;
        return new(name,
            name == plan.Options.Target ? ColumnRole.Target : planned is not null ? ColumnRole.Feature
                : plan.Group?.Source == source ? ColumnRole.Group : plan.Time?.Source == source ? ColumnRole.Time
                : plan.Options.Drop.Contains(name) || profile.Missing == profile.Rows ? ColumnRole.Dropped : ColumnRole.Unfit,
            planned?.Kind, planned?.Missing ?? profile.Missing, (long)Math.Round(profile.Distinct),
            numbers is { Count: > 0 } ? numbers.Min : null, numbers?.Mean, numbers is { Count: > 0 } ? numbers.Max : null,
            planned?.Categories is null ? null
                : [.. Counted(planned.Categories, planned.Counts).OrderByDescending(c => c.Count).Take(MostShown)],
            [.. made.Select(feature => feature.Name)]);
    }

    private static List<ClassDetails> Counted(IReadOnlyList<string>? names, IReadOnlyList<long>? counts) =>
        [.. (names ?? []).Zip(counts ?? [], (name, count) => new ClassDetails(name, (int)count))];
}
