using System.Text.RegularExpressions;

namespace TrainingService.Host.Statistics;

/// <summary>What is compared: a metric of finished runs, which way it improves and how its differences are told.</summary>
/// <param name="Name">As in a job's result, such as <c>testAccuracy</c>.</param>
/// <param name="HigherIsBetter">
/// False for losses, errors and times; null where no side is the good one, as of sparsity or gradient flow: values are higher or lower.
/// </param>
/// <param name="IsFraction">Differences are told in percentage points.</param>
/// <param name="Resolution">
/// Least amount by which two values can differ: 1 / test rows for an accuracy, 0 for a continuous metric. Null: the least distance
/// seen between two values of a contrast.
/// </param>
public sealed partial record Outcome(string Name, bool? HigherIsBetter, bool IsFraction, double? Resolution = null)
{
    /// <summary>The known metrics: accuracies and R2 improve upwards, losses, RMSE and seconds downwards.</summary>
    /// <exception cref="ArgumentException">Any other name.</exception>
    public static Outcome Of(string metric, double? resolution = null) => metric switch
    {
        _ when metric.EndsWith("Accuracy", StringComparison.OrdinalIgnoreCase) => new(metric, true, true, resolution),
        _ when metric.EndsWith("R2", StringComparison.OrdinalIgnoreCase) => new(metric, true, false, resolution),
        _ when metric.EndsWith("Loss", StringComparison.OrdinalIgnoreCase) || metric.EndsWith("Rmse", StringComparison.OrdinalIgnoreCase)
            || metric.Contains("seconds", StringComparison.OrdinalIgnoreCase) => new(metric, false, false, resolution),
        _ => throw new ArgumentException($"it is not known which way '{metric}' improves", nameof(metric)),
    };

    /// <summary>
    /// Times are compared as ratios: what counts is the difference of logarithms, told as a relative difference, so that 0.03 is 3 %
    /// longer; so is delta, and arms are equivalent whose ratio lies between 1 / (1 + delta) and 1 + delta.
    /// </summary>
    public bool IsRelative => Name.Contains("seconds", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether values lie between 0 and 1, as accuracies do and a gap between two of them doesn't.</summary>
    public bool IsShare => IsFraction && !Name.EndsWith("Gap", StringComparison.Ordinal);

    /// <summary>
    /// Unit of differences in the API: "fraction" (0.01 is one percentage point), "relative" (0.01 is 1 % more than the baseline),
    /// "decades" (of log10) or "number", in the metric's own unit.
    /// </summary>
    public string Unit => IsRelative ? "relative" : IsFraction ? "fraction"
        : Name.EndsWith("gradientFlow", StringComparison.OrdinalIgnoreCase) ? "decades" : "number";

    /// <summary>The name in words: "test accuracy".</summary>
    public string Words => Name switch
    {
        "secondsPerEpoch" => "time per epoch",
        "fastestEpochSeconds" => "time of the fastest epoch",
        "offEveryRowFraction" => "share of units off on every row",
        "cameBackFraction" => "share of units that came back",
        _ => WordStart().Replace(Name, match => match.Value is "R2" ? " R2" : " " + match.Value.ToLowerInvariant()).TrimStart(),
    };

    /// <summary>What the metric calls better and worse.</summary>
    public (string More, string Less) Sides => HigherIsBetter is null ? ("higher", "lower") : IsRelative ? ("faster", "slower")
        : ("better", "worse");

    /// <summary>A difference without its unit; a relative one as a ratio, 1.03 for 3 % more.</summary>
    public string Number(double value) => IsRelative ? Numbers.Ratio(1 + value) : Numbers.Short(IsFraction ? 100 * value : value);

    /// <summary>The ends of a difference's interval with their unit; of a relative one as ratios.</summary>
    public string Range(double[]? ends) => ends is not [var low, var high] ? "none"
        : IsRelative ? $"{Number(low)} to {Number(high)}" : Numbers.DifferenceInterval(this, ends);

    /// <summary>A difference with its unit; a relative one in per cent.</summary>
    public string Amount(double value) => IsRelative ? Numbers.Percent(value) : Numbers.Amount(this, value);

    /// <summary>From the scale of a contrast's differences to how they are told.</summary>
    internal double Told(double difference) => IsRelative ? Math.Exp(difference) - 1 : difference;

    /// <summary>A delta as it is told, on the scale of a contrast's differences.</summary>
    internal double Scaled(double delta) => IsRelative ? Math.Log(1 + delta) : delta;

    [GeneratedRegex("R2|[A-Z]")]
    private static partial Regex WordStart();
}
