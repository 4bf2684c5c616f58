using System.Collections.Concurrent;
using System.Text.Json.Serialization.Metadata;

namespace TrainingService.Host.Http;

/// <summary>Where a request's fields stand, for those who know the name of one and look for its place.</summary>
internal sealed class FieldPlaces
{
    private static readonly ConcurrentDictionary<Type, FieldPlaces> Known = [];

    private readonly Dictionary<string, List<string>> _places = new(StringComparer.OrdinalIgnoreCase);

    private FieldPlaces(Type request) => Add(request, "", []);

    /// <summary>Those in objects; what stands in lists has no one place.</summary>
    public static FieldPlaces Of(Type request) => Known.GetOrAdd(request, type => new(type));

    /// <summary>The JSON pointer of the field of this name that is nearest to an object; null if there is none.</summary>
    public string? Nearest(string name, string pointer) => _places.GetValueOrDefault(name)?
        .OrderByDescending(place => place.StartsWith($"{pointer}/", StringComparison.Ordinal))
        .ThenBy(place => place.Count(character => character == '/')).First();

    private void Add(Type type, string pointer, IReadOnlyList<Type> around)
    {
        if (around.Contains(type) || Json.Options.GetTypeInfo(type) is not { Kind: JsonTypeInfoKind.Object } info)
            return;
        foreach (var field in info.Properties)
        {
            var place = $"{pointer}/{field.Name}";
            // every chosen thing has a name, and hardly anybody looks for that
            if (field.Name != "name")
            {
                if (!_places.TryGetValue(field.Name, out var places))
                    _places.Add(field.Name, places = []);
                places.Add(place);
            }
            Add(Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType, place, [.. around, type]);
        }
    }
}
