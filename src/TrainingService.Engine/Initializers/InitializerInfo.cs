using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Initializers;

/// <summary>An initialiser as the catalogue shows it.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Aliases">Other accepted names.</param>
/// <param name="Formula">The distribution, with fan_in and fan_out.</param>
/// <param name="Parameters">In the order of their documentation.</param>
/// <param name="Reference">Paper or source.</param>
public sealed record InitializerInfo(string Name, IReadOnlyList<string> Aliases,
    string Formula, IReadOnlyList<ParameterInfo> Parameters, string Reference)
{
    /// <summary>With which activations it goes well, or doesn't.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
