using System.Globalization;

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
}
