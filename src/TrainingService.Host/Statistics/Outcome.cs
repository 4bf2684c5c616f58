using System.Globalization;
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

    /// <summary>The name in words: "test accuracy".</summary>
    public string Words =>
        WordStart().Replace(Name, match => match.Value is "R2" ? " R2" : " " + match.Value.ToLowerInvariant()).TrimStart();

    /// <summary>A difference without its unit: hundredths of a percentage point, three digits of milliseconds, or three digits.</summary>
    public string Number(double value) => IsFraction
        ? (100 * value).ToString("0.00", CultureInfo.InvariantCulture)
        : Digits(IsTime ? 1000 * value : value);

    /// <summary>A difference with its unit.</summary>
    public string Amount(double value) =>
        IsFraction ? Number(value) + " percentage points" : IsTime ? Number(value) + " ms" : Number(value);

    private bool IsTime => Name.Contains("seconds", StringComparison.OrdinalIgnoreCase);

    /// <summary>Three digits, written out as people read them: 0.0000415 and not 4.15E-05.</summary>
    private static string Digits(double value)
    {
        var text = value.ToString("G3", CultureInfo.InvariantCulture);
        return double.IsFinite(value) && text.Contains('E', StringComparison.Ordinal) && Math.Abs(value) is > 1e-9 and < 1e9
            ? decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture) : text;
    }

    [GeneratedRegex("R2|[A-Z]")]
    private static partial Regex WordStart();
}
