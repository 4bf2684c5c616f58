using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>An activation as the catalogue shows it.</summary>
/// <param name="Name">Canonical name.</param>
/// <param name="Aliases">Other accepted names.</param>
/// <param name="Formula">f(z).</param>
/// <param name="Derivative">f'(z), with the value chosen at kinks.</param>
/// <param name="Parameters">In the order of their documentation.</param>
/// <param name="RecommendedInitializer">A canonical initialiser name.</param>
/// <param name="Reference">Paper or source.</param>
public sealed record ActivationInfo(string Name, IReadOnlyList<string> Aliases, string Formula,
    string Derivative, IReadOnlyList<ParameterInfo> Parameters, string RecommendedInitializer, string Reference);

/// <summary>
/// Gains that keep the second moment of a unit-variance signal: forward 1/sqrt(E[f(z)^2]), backward 1/sqrt(E[f'(z)^2]), z~N(0,1).
/// </summary>
/// <param name="Forward">By numerical quadrature.</param>
/// <param name="Backward">By numerical quadrature.</param>
/// <param name="Torch">PyTorch's table, null where it has no entry.</param>
public sealed record Gains(double Forward, double Backward, double? Torch);
