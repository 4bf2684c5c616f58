using System.Text.Json.Nodes;

namespace TrainingService.Host.Findings;

/// <summary>What might mend a finding: a change of the spec, and what it would say about the cause.</summary>
/// <param name="Sentence">The change in words.</param>
/// <param name="Patch">As a JSON merge patch (RFC 7396).</param>
public sealed record Change(string Sentence, JsonObject Patch)
{
    /// <summary>What is to blame if the change helps: a clause; null of a change that only cures.</summary>
    public string? Cause { get; init; }

    /// <summary>What tells changes apart.</summary>
    public string Key { get; } = Patch.ToJsonString();

    public Recommendation Recommendation => new(Sentence, Patch);

    /// <summary>Both at once, or null where they change the same place.</summary>
    public static Change? Together(IReadOnlyList<Change> changes)
    {
        var patch = new JsonObject();
        return changes.All(change => Add(patch, change.Patch)) ? new(string.Join(" ", changes.Select(change => change.Sentence)), patch)
        {
            Cause = string.Join("; ", changes.Select(change => change.Cause).OfType<string>()),
        } : null;

        static bool Add(JsonObject into, JsonObject from)
        {
            foreach (var (name, value) in from)
                if (!into.TryGetPropertyValue(name, out var there))
                    into[name] = value?.DeepClone();
                else if (there is not JsonObject fields || value is not JsonObject more || !Add(fields, more))
                    return false;
            return true;
        }
    }
}

/// <summary>What is wrong, as far as it says what may be to blame.</summary>
[Flags]
public enum Symptom
{
    None = 0,
    Dead = 1,
    Saturated = 2,
    Vanishing = 4,
    Exploding = 8,
    PoorStart = 16,
    LargeStart = 32,
    Stuck = 64,
    Climbing = 128,
    SmallSteps = 256,
    LargeSteps = 512,
    Diverged = 1024,
    Overfit = 2048,
    Redundant = 4096,
    Unscaled = 8192,

    /// <summary>All that a signal of the wrong size brings about.</summary>
    Signal = Dead | Saturated | Vanishing | Exploding | PoorStart | LargeStart | Stuck | Climbing | Diverged,
}
