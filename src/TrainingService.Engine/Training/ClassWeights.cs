using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Training;

/// <summary>
/// How much the rows of each class count in the loss: the word <c>balanced</c>, or an object of weights above 0 by class.
/// </summary>
[JsonConverter(typeof(ClassWeightsConverter))]
public sealed record ClassWeightsSpec
{
    /// <summary>The word.</summary>
    public const string Word = "balanced";

    /// <summary>The word, or null where there are weights.</summary>
    public string? Name { get; init; }

    /// <summary>By the class's name or index; a class that isn't there has weight 1.</summary>
    public IReadOnlyDictionary<string, double>? Weights { get; init; }
}

/// <summary>A text for the word, an object for weights.</summary>
internal sealed class ClassWeightsConverter : JsonConverter<ClassWeightsSpec>
{
    public override ClassWeightsSpec Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? new() { Name = reader.GetString() }
            : new() { Weights = JsonSerializer.Deserialize<Dictionary<string, double>>(ref reader, options) };

    public override void Write(Utf8JsonWriter writer, ClassWeightsSpec value, JsonSerializerOptions options)
    {
        if (value.Weights is { } weights)
            JsonSerializer.Serialize(writer, weights, options);
        else
            writer.WriteStringValue(value.Name);
    }
}

/// <summary>Checked weights of classes.</summary>
/// <param name="Given">By name and index of the class; null for balanced ones.</param>
public sealed record ClassWeightsPlan(IReadOnlyList<(string Name, int Label, double Weight)>? Given)
{
    // Nobody reads more.
    private const int MostErrors = 50;

    /// <summary>The stored and shown form.</summary>
    public ClassWeightsSpec Spec => Given is null ? new() { Name = ClassWeightsSpec.Word }
        : new() { Weights = Given.ToDictionary(g => g.Name, g => g.Weight) };

    /// <summary>
    /// A weight a class. Balanced: n / (K n_c), n_c of the n training rows being of class c and K classes occurring (scikit-learn's
    /// formula); 1 for a class of no training row.
    /// </summary>
    /// <param name="train">The training rows.</param>
    /// <param name="classes">How many there are.</param>
    public float[] Of(DataSplit train, int classes)
    {
        var weights = new float[classes];
        Array.Fill(weights, 1);
        foreach (var (_, label, weight) in Given ?? [])
            weights[label] = (float)weight;
        if (Given is not null)
            return weights;
        var counts = new int[classes];
        foreach (var label in train.Labels)
            counts[label]++;
        var occurring = counts.Count(count => count > 0);
        for (var c = 0; c < classes; c++)
            if (counts[c] > 0)
                weights[c] = (float)((double)train.Rows / ((double)occurring * counts[c]));
        return weights;
    }

    internal static ClassWeightsPlan? Resolve(ClassWeightsSpec? spec, DataShape data, string pointer, ICollection<SpecError> errors)
    {
        if (spec is null)
            return null;
        if (data.Target != TargetKind.Classes)
        {
            errors.Add(new(pointer, "classWeights weigh the rows of classes, but the target is a number: leave them out"));
            return null;
        }
        if (spec.Weights is not { } weights)
        {
            if (spec.Name != ClassWeightsSpec.Word)
                errors.Add(new(pointer, $"unknown classWeights '{spec.Name}'{Names.DidYouMean(spec.Name ?? "", [ClassWeightsSpec.Word])}; "
                    + $"give '{ClassWeightsSpec.Word}' or an object with a weight by class"));
            return new((IReadOnlyList<(string, int, double)>?)null);
        }
        if (weights.Count == 0)
            errors.Add(new(pointer, "classWeights must hold at least one class; leave them out to weigh all rows alike"));
        string[] names = [.. Enumerable.Range(0, data.Classes).Select(data.NameOf)];
        var hints = new Hints();
        var given = new List<(string Name, int Label, double Weight)>();
        foreach (var (name, weight) in weights)
        {
            if (errors.Count >= MostErrors)
                break;
            var place = $"{pointer}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
            var label = Array.IndexOf(names, name);
            if (label < 0 && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < data.Classes)
                label = index;
            if (label < 0)
                errors.Add(new(place, $"unknown class '{name}'{hints.DidYouMean(name, names)}; the classes are "
                    + string.Join(", ", names.Take(20)) + (names.Length > 20 ? ", ..." : "")));
            else if (given.Any(other => other.Label == label))
                errors.Add(new(place, $"class '{names[label]}' is given twice, by its name and by its index"));
            if (!Bounds.Positive.Allow(weight))
                errors.Add(new(place, string.Create(CultureInfo.InvariantCulture, $"a class's weight must be > 0, not {weight}")));
            if (label >= 0)
                given.Add((names[label], label, weight));
        }
        return new(given);
    }
}
