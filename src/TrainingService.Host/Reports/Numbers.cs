using System.Globalization;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>Numbers as people read them.</summary>
public static class Numbers
{
    /// <summary>Three significant digits; a true minus sign; "not a number", "∞" and "−∞" for what isn't finite.</summary>
    public static string Short(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
        if (value == 0)
            return "0";
        var magnitude = Math.Abs(value);
        if (magnitude is < 1e-3 or >= 1e6)
            return value.ToString("0.##e+0", CultureInfo.InvariantCulture).Replace("e+", "e", StringComparison.Ordinal).Replace('-', '−');
        var digits = Math.Max(0, 2 - (int)Math.Floor(Math.Log10(magnitude)));
        return value.ToString(digits == 0 ? "0" : $"0.{new string('#', digits)}", CultureInfo.InvariantCulture).Replace('-', '−');
    }

    /// <summary>"1 run", "2 runs".</summary>
    public static string Count(int count, string noun) => $"{count} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>An outcome's value: "97.42 %", "6.13 ms", else three digits.</summary>
    public static string Value(Outcome outcome, double? value) => value is not { } number ? "–"
        : outcome.IsFraction && double.IsFinite(number) ? $"{Fixed(100 * number, 2)} %"
        : outcome.IsRelative && double.IsFinite(number) ? Seconds(number) : Short(number);

    /// <summary>A difference with its sign: "+0.42 points" for what is told in per cent.</summary>
    public static string Difference(Outcome outcome, double? value) => value is not { } number ? "–"
        : Signed(number, outcome.IsRelative ? $"{Fixed(100 * number, 1)} %" : Amount(outcome, number));

    /// <summary>An amount of the outcome, as of a standard deviation: "0.42 points" for what is told in per cent, "0.26 ms".</summary>
    public static string Amount(Outcome outcome, double amount) =>
        outcome.IsFraction && double.IsFinite(amount) ? $"{Fixed(100 * amount, 2)} points"
        : outcome.IsRelative && double.IsFinite(amount) ? Seconds(amount) : Short(amount);

    /// <summary>Of a difference: relative ones in per cent.</summary>
    public static string DifferenceInterval(Outcome outcome, double[]? ends) => outcome.IsRelative && ends is [var low, var high]
        ? $"[{Fixed(100 * low, 1)} %, {Fixed(100 * high, 1)} %]" : Interval(outcome, ends);

    /// <summary>"[97.1, 97.7]", in per cent for what is told in per cent; of times "[6.01 ms, 6.31 ms]".</summary>
    public static string Interval(Outcome? outcome, double[]? ends) => ends is not [var low, var high] ? "–"
        : outcome is { IsFraction: true } ? $"[{Fixed(100 * low, 2)}, {Fixed(100 * high, 2)}]"
        : outcome is { IsRelative: true } ? $"[{Seconds(low)}, {Seconds(high)}]" : $"[{Short(low)}, {Short(high)}]";

    /// <summary>
    /// A statement's effect with its unit: "+0.42 points" for a difference of fractions, "97.4 %" for a fraction, "×1.05" for a ratio
    /// to the baseline.
    /// </summary>
    public static string Effect(string unit, double? value, bool isDifference) => value is not { } number ? "–" : unit switch
    {
        "fraction" when isDifference => $"{Signed(number, Fixed(100 * number, 2))} points",
        "fraction" => Percent(number),
        "ratio" => $"×{Short(number)}",
        "number" => isDifference ? Signed(number, Short(number)) : Short(number),
        _ => $"{(isDifference ? Signed(number, Short(number)) : Short(number))} {unit}",
    };

    /// <summary>The ends of its interval, in the same unit.</summary>
    public static string Ends(string unit, double[]? ends, bool isDifference) => ends is not [var low, var high] ? "–"
        : unit == "fraction" ? isDifference ? $"[{Fixed(100 * low, 2)}, {Fixed(100 * high, 2)}]" : $"[{Percent(low)}, {Percent(high)}]"
        : unit == "ratio" ? $"[×{Short(low)}, ×{Short(high)}]" : $"[{Short(low)}, {Short(high)}]";

    /// <summary>With a plus where the text isn't 0.</summary>
    private static string Signed(double value, string text) =>
        value > 0 && text.Any(c => c is >= '1' and <= '9' or '∞') ? $"+{text}" : text;

    public static string P(double p) =>
        p < 0.001 ? "p < 0.001" : $"p = {p.ToString(p < 0.1 ? "0.000" : "0.00", CultureInfo.InvariantCulture)}";

    public static string Percent(double share) => double.IsFinite(share) ? $"{Fixed(100 * share, 1)} %" : Short(share);

    public static string Seconds(double seconds) => seconds switch
    {
        < 0.1 => $"{Short(1000 * seconds)} ms",
        < 120 => $"{Short(seconds)} s",
        < 7200 => $"{Short(seconds / 60)} min",
        _ => $"{Short(seconds / 3600)} h",
    };

    private static string Fixed(double value, int digits)
    {
        var text = value.ToString($"F{digits}", CultureInfo.InvariantCulture);
        return text.TrimStart('-').All(c => c is '0' or '.') ? text.TrimStart('-') : text.Replace('-', '−');
    }
}
