using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TrainingService.Engine.Specs;

/// <summary>The fields of a request by the names that clients use.</summary>
public static class Fields
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<Field>> Known = [];

    /// <summary>In the order of their declaration.</summary>
    public static IReadOnlyList<Field> Of(Type request) => Known.GetOrAdd(request, type =>
    [
        .. type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite).Select(p => new Field(
            p.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name ?? JsonNamingPolicy.CamelCase.ConvertName(p.Name), p,
            p.GetCustomAttribute<FieldRuleAttribute>())),
    ]);

    /// <summary>
    /// Checks the fields that carry a rule and are given, all or those named; adds an error for each that breaks its rule.
    /// </summary>
    /// <returns>The values, with the defaults of what was left out.</returns>
    public static FieldValues Check(object request, string pointer, ICollection<SpecError> errors, IReadOnlyCollection<string>? only = null)
    {
        var values = new Dictionary<string, object>();
        foreach (var field in Of(request.GetType()))
        {
            if (field.Rule is not { } rule || only?.Contains(field.Name) == false)
                continue;
            var value = field.Property.GetValue(request);
            if (value is not null && rule.Problem(field.Name, value) is { } problem)
                errors.Add(new($"{pointer}/{field.Name}", problem));
            if ((value ?? rule.Default) is { } known)
                values[field.Property.Name] = known;
        }
        return new(values);
    }
}

/// <summary>A field of a request.</summary>
/// <param name="Name">In JSON.</param>
/// <param name="Property">In the type.</param>
/// <param name="Rule">What its values must keep; null where another place checks them.</param>
public sealed record Field(string Name, PropertyInfo Property, FieldRuleAttribute? Rule);

/// <summary>Values of a request's fields, given or by default.</summary>
public sealed class FieldValues
{
    private readonly Dictionary<string, object> _values;

    internal FieldValues(Dictionary<string, object> values) => _values = values;

    /// <param name="property">Its name in the type; it has a default, or was given.</param>
    public T Of<T>(string property) => (T)_values[property];
}
