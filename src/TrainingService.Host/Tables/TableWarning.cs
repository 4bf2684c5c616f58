namespace TrainingService.Host.Tables;

/// <summary>What may be wrong with a table that can be used as it is.</summary>
public enum TableWarningKind
{
    /// <summary>A column without any value; it is left out.</summary>
    Empty,

    /// <summary>A column with the same value in all rows.</summary>
    Constant,

    /// <summary>A column that holds the same as another in each row.</summary>
    Duplicate,

    /// <summary>A column that numbers or names the rows.</summary>
    Identifier,

    /// <summary>A column from which alone the target can be told.</summary>
    Leak,

    /// <summary>A column of which more than half is missing.</summary>
    ManyMissing,

    /// <summary>Values that are infinite; they are taken for missing ones.</summary>
    Infinite,

    /// <summary>Categories that differ in case only.</summary>
    Spelling,

    /// <summary>A class with few rows.</summary>
    RareClass,

    /// <summary>Classes of very different size.</summary>
    Imbalance,
}

/// <summary>What may be wrong with a table.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Column">In which column; null where in none by itself.</param>
/// <param name="Message">A sentence, with what helps.</param>
public sealed record TableWarning(TableWarningKind Kind, string? Column, string Message);
