namespace TrainingService.Host.Tables;

/// <summary>What a file holds at a place: UTF-8 text, or the number of a file that has types. NaN is a missing number.</summary>
public readonly ref struct Cell
{
    public Cell(ReadOnlySpan<byte> text) => Text = text;

    public Cell(double number) => (IsNumber, Number) = (true, number);

    public bool IsNumber { get; }
    public double Number { get; }
    public ReadOnlySpan<byte> Text { get; }
}

/// <summary>Rows of a file, one after the other; never more of them in memory than are being read.</summary>
public abstract class RowSource : IDisposable
{
    /// <summary>Of the columns.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>Rows read, the current one included: the first one's number is 1.</summary>
    public long Row { get; private set; }

    /// <summary>Where the current row is in the file, as people look for it.</summary>
    public virtual string Place => $"row {Row:N0}";

    /// <summary>Whether the current row comes from the file of test rows.</summary>
    public virtual bool IsTest => false;

    /// <summary>Of the current row; valid until the next is read.</summary>
    public abstract Cell this[int column] { get; }

    /// <exception cref="TableException">If the row is no row of this table.</exception>
    public bool Read()
    {
        if (!ReadRow())
            return false;
        Row++;
        return true;
    }

    protected abstract bool ReadRow();

    public virtual void Dispose() => GC.SuppressFinalize(this);
}
