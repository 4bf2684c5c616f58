using System.Globalization;

namespace TrainingService.Engine.Specs;

/// <summary>One parameter of an activation, initialiser or optimiser, as the catalogue shows it.</summary>
/// <param name="Name">As in the spec, camelCase (<c>negativeSlope</c>).</param>
/// <param name="Default">Default value as a number, a boolean or a string; null where it depends on the layer.</param>
/// <param name="Range">Allowed values: <c>finite</c>, <c>&gt; 0</c>, <c>&gt;= 0</c>, <c>[0, 1)</c>, or the words of a choice (<c>none | tanh</c>).</param>
/// <param name="Description">What it does.</param>
public sealed record ParameterInfo(string Name, object? Default, string Range, string Description)
{
    /// <summary>Null if the value is allowed, else what is wrong with it.</summary>
    internal string? Problem(object value)
    {
        var allowed = value switch
        {
            // what float32 cannot hold would be infinite in the kernels
            double number => float.IsFinite((float)number) && Range switch
            {
                "> 0" => number > 0,
                ">= 0" => number >= 0,
                "[0, 1)" => number is >= 0 and < 1,
                _ => true,
            },
            string word => Range.Split(" | ").Contains(word),
            _ => true,
        };
        if (allowed)
            return null;
        var rule = value is string ? "one of " + Range : Range == "finite" ? "a finite number" : Range.StartsWith('[') ? "in " + Range : Range;
        return string.Create(CultureInfo.InvariantCulture, $"{Name} must be {rule}, not {value}")
            + (value is string misspelt ? Names.DidYouMean(misspelt, Range.Split(" | ")) : "");
    }
}
