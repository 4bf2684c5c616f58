using TrainingService.Engine.Specs;

namespace TrainingService.Host.Http;

/// <summary>What the items of a page have only if they are asked for it.</summary>
public static class ListFields
{
    public const string Description = "What items have beside the rest, with commas between: `spec`, what was asked for in full.";

    private const string Spec = "spec";

    /// <summary>Whether specs are asked for.</summary>
    public static bool HaveSpec(string? fields, List<SpecError> errors)
    {
        var names = fields?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [];
        errors.AddRange(names.Where(name => name != Spec).Select(name =>
            new SpecError("/fields", $"'{name}' is nothing that can be added; all but '{Spec}' is there without being asked for")));
        return names.Contains(Spec);
    }
}
