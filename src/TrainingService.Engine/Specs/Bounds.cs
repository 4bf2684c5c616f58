using System.Globalization;

namespace TrainingService.Engine.Specs;

/// <summary>Which numbers are allowed: the one place of a range, for the check, the catalogue and the API document.</summary>
/// <param name="Text">As the catalogue shows it: <c>finite</c>, <c>&gt; 0</c>, <c>[0, 1)</c>.</param>
/// <param name="Words">As a refusal says it, behind "must be".</param>
/// <param name="Above">What a number must be above; as a float32, too, since the kernels compute with that.</param>
/// <param name="Least">The least number.</param>
/// <param name="Below">What a number must be below; as a float32, too.</param>
/// <param name="Most">The largest number.</param>
public sealed record Bounds(string Text, string Words, double? Above = null,
    double? Least = null, double? Below = null, double? Most = null)
{
    /// <summary>Any number that a float32 can hold.</summary>
    public static Bounds Finite { get; } = new("finite", "a finite number");

    /// <summary>Above 0.</summary>
    public static Bounds Positive { get; } = new("> 0", "> 0", Above: 0);

    /// <summary>From 0 on.</summary>
    public static Bounds NonNegative { get; } = new(">= 0", ">= 0", Least: 0);

    /// <summary>From 0 on, 1 excluded.</summary>
    public static Bounds Share { get; } = new("[0, 1)", "in [0, 1)", Least: 0, Below: 1);

    /// <summary>0 and 1 excluded.</summary>
    public static Bounds Inside { get; } = new("(0, 1)", "in (0, 1)", Above: 0, Below: 1);

    /// <summary>0 excluded, 1 allowed.</summary>
    public static Bounds Rate { get; } = new("(0, 1]", "in (0, 1]", Above: 0, Most: 1);

    /// <summary>A factor that lets nothing grow: the same numbers as <see cref="Rate"/>.</summary>
    public static Bounds Decay { get; } = Rate with { Words = "> 0 and at most 1" };

    /// <summary>Whole numbers from 1 on.</summary>
    public static Bounds Count { get; } = new("> 0", "> 0", Least: 1);

    /// <summary>From one number to another, both allowed.</summary>
    public static Bounds Between(double least, double most)
    {
        var words = string.Create(CultureInfo.InvariantCulture, $"from {least:#,0.##} to {most:#,0.##}");
        return new(words, words, Least: least, Most: most);
    }

    /// <summary>Whether the number is allowed; what a float32 can't hold never is, since it would be infinite in the kernels.</summary>
    public bool Allow(double value) => float.IsFinite((float)value)
        && !(value <= Above || (float)value <= Above || value < Least || value >= Below || (float)value >= Below || value > Most);
}
