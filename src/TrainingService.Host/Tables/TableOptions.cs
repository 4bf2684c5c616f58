namespace TrainingService.Host.Tables;

/// <summary>What a column holds.</summary>
public enum ColumnKind
{
    /// <summary>A number.</summary>
    Number,

    /// <summary>One of a list of values, each of which becomes an input.</summary>
    Category,

    /// <summary>One of a list of values in their order (of numbers, else of the alphabet), which becomes one input: its place.</summary>
    Ordinal,

    /// <summary>Yes or no, 1 or 0: one input.</summary>
    Boolean,

    /// <summary>A date, of which year, month, day, weekday and hour become inputs, those that are not the same in all rows.</summary>
    Date,
}

/// <summary>A column's kind as it was asked for.</summary>
/// <param name="Kind">What it is to be read as.</param>
/// <param name="Order">Of a date's parts; None if it is to be found.</param>
public sealed record DeclaredType(ColumnKind Kind, DateOrders Order = DateOrders.None);

/// <summary>What is predicted.</summary>
public enum TableTask
{
    /// <summary>One of several classes.</summary>
    Classification,

    /// <summary>A number.</summary>
    Regression,
}

/// <summary>What was asked for beside the file; null is to be found out.</summary>
public sealed record TableOptions
{
    /// <summary>Name of the column to predict; null to only look.</summary>
    public string? Target { get; init; }
    public TableTask? Task { get; init; }
    public IReadOnlyDictionary<string, DeclaredType> Types { get; init; } = new Dictionary<string, DeclaredType>();
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>Texts that stand for missing values, beside those that always do.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
    public char? Delimiter { get; init; }
    public bool? Header { get; init; }
    public string? Encoding { get; init; }
    public Decimals? Decimals { get; init; }
    public double? TestFraction { get; init; }
    public bool? Stratify { get; init; }
    public string? GroupBy { get; init; }
    public string? TimeBy { get; init; }
}
