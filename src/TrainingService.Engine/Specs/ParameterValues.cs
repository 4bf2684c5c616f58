using System.Globalization;

namespace TrainingService.Engine.Specs;

/// <summary>The parameters of one named thing, each given or by default, and all allowed. Equal values are equal.</summary>
public sealed class ParameterValues : IEquatable<ParameterValues>
{
    private readonly Dictionary<string, object> _values;

    private ParameterValues(Dictionary<string, object> values) => _values = values;

    /// <summary>A number.</summary>
    public double this[NumberParameter parameter] => (double)_values[parameter.Name];

    /// <summary>A number, or null where it is left to the layer.</summary>
    public double? this[OptionalNumberParameter parameter] => (double?)_values.GetValueOrDefault(parameter.Name);

    /// <summary>A whole number.</summary>
    public int this[CountParameter parameter] => (int)_values[parameter.Name];

    /// <summary>True or false.</summary>
    public bool this[FlagParameter parameter] => (bool)_values[parameter.Name];

    /// <summary>A word.</summary>
    public string this[ChoiceParameter parameter] => (string)_values[parameter.Name];

    /// <summary>
    /// Reads the parameters of <paramref name="owner"/> from a request: refuses what it doesn't have, checks ranges, fills in defaults.
    /// Fields with a rule of their own belong to every owner, and are left to <see cref="Fields.Check"/>.
    /// </summary>
    /// <param name="owner">As errors call it: <c>activation 'elu'</c>.</param>
    /// <param name="parameters">What it has.</param>
    /// <param name="request">A spec, or null for none.</param>
    /// <param name="pointer">Its place.</param>
    /// <param name="errors">Where refusals go.</param>
    /// <returns>Null if there was any.</returns>
    internal static ParameterValues? Read<T>(string owner, IReadOnlyList<ParameterInfo> parameters,
        T? request, string pointer, ICollection<SpecError> errors)
        where T : class
    {
        var values = new Dictionary<string, object>();
        foreach (var parameter in parameters)
            if (parameter.Default is { } standard)
                values[parameter.Name] = standard;
        var failed = false;
        foreach (var field in Fields.Of(typeof(T)))
        {
            if (request is null || field.Name == "name" || field.Rule is not null || field.Property.GetValue(request) is not { } value)
                continue;
            var problem = parameters.FirstOrDefault(p => p.Name == field.Name) is { } known ? known.Problem(value)
                : $"{owner} has no parameter '{field.Name}'; "
                    + $"it has {(parameters.Count == 0 ? "none" : string.Join(", ", parameters.Select(p => p.Name)))}";
            values[field.Name] = value;
            if (problem is null)
                continue;
            failed = true;
            errors.Add(new($"{pointer}/{field.Name}", problem));
        }
        return failed ? null : new(values);
    }

    /// <summary>Sets the fields of a request to these values: the way back.</summary>
    internal T WriteTo<T>(T request) where T : class
    {
        foreach (var field in Fields.Of(typeof(T)))
            if (_values.TryGetValue(field.Name, out var value))
                field.Property.SetValue(request, value);
        return request;
    }

    /// <inheritdoc/>
    public bool Equals(ParameterValues? other) =>
        other is not null && _values.Count == other._values.Count
        && _values.All(v => v.Value.Equals(other._values.GetValueOrDefault(v.Key)));

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as ParameterValues);

    /// <inheritdoc/>
    public override int GetHashCode() => _values.Aggregate(0, (hash, value) => hash ^ HashCode.Combine(value.Key, value.Value));

    /// <summary><c>lambda 50</c>, <c>min -1, max 1</c>.</summary>
    public override string ToString() =>
        string.Join(", ", _values.Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Key} {v.Value}")));
}

/// <summary>Two parameters, one of which must not pass the other.</summary>
/// <param name="Lower">The lower one.</param>
/// <param name="Upper">The upper one.</param>
/// <param name="MayBeEqual">Whether they may be equal.</param>
internal sealed record Ordered(NumberParameter Lower, NumberParameter Upper, bool MayBeEqual)
{
    /// <summary>Whether the values keep it; adds an error if not.</summary>
    public bool Check(ParameterValues values, string pointer, ICollection<SpecError> errors)
    {
        var (lower, upper) = (values[Lower], values[Upper]);
        if (MayBeEqual ? lower <= upper : lower < upper)
            return true;
        errors.Add(new($"{pointer}/{Upper.Name}", string.Create(CultureInfo.InvariantCulture,
            $"{Upper.Name} must be {(MayBeEqual ? "at least" : "above")} {Lower.Name}, which is {lower}, not {upper}")));
        return false;
    }
}
