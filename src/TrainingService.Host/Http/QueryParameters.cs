using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Metadata;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>
/// A misspelt filter that is ignored answers with the wrong rows; so every query parameter that a handler doesn't declare is a 400.
/// </summary>
public static class QueryParameters
{
    public static RouteGroupBuilder RefuseUnknownQueryParameters(this RouteGroupBuilder group) =>
        group.AddEndpointFilterFactory((endpoint, next) =>
        {
            var declared = endpoint.MethodInfo.GetParameters().SelectMany(Declared).ToArray();
            return context =>
            {
                var request = context.HttpContext.Request;
                var known = declared.Where(name => !request.RouteValues.ContainsKey(name)).ToArray();
                var errors = new List<SpecError>();
                foreach (var (name, values) in request.Query)
                {
                    if (!known.Contains(name, StringComparer.OrdinalIgnoreCase))
                        errors.Add(new($"/{name}", $"unknown query parameter '{name}'{Hint(name, known)}"));
                    else if (values.Any(value => string.IsNullOrEmpty(value) || value.Contains('\0')))
                        errors.Add(new($"/{name}", "must not be empty nor hold a NUL character"));
                }
                return errors.Count == 0 ? next(context) : ValueTask.FromResult<object?>(Problems.Invalid(errors));
            };
        });

    private static string Hint(string name, string[] known) => Names.DidYouMean(name, known) is { Length: > 0 } hint
        ? hint : known.Length == 0 ? "; there are none here" : $"; known are {string.Join(", ", known)}";

    private static IEnumerable<string> Declared(System.Reflection.ParameterInfo parameter) =>
        parameter.GetCustomAttribute<AsParametersAttribute>() is not null
            ? parameter.ParameterType.GetProperties().SelectMany(property => Name(property, property.PropertyType, property.Name))
            : Name(parameter, parameter.ParameterType, parameter.Name ?? "");

    private static IEnumerable<string> Name(ICustomAttributeProvider source, Type type, string name)
    {
        var attributes = source.GetCustomAttributes(true);
        if (attributes.OfType<IFromQueryMetadata>().FirstOrDefault() is { } query)
            yield return query.Name ?? Camel(name);
        else if (!attributes.Any(
            a => a is IFromHeaderMetadata or IFromRouteMetadata or IFromServiceMetadata or IFromBodyMetadata or IFromFormMetadata)
            && (type.IsValueType && type != typeof(CancellationToken) || type == typeof(string) || type == typeof(string[])))
            yield return Camel(name);
    }

    private static string Camel(string name) => JsonNamingPolicy.CamelCase.ConvertName(name);
}
