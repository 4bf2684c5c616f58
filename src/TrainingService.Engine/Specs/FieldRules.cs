using System.Globalization;

namespace TrainingService.Engine.Specs;

/// <summary>What the values of a request's field must keep: checked by <see cref="Fields.Check"/>, written into the API document.</summary>
[AttributeUsage(AttributeTargets.Property)]
public abstract class FieldRuleAttribute : Attribute
{
    /// <summary>What is taken where the field is left out; null for nothing, or for what depends on other fields.</summary>
    public object? Default { get; init; }

    /// <summary>To show what a value looks like.</summary>
    public string[]? Examples { get; init; }

    /// <summary>Null if the value is allowed, else one sentence.</summary>
    internal virtual string? Problem(string name, object value) => null;
}

/// <summary>Any value of the field's type, with a default.</summary>
public sealed class AnyAttribute : FieldRuleAttribute;

/// <summary>A rule for numbers.</summary>
public abstract class BoundsAttribute(Bounds bounds) : FieldRuleAttribute
{
    /// <summary>Which numbers are allowed.</summary>
    public Bounds Bounds { get; } = bounds;

    internal override string? Problem(string name, object value) => Bounds.Allow(Convert.ToDouble(value, CultureInfo.InvariantCulture))
        ? null
        : $"{name} must be {Bounds.Words}, not {Text(value)}";

    private protected virtual string Text(object value) => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
}

/// <summary>From <paramref name="least"/> to <paramref name="most"/>, both allowed.</summary>
public sealed class WithinAttribute(double least, double most) : BoundsAttribute(Bounds.Between(least, most))
{
    private protected override string Text(object value) => string.Create(CultureInfo.InvariantCulture, $"{value:#,0.##########}");
}

/// <summary>Whole numbers from <paramref name="least"/> on: all that the type holds, or fewer, which other fields decide.</summary>
public sealed class AtLeastAttribute(int least) : BoundsAttribute(new($">= {least}", $"at least {least}", Least: least))
{
    /// <summary>Whether every number of the type is allowed.</summary>
    public bool All { get; init; }
}

/// <summary>Numbers above 0.</summary>
public sealed class PositiveAttribute() : BoundsAttribute(Bounds.Positive);

/// <summary>Numbers from 0 on.</summary>
public sealed class NonNegativeAttribute() : BoundsAttribute(Bounds.NonNegative with { Words = "a number of at least 0" });

/// <summary>Numbers from 0 on, 1 excluded.</summary>
public sealed class ShareAttribute() : BoundsAttribute(Bounds.Share);

/// <summary>Numbers from 0 to 1, 0 excluded.</summary>
public sealed class RateAttribute() : BoundsAttribute(Bounds.Rate);

/// <summary>A list of so many items; who reads it checks it, since it knows more of the items.</summary>
public sealed class ItemsAttribute(int fewest, int most) : FieldRuleAttribute
{
    /// <summary>Fewest items.</summary>
    public int Fewest { get; } = fewest;

    /// <summary>Most items.</summary>
    public int MostItems { get; } = most;

    /// <summary>Whether no two items may be equal.</summary>
    public bool Unique { get; init; }

    /// <summary>The least number that may be an item; 0 together with <see cref="Most"/> where items aren't numbers.</summary>
    public int Least { get; init; }

    /// <summary>The largest number that may be an item.</summary>
    public int Most { get; init; }
}

/// <summary>A text of so many characters; who reads it checks it, since it says more of the text.</summary>
public sealed class LengthAttribute(int fewest, int most = int.MaxValue) : FieldRuleAttribute
{
    /// <summary>Fewest characters.</summary>
    public int Fewest { get; } = fewest;

    /// <summary>Most characters.</summary>
    public int Most { get; } = most;
}

/// <summary>One of some words.</summary>
public sealed class OneOfAttribute(params string[] words) : FieldRuleAttribute
{
    /// <summary>In the order of their documentation.</summary>
    public IReadOnlyList<string> Words { get; } = words;

    internal override string? Problem(string name, object value) => Words.Contains((string)value) ? null
        : $"unknown {name} '{value}'{Names.DidYouMean((string)value, Words)}; "
            + $"allowed are {string.Join(", ", Words.SkipLast(1))} and {Words[^1]}";
}
