using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Sweeps;

/// <summary>The seeds themselves, or until when there shall be more of them.</summary>
[ListOrObject(typeof(IReadOnlyList<long>), typeof(UntilSpec), Count = "seedCount")]
[JsonConverter(typeof(Converter))]
public sealed record SeedsSpec
{
    private SeedsSpec()
    {
    }

    public SeedsSpec(IReadOnlyList<long> list) => List = list;

    public SeedsSpec(UntilSpec until) => Until = until;

    /// <summary>Null where seeds run until something is known.</summary>
    public IReadOnlyList<long>? List { get; private init; }

    /// <summary>Null where the seeds are listed.</summary>
    public UntilSpec? Until { get; private init; }

    internal sealed class Converter : JsonConverter<SeedsSpec>
    {
        public override SeedsSpec? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            reader.TokenType == JsonTokenType.StartArray
                ? new() { List = JsonSerializer.Deserialize<IReadOnlyList<long>>(ref reader, options) }
                : new() { Until = JsonSerializer.Deserialize<UntilSpec>(ref reader, options) };

        public override void Write(Utf8JsonWriter writer, SeedsSpec value, JsonSerializerOptions options)
        {
            if (value.List is { } list)
                JsonSerializer.Serialize(writer, list, options);
            else
                JsonSerializer.Serialize(writer, value.Until, options);
        }
    }
}

/// <summary>
/// Seeds 1, 2, 3, ... in batches. After each batch the sweep looks at all of them, and it stops once every comparison is decided, or when
/// none can be decided any more.
/// </summary>
public sealed record UntilSpec
{
    public const string Decided = "decided";

    /// <summary>What the sweep waits for: <c>decided</c>, a verdict other than inconclusive for every comparison.</summary>
    public required string Until { get; init; }

    /// <summary>Seeds before the first look. Default 6, or <c>atMost</c> if that is less.</summary>
    [Within(2, SweepRules.MaxCells, Default = SweepRules.DefaultSeeds)]
    public int? AtLeast { get; init; }

    /// <summary>Seeds at which it stops anyway. Default 60, or <c>atLeast</c> if that is more.</summary>
    [Within(2, SweepRules.MaxCells, Default = SweepRules.DefaultMostSeeds)]
    public int? AtMost { get; init; }
}
