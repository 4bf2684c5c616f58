using System.Globalization;

namespace TrainingService.Engine.Specs;

/// <summary>One parameter of something that is chosen by name; the catalogue shows those of activations and initialisers.</summary>
/// <param name="Name">As in the spec, camelCase (<c>negativeSlope</c>).</param>
/// <param name="Default">Default value as a number, a boolean or a string; null where it depends on the layer.</param>
/// <param name="Range">Allowed values: <c>finite</c>, <c>&gt; 0</c>, <c>&gt;= 0</c>, <c>[0, 1)</c>, or the words of a
/// choice (<c>none | tanh</c>).</param>
/// <param name="Description">What it does.</param>
public abstract record ParameterInfo(string Name, object? Default, string Range, string Description)
{
    /// <summary>Null if the value is allowed, else what is wrong with it.</summary>
    internal virtual string? Problem(object value) => null;

    private protected string? Problem(Bounds bounds, double value) => bounds.Allow(value) ? null
        : string.Create(CultureInfo.InvariantCulture, $"{Name} must be {bounds.Words}, not {value}");
}

/// <summary>A parameter that is a number.</summary>
public sealed record NumberParameter : ParameterInfo
{
    /// <summary>With a default.</summary>
    public NumberParameter(string name, double standard, Bounds bounds, string description = "")
        : base(name, standard, bounds.Text, description) =>
        Bounds = bounds;

    /// <summary>Which numbers are allowed.</summary>
    public Bounds Bounds { get; }

    internal override string? Problem(object value) => Problem(Bounds, (double)value);
}

/// <summary>A number that may be left out, in favour of one that only the layer knows.</summary>
public sealed record OptionalNumberParameter : ParameterInfo
{
    /// <summary>Without a default.</summary>
    public OptionalNumberParameter(string name, Bounds bounds, string description)
        : base(name, null, bounds.Text, description) => Bounds = bounds;

    /// <summary>Which numbers are allowed.</summary>
    public Bounds Bounds { get; }

    internal override string? Problem(object value) => Problem(Bounds, (double)value);
}

/// <summary>A parameter that is a whole number.</summary>
public sealed record CountParameter : ParameterInfo
{
    /// <summary>With a default.</summary>
    public CountParameter(string name, int standard, Bounds bounds, string description = "")
        : base(name, standard, bounds.Text, description) =>
        Bounds = bounds;

    /// <summary>Which numbers are allowed.</summary>
    public Bounds Bounds { get; }

    internal override string? Problem(object value) => Problem(Bounds, (int)value);
}

/// <summary>A parameter that is true or false.</summary>
public sealed record FlagParameter : ParameterInfo
{
    /// <summary>With a default.</summary>
    public FlagParameter(string name, bool standard, string description = "") : base(name, standard, "true | false", description)
    {
    }
}

/// <summary>A parameter that is one of some words.</summary>
public sealed record ChoiceParameter : ParameterInfo
{
    /// <summary>With a default.</summary>
    public ChoiceParameter(string name, string standard, IReadOnlyList<string> words, string description)
        : base(name, standard, string.Join(" | ", words), description) => Words = words;

    /// <summary>In the order of their documentation.</summary>
    public IReadOnlyList<string> Words { get; }

    internal override string? Problem(object value) => Words.Contains((string)value) ? null
        : $"{Name} must be one of {Range}, not {value}{Names.DidYouMean((string)value, Words)}";
}
