namespace TrainingService.Host.Tables;

/// <summary>What there is to know of a column's numbers in order to describe and to store them.</summary>
public sealed class NumberSummary
{
    public long Count { get; private set; }
    public double Min { get; private set; } = double.PositiveInfinity;
    public double Max { get; private set; } = double.NegativeInfinity;
    public double Sum { get; private set; }

    /// <summary>
    /// Most digits behind the point that one has; <see cref="NumberText.Many"/> where one has an exponent or no such text.
    /// </summary>
    public int Digits { get; private set; }

    public double? Mean => Count == 0 ? null : Sum / Count;

    public void Add(double number, int digits)
    {
        Count++;
        Min = Math.Min(Min, number);
        Max = Math.Max(Max, number);
        Sum += number;
        Digits = Math.Max(Digits, digits);
    }

    /// <summary>Of a number that comes without its text.</summary>
    public static int DigitsOf(double number) => Math.Floor(number) == number && Math.Abs(number) < 1e15 ? 0 : NumberText.Many;
}
