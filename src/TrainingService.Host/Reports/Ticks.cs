using System.Globalization;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Reports;

/// <summary>A place on an axis and what is written there.</summary>
public readonly record struct Tick(double Position, string Label);

/// <summary>Round numbers along an axis. On a logarithmic one positions are powers: 3 is a thousand.</summary>
public static class Ticks
{
    /// <summary>Steps of 1, 2 or 5 times a power of ten, about <paramref name="wanted"/> of them.</summary>
    public static List<Tick> Linear(double min, double max, int wanted)
    {
        var step = Step(max - min, wanted);
        var digits = Math.Clamp((int)Math.Ceiling(-Math.Log10(step) - 1e-9), 0, 15);
        var far = Math.Max(Math.Abs(min), Math.Abs(max)) is >= 1e5 or < 1e-3;
        return [.. Between(min, max, step).Select(
            value => new Tick(value, far ? Power(value) : value.ToString($"F{digits}", CultureInfo.InvariantCulture).Replace('-', '−')))];
    }

    /// <summary>Whole powers of ten, with 2 and 5 between them where there are few.</summary>
    public static List<Tick> Log(double min, double max, int wanted)
    {
        var decades = max - min;
        if (decades < 0.7)
            return [.. Linear(Math.Pow(10, min), Math.Pow(10, max), wanted).Where(tick => tick.Position > 0)
                .Select(tick => tick with { Position = Math.Log10(tick.Position) })];
        var step = Math.Max(1, Math.Ceiling(decades / wanted));
        double[] between = decades < 2 ? [1, 2, 5] : [1];
        return [.. Between(Math.Floor(min), max, step)
            .SelectMany(power => between.Select(factor => (Position: power + Math.Log10(factor), Value: factor, power)))
            .Where(tick => tick.Position >= min - 1e-9 && tick.Position <= max + 1e-9)
            .Select(tick => new Tick(tick.Position, tick.power is >= -3 and <= 3
                ? (tick.Value * Math.Pow(10, tick.power)).ToString("0.#####", CultureInfo.InvariantCulture)
                : $"{(tick.Value == 1 ? "" : $"{tick.Value:0}·")}10{Numbers.Superscript((int)tick.power)}"))];
    }

    private static string Power(double value)
    {
        if (value == 0)
            return "0";
        var exponent = (int)Math.Floor(Math.Log10(Math.Abs(value)) + 1e-9);
        var factor = (value / Math.Pow(10, exponent)).ToString("0.##", CultureInfo.InvariantCulture).Replace('-', '−');
        return $"{factor}·10{Numbers.Superscript(exponent)}";
    }

    private static double Step(double range, int wanted)
    {
        var rough = range / wanted;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        return power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
    }

    private static IEnumerable<double> Between(double min, double max, double step)
    {
        var first = Math.Ceiling(min / step - 1e-9);
        for (var i = 0; (first + i) * step <= max + step * 1e-9; i++)
            yield return (first + i) * step;
    }
}
