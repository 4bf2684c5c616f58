using TrainingService.Engine.Activations;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Layers;

/// <summary>A kind of layer in the long form.</summary>
/// <param name="Type">As the long form calls it.</param>
/// <param name="Fields">Which fields an entry has beside its type; their ranges stand with <see cref="LayerSpec"/>.</param>
/// <param name="Resolve">Checks what ranges can't say and fills in the defaults; null after an error.</param>
internal sealed record LayerKind(string Type, IReadOnlyList<string> Fields, Func<LayerSpec, LayerPlace, LayerEntry?> Resolve)
{
    public static IReadOnlyList<LayerKind> All { get; } =
    [
        DenseEntry.Kind, ActivationEntry.Kind, DropoutEntry.Kind, DropoutEntry.AlphaKind,
        BatchNormEntry.Kind, LayerNormEntry.Kind, ResidualEntry.Kind,
    ];

    /// <summary>Checks an entry of any kind.</summary>
    public static LayerEntry? ResolveAny(LayerSpec? spec, LayerPlace place)
    {
        if (spec is null)
        {
            place.Refuse("", "a layer must be an object with a type, not null");
            return null;
        }
        if (All.FirstOrDefault(k => k.Type == spec.Type) is not { } kind)
        {
            var types = All.Select(k => k.Type).ToArray();
            place.Refuse("/type", $"unknown layer type '{spec.Type}'{Names.DidYouMean(spec.Type ?? "", types)}; "
                + $"allowed are {string.Join(", ", types)}");
            return null;
        }
        var before = place.Check.Errors.Count;
        foreach (var field in Specs.Fields.Of(typeof(LayerSpec)))
            if (field.Name != "type" && !kind.Fields.Contains(field.Name) && field.Property.GetValue(spec) is not null)
                place.Refuse("/" + field.Name,
                    $"a layer of type '{kind.Type}' has no '{field.Name}'; it has {string.Join(", ", kind.Fields)}");
        Specs.Fields.Check(spec, place.Pointer, place.Check.Errors, kind.Fields);
        var entry = kind.Resolve(spec, place);
        return place.Check.Errors.Count > before ? null : entry;
    }
}

/// <summary>Where an entry stands.</summary>
/// <param name="Check">Of the model, with what entries take from it.</param>
/// <param name="Inputs">Units of the layer before it.</param>
/// <param name="Previous">The entry before it.</param>
/// <param name="Pointer">Its place in the request.</param>
internal readonly record struct LayerPlace(ModelCheck Check, int Inputs, LayerSpec? Previous, string Pointer)
{
    public void Refuse(string below, string message) => Check.Errors.Add(new(Pointer + below, message));

    /// <summary>The entry's own activation, or the model's.</summary>
    public ActivationFunction? Activation(ActivationSpec? own) =>
        own is null ? Check.Activation : ActivationRegistry.Resolve(own, Pointer + "/activation", Check.Errors);
}
