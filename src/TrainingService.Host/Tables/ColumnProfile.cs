using System.Text;
using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Tables;

/// <summary>A cell that was seen, to be named later.</summary>
/// <param name="Text">In quotes.</param>
/// <param name="Place">Where.</param>
public sealed record Sighting(string Text, string Place);

/// <summary>What is seen of a column while the file is read for the first time; from it follows what the column is.</summary>
/// <param name="most">Different values that are told apart.</param>
/// <param name="budget">Memory for these.</param>
public sealed class ColumnProfile(int most, TextBudget budget)
{
    private readonly DistinctSketch _sketch = new();
    private double _last = double.NaN;

    public long Rows { get; private set; }
    public long Missing { get; private set; }

    /// <summary>Texts that are missing values if the rest are numbers.</summary>
    public long PerhapsMissing { get; private set; }

    /// <summary>Texts that are no numbers.</summary>
    public long Texts { get; private set; }
    public long TooLarge { get; private set; }

    /// <summary>inf, -Infinity.</summary>
    public long Infinite { get; private set; }
    public NumberSummary Numbers { get; } = new();

    // How numbers with commas are to be read is known when all have been seen.
    public long WithPoint { get; private set; }
    public long WithCommas { get; private set; }
    public Sighting? CommaDecimal { get; private set; }
    public Sighting? CommaThousands { get; private set; }
    public Sighting? CommaEither { get; private set; }

    public Sighting? FirstText { get; private set; }
    public Sighting? FirstTooLarge { get; private set; }
    public Sighting? FirstInfinite { get; private set; }

    /// <summary>Orders in which all texts are dates.</summary>
    public DateOrders Dates { get; private set; } = DateOrders.All;
    public Sighting? FirstNoDate { get; private set; }

    /// <summary>All different values, missing ones left out.</summary>
    public TextCounts Values { get; } = new(most, budget);

    /// <summary>How many different values there are.</summary>
    public double Distinct => Values.Counts?.Count ?? _sketch.Estimate;

    /// <summary>Equal for columns that hold the same in every row.</summary>
    public ulong Content { get; private set; }

    /// <summary>Whether each number is the one before plus 1.</summary>
    public bool IsConsecutive { get; private set; } = true;

    public void Add(Cell cell, RowSource source, Decimals decimals, Missing missing)
    {
        Rows++;
        if (missing.Has(cell))
            AddMissing();
        else if (cell.IsNumber)
            AddNumber(cell.Number, source);
        else
            AddText(missing.Trim(cell.Text), source, decimals);
    }

    private void AddNumber(double number, RowSource source)
    {
        Span<byte> text = stackalloc byte[32];
        number.TryFormat(text, out var length, "R", System.Globalization.CultureInfo.InvariantCulture);
        AddValue(text[..length]);
        if (double.IsInfinity(number))
        {
            AddInfinite(text[..length], source);
            return;
        }
        AddNumber(number, NumberSummary.DigitsOf(number));
    }

    private void AddText(ReadOnlySpan<byte> text, RowSource source, Decimals decimals)
    {
        AddValue(text);
        var form = NumberText.Read(text, decimals, out var number, out var digits);
        switch (form)
        {
            case NumberForm.Number:
                if (digits > 0)
                    WithPoint++;
                AddNumber(number, digits);
                return;
            case NumberForm.Infinite:
                AddInfinite(text, source);
                return;
            case NumberForm.TooLarge:
                TooLarge++;
                FirstTooLarge ??= new(TableException.Show(text), source.Place);
                return;
        }
        if (form is not NumberForm.None)
            AddWithComma(form, new(TableException.Show(text), source.Place));
        Texts++;
        IsConsecutive = false;
        if (MissingText.IsAmongNumbers(text))
        {
            PerhapsMissing++;
            return;
        }
        FirstText ??= new(TableException.Show(text), source.Place);
        if (Dates != DateOrders.None && DateText.Orders(text, Dates) is var orders && orders != Dates)
        {
            if (orders == DateOrders.None)
                FirstNoDate ??= new(TableException.Show(text), source.Place);
            Dates = orders;
        }
    }

    private void AddInfinite(ReadOnlySpan<byte> text, RowSource source)
    {
        Infinite++;
        IsConsecutive = false;
        FirstInfinite ??= new(TableException.Show(text), source.Place);
    }

    private void AddWithComma(NumberForm form, Sighting sighting)
    {
        WithCommas++;
        if (form is NumberForm.CommaDecimal)
            CommaDecimal ??= sighting;
        else if (form is NumberForm.CommaThousands)
            CommaThousands ??= sighting;
        else
            CommaEither ??= sighting;
    }

    private void AddNumber(double number, int digits)
    {
        Numbers.Add(number, digits);
        if (Numbers.Count > 1 && number != _last + 1)
            IsConsecutive = false;
        _last = number;
    }

    private void AddValue(ReadOnlySpan<byte> text)
    {
        var hash = TextHash.Of(text);
        _sketch.Add(hash);
        Values.Add(text);
        Content = SplitMix64.Mix(Content ^ hash);
    }

    private void AddMissing()
    {
        Missing++;
        IsConsecutive = false;
        Content = SplitMix64.Mix(Content ^ 1);
    }
}

/// <summary>Which texts stand for missing values in this file.</summary>
/// <param name="more">Beside those that always do.</param>
public sealed class Missing(IReadOnlyList<string> more)
{
    private readonly byte[][] _more = [.. more.Select(Encoding.UTF8.GetBytes)];

    // Of files that have types, where infinity is a number.
    private readonly bool _infinity = more.Any(word => IsInfinity(word, '+')), _minusInfinity = more.Any(word => IsInfinity(word, '-'));

    public bool Has(Cell cell) => !cell.IsNumber ? Has(Trim(cell.Text))
        : double.IsNaN(cell.Number) || _infinity && double.IsPositiveInfinity(cell.Number)
            || _minusInfinity && double.IsNegativeInfinity(cell.Number);

    /// <param name="text">Without blanks around it.</param>
    public bool Has(ReadOnlySpan<byte> text)
    {
        if (MissingText.IsAlways(text))
            return true;
        foreach (var word in _more)
            if (text.SequenceEqual(word))
                return true;
        return false;
    }

    public ReadOnlySpan<byte> Trim(ReadOnlySpan<byte> text) => text.Trim(" \t\r\n"u8);

    private static bool IsInfinity(string word, char sign) => word.StartsWith('-') == (sign == '-')
        && word.TrimStart('+', '-').ToLowerInvariant() is ("inf" or "infinity");
}
