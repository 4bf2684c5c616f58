using System.Globalization;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Metrics;

/// <summary>Points of a curve, <c>[step, epoch, value]</c>.</summary>
public static class Points
{
    public const int DefaultMax = 1000;
    public const int Most = 1_000_000;

    public static void Check(int? maxPoints, ICollection<SpecError> errors)
    {
        if (maxPoints is < 2 or > Most)
            errors.Add(new("/maxPoints", $"must be from 2 to {Most}, not {maxPoints}"));
    }

    public static void Add<TKey>(Dictionary<TKey, List<double[]>> curves, TKey key, long step, double epoch, float value)
        where TKey : notnull
    {
        if (!curves.TryGetValue(key, out var points))
            curves[key] = points = [];
        points.Add([step, epoch, Widen(value)]);
    }

    /// <summary>The shortest decimal that is this float: 0.1 and not 0.10000000149011612.</summary>
    private static double Widen(float value)
    {
        Span<byte> text = stackalloc byte[32];
        return float.IsFinite(value) && value.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture)
            ? double.Parse(text[..length], CultureInfo.InvariantCulture)
            : value;
    }
}
