using TrainingService.Engine.Data;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Datasets;

/// <summary>What people should know of a data set, and what its target is.</summary>
public sealed record DatasetCard
{
    public required string Name { get; init; }
    public required string Description { get; init; }
    public required string License { get; init; }
    public required string Source { get; init; }
    public required string Citation { get; init; }

    /// <summary>Name of the target's column.</summary>
    public required string Target { get; init; }

    /// <summary>Names of the classes in the order of their labels; empty if the target is a number.</summary>
    public IReadOnlyList<string> Classes { get; init; } = [];

    /// <summary>Set if each row is an image.</summary>
    public ImageShape? Image { get; init; }
}

/// <summary>Which rows every job trains on or draws its validation rows from, and which are only for the test.</summary>
public sealed record RowSplit(int[] Train, int[] Test);

/// <summary>A file that a data set is made of.</summary>
/// <param name="Name">File name.</param>
/// <param name="Sha256">SHA-256 of the file, lower-case hex.</param>
public sealed record DatasetFile(string Name, string Sha256);

/// <summary>A data set by name. Everything but the rows can be asked without reading them.</summary>
public abstract class Dataset(DatasetCard card)
{
    private const ulong TestRowsStream = 0x7465_7374_726F_7773;   // "testrows"

    private readonly Lock _lock = new();
    private IReadOnlyList<ColumnStatistics>? _statistics;

    public DatasetCard Card => card;
    public string Name => card.Name;
    public TargetKind TargetKind => card.Classes.Count > 0 ? TargetKind.Classes : TargetKind.Number;
    public int EncodedFeatures => Columns.Sum(column => column.EncodedWidth);

    public abstract IReadOnlyList<Column> Columns { get; }

    /// <summary>Names of the network's inputs; empty where all are pixels of an image.</summary>
    public IReadOnlyList<string> InputNames => card.Image is not null ? []
        : [.. Columns.SelectMany(column => column.Categories?.Select(value => $"{column.Name}={value}") ?? [column.Name])];

    /// <summary>Rows of each class, train and test together; empty if the target is a number.</summary>
    public abstract IReadOnlyList<int> ClassCounts { get; }
    public abstract int TrainRows { get; }
    public abstract int TestRows { get; }
    public int Rows => TrainRows + TestRows;

    /// <summary>Share of the rows that were drawn for the test; null if the data set's authors made the split.</summary>
    public abstract double? TestFraction { get; }

    /// <summary>Whether test rows were drawn from each class in proportion.</summary>
    public virtual bool IsStratified => TargetKind == TargetKind.Classes;

    /// <summary>Whether rows of one group stay on one side of every split.</summary>
    public virtual bool IsInGroups => false;

    /// <summary>Whether validation and test rows are the latest.</summary>
    public virtual bool IsInTime => false;

    /// <summary>Whether the test rows are none that a draw could as well have left out.</summary>
    public virtual bool HasGivenTest => TestFraction is null;

    /// <summary>Rows of the file that were left out because their target is missing.</summary>
    public abstract int DroppedRows { get; }

    /// <summary>SHA-256 of the content, lower-case hex.</summary>
    public abstract string Sha256 { get; }

    /// <summary>Where the content is more than one file.</summary>
    public virtual IReadOnlyList<DatasetFile>? Files => null;

    /// <summary>Why the rows can't be read and what would help; null if they can.</summary>
    public virtual string? FindObstacle() => null;

    /// <summary>Under which its rows are kept in memory.</summary>
    public virtual object RowsKey => Sha256;

    /// <summary>Of a row in memory, without its target.</summary>
    public virtual int RowBytes => sizeof(double) * Columns.Count;

    /// <summary>All rows; read once, then kept as long as memory allows.</summary>
    /// <exception cref="DatasetUnavailableException">With the obstacle as its message.</exception>
    public abstract Table Read();

    public abstract RowSplit Split();

    /// <summary>
    /// As many test rows as the data set's own split has, drawn from all rows by the seed, stratified by class; of groups about as many.
    /// </summary>
    public RowSplit Split(long seed)
    {
        var table = Read();
        // A stream of its own: the validation rows are drawn by the seed itself.
        var (test, _) = HeldOut.Of(table, [.. Enumerable.Range(0, table.Rows)], TestRows,
            (long)SplitMix64.Mix(SplitMix64.Mix((ulong)seed) ^ TestRowsStream));
        var isTest = new bool[table.Rows];
        foreach (var row in test)
            isTest[row] = true;
        return new([.. Enumerable.Range(0, table.Rows).Where(row => !isTest[row])], test);
    }

    /// <summary>Rows from the beginning, at least so many if there are; cheaper than all.</summary>
    public virtual Table Head(int rows) => Read();

    /// <summary>Of a number target; null for classes.</summary>
    public virtual ColumnStatistics? TargetStatistics => Read().Values is { Length: > 0 } values
        ? new(0, values.Min(), values.Average(), values.Max()) : null;

    /// <summary>One entry a column.</summary>
    public virtual IReadOnlyList<ColumnStatistics> Statistics
    {
        get
        {
            lock (_lock)
                return _statistics ??= ColumnStatistics.Of(Read(), Columns);
        }
    }
}

/// <summary>The data set's files aren't on this machine or aren't the right ones; the message says how to get them.</summary>
public sealed class DatasetUnavailableException(string message) : Exception(message);
