using System.Globalization;

namespace TrainingService.Host.Statistics;

/// <summary>Numbers as people read them: at most three significant digits, a true minus sign, their unit beside them.</summary>
public static class Numbers
{
    private const string Superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";

    /// <summary>
    /// "1,230", "0.0415", "4.15·10⁻⁵" for what is small or large; "not a number", "∞" and "−∞" for what isn't finite.
    /// </summary>
    public static string Short(double value)
    {
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? "not a number" : value > 0 ? "∞" : "−∞";
        if (value == 0)
            return "0";
        // rounded first: what rounds to 1 is told as 1
        var text = Math.Abs(value).ToString("E2", CultureInfo.InvariantCulture);
        var (factor, exponent) = (text[..4].TrimEnd('0').TrimEnd('.'), int.Parse(text[5..], CultureInfo.InvariantCulture));
        return (value < 0 ? "−" : "") + (exponent is < -3 or > 5 ? $"{factor}·10{Superscript(exponent)}"
            : decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture).ToString("#,0.#####", CultureInfo.InvariantCulture));
    }

    /// <summary>The same with a plus, where it isn't 0.</summary>
    public static string Signed(double value) => value > 0 ? $"+{Short(value)}" : Short(value);

    /// <summary>"⁻⁵".</summary>
    public static string Superscript(int exponent) => (exponent < 0 ? "⁻" : "")
        + string.Concat(Math.Abs(exponent).ToString(CultureInfo.InvariantCulture).Select(digit => Superscripts[digit - '0']));

    /// <summary>"1 run", "2 runs", "1,200 runs".</summary>
    public static string Count(int count, string noun) =>
        $"{count.ToString("N0", CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A share of 1: "97.4 %".</summary>
    public static string Percent(double share) => $"{Short(100 * share)} %";

    /// <summary>A difference of shares, without its sign's plus: "0.42 points".</summary>
    public static string Points(double difference) => WithPoints(Short(100 * difference));

    /// <summary>"p = 0.042", "p &lt; 0.001".</summary>
    public static string P(double p) =>
        p < 0.001 ? "p < 0.001" : $"p = {p.ToString(p < 0.1 ? "0.000" : "0.00", CultureInfo.InvariantCulture)}";

    public static string Seconds(double seconds) => seconds switch
    {
        < 0.1 => $"{Short(1000 * seconds)} ms",
        < 120 => $"{Short(seconds)} s",
        < 7200 => $"{Short(seconds / 60)} min",
        _ => $"{Short(seconds / 3600)} h",
    };

    /// <summary>A ratio, to two digits behind the point where it is near 1: "1.12".</summary>
    public static string Ratio(double ratio) => double.IsNaN(ratio) ? Short(ratio) : ratio >= 1e6 ? "over a million"
        : ratio is < 10 and >= 1 ? ratio.ToString("0.0#", CultureInfo.InvariantCulture) : Short(ratio);

    /// <summary>An outcome's value: "97.4 %", "6.13 ms", else three digits.</summary>
    public static string Value(Outcome outcome, double? value) => value is not { } number ? "–"
        : outcome.IsFraction ? Percent(number) : outcome.IsRelative ? Seconds(number) : WithUnit(outcome, Short(number));

    /// <summary>A difference with its sign: "+0.42 points" for what is told in per cent, "+3 %" for times.</summary>
    public static string Difference(Outcome outcome, double? value) => value is not { } number ? "–"
        : outcome.IsFraction ? WithPoints(Signed(100 * number))
        : outcome.IsRelative ? $"{Signed(100 * number)} %" : WithUnit(outcome, Signed(number));

    /// <summary>An amount of the outcome, as of a standard deviation: "0.42 points" for what is told in per cent, "0.26 ms".</summary>
    public static string Amount(Outcome outcome, double amount) => outcome.IsFraction ? Points(amount)
        : outcome.IsRelative ? Seconds(amount) : WithUnit(outcome, Short(amount));

    /// <summary>Of values: "97.1 to 97.7 %", "6.01 ms to 0.31 s".</summary>
    public static string Interval(Outcome outcome, double[]? ends) => ends is not [var low, var high] ? "–"
        : outcome.IsFraction ? $"{Short(100 * low)} to {Percent(high)}"
        : outcome.IsRelative ? $"{Seconds(low)} to {Seconds(high)}" : $"{Short(low)} to {WithUnit(outcome, Short(high))}";

    /// <summary>Of a difference: "−0.3 to 1.9 points", of times in per cent.</summary>
    public static string DifferenceInterval(Outcome outcome, double[]? ends) => ends is not [var low, var high] ? "–"
        : outcome.IsFraction ? $"{Short(100 * low)} to {Points(high)}"
        : outcome.IsRelative ? $"{Short(100 * low)} to {Percent(high)}" : $"{Short(low)} to {WithUnit(outcome, Short(high))}";

    /// <summary>Of shares: "0 to 13.8 %".</summary>
    public static string Percents(double[]? ends) => ends is [var low, var high] ? $"{Short(100 * low)} to {Percent(high)}" : "–";

    /// <summary>
    /// A statement's effect with its unit: "+0.42 points" for a difference of fractions, "97.4 %" for a fraction, "×1.05" for a ratio
    /// to the baseline.
    /// </summary>
    public static string Effect(string unit, double? value, bool isDifference) => value is not { } number ? "–" : unit switch
    {
        "fraction" => isDifference ? WithPoints(Signed(100 * number)) : Percent(number),
        "ratio" => $"×{Ratio(number)}",
        "number" => isDifference ? Signed(number) : Short(number),
        _ => $"{(isDifference ? Signed(number) : Short(number))} {unit}",
    };

    /// <summary>The ends of its interval, in the same unit.</summary>
    public static string Ends(string unit, double[]? ends, bool isDifference) => ends is not [var low, var high] ? "–" : unit switch
    {
        "fraction" => $"{Short(100 * low)} to {(isDifference ? Points(high) : Percent(high))}",
        "ratio" => $"×{Ratio(low)} to ×{Ratio(high)}",
        "number" => $"{Short(low)} to {Short(high)}",
        _ => $"{Short(low)} to {Short(high)} {unit}",
    };

    private static string WithPoints(string number) => number.TrimStart('+', '−') == "1" ? $"{number} point" : $"{number} points";

    private static string WithUnit(Outcome outcome, string number) => outcome.Unit == "decades" ? $"{number} decades" : number;
}
