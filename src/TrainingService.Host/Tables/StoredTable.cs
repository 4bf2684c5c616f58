namespace TrainingService.Host.Tables;

/// <summary>How a row's features make an image.</summary>
/// <param name="Height">Rows of pixels; the first features are the top row, from left to right.</param>
/// <param name="Width">Pixels in a row.</param>
/// <param name="MaxValue">Largest possible value of a pixel; pixels are divided by it before anything else.</param>
public sealed record ImageShape(int Height, int Width, int MaxValue);

/// <summary>Who chose the test rows of a stored table, and how.</summary>
public enum SplitRule
{
    /// <summary>Drawn by this service.</summary>
    Drawn,

    /// <summary>They came in a file of their own.</summary>
    TestFile,

    /// <summary>The latest.</summary>
    Latest,
}

/// <summary>A column as it is stored. Its codes lie in the chunks.</summary>
/// <param name="Name">Name of the input or target.</param>
/// <param name="Kind">What it holds.</param>
/// <param name="Storage">How a code becomes a value.</param>
/// <param name="From">Name in the file, where it has another.</param>
/// <param name="Part">Of the date in the file.</param>
/// <param name="Order">Of the parts of the date in the file.</param>
/// <param name="Categories">Values in the order of their codes.</param>
/// <param name="Counts">Rows of each.</param>
/// <param name="Missing">Rows without a value.</param>
/// <param name="Min">Least number.</param>
/// <param name="Mean">Of the numbers.</param>
/// <param name="Max">Largest number.</param>
public sealed record StoredColumn(string Name, ColumnKind Kind, Storage Storage, string? From = null, DatePart? Part = null,
    DateOrders? Order = null, IReadOnlyList<string>? Categories = null, IReadOnlyList<long>? Counts = null,
    long Missing = 0, double? Min = null, double? Mean = null, double? Max = null)
{
    public static StoredColumn Of(PlannedColumn column, string nameInFile) => new(column.Name, column.Kind, column.Storage,
        column.Name == nameInFile ? null : nameInFile, column.Part, column.Part is null ? null : column.Order,
        // An ordinal's and a boolean's inputs are numbers.
        column.Categories, column.Counts, column.Missing, column.Numbers?.Min, column.Numbers?.Mean, column.Numbers?.Max);
}

/// <summary>All that is known of a stored table but its rows. Equal tables have equal schemas.</summary>
public sealed record StoredTable
{
    public required int Rows { get; init; }
    public required int DroppedRows { get; init; }

    /// <summary>Their codes stand first in a chunk, in this order, each column by itself.</summary>
    public required IReadOnlyList<StoredColumn> Features { get; init; }

    /// <summary>Behind the features.</summary>
    public required StoredColumn Target { get; init; }

    /// <summary>Behind the target: equal for rows that stay on one side of each split.</summary>
    public StoredColumn? Group { get; init; }

    /// <summary>Behind the group: when each row was.</summary>
    public StoredColumn? Time { get; init; }
    public ImageShape? Image { get; init; }

    /// <summary>Rows of every chunk but the last.</summary>
    public required int ChunkRows { get; init; }
    public required SplitRule Split { get; init; }
    public required int TestRows { get; init; }
    public double? TestFraction { get; init; }
    public bool Stratified { get; init; }

    /// <summary>SHA-256 of all chunks, unpacked, one behind the other; the bits of the test rows come last.</summary>
    public required string DataSha256 { get; init; }

    public IEnumerable<StoredColumn> Columns => [.. Features, Target, .. Group is null ? [] : (StoredColumn[])[Group],
        .. Time is null ? [] : (StoredColumn[])[Time]];
}
