using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Catalog;

/// <summary>An activation function.</summary>
/// <param name="Name">Canonical name, as jobs store it.</param>
/// <param name="Aliases">Other names that jobs may use.</param>
/// <param name="Formula">f(z).</param>
/// <param name="Derivative">f'(z), with the value chosen at kinks.</param>
/// <param name="Parameters">What a job may set.</param>
/// <param name="RecommendedInitializer">The initialiser that suits it.</param>
/// <param name="Reference">Paper or source.</param>
/// <param name="Gains">For the default parameters, or for those in the query.</param>
/// <param name="CostRelativeToRelu">Time of a whole training step over the same with relu; null where it has not been measured.</param>
/// <param name="CostMeasuredOn">Machine, network and day of that measurement.</param>
/// <param name="Notes">What theory knows of it with initialisers and dropout, for these parameters.</param>
public sealed record ActivationResponse(string Name, IReadOnlyList<string> Aliases, string Formula, string Derivative,
    IReadOnlyList<ParameterInfo> Parameters, string RecommendedInitializer, string Reference, ActivationGains Gains,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? CostRelativeToRelu, string CostMeasuredOn,
    IReadOnlyList<string> Notes)
{
    public static ActivationResponse Of(ActivationFunction function)
    {
        var (info, gains) = (function.Info, function.Gains);
        return new(info.Name, info.Aliases, info.Formula, info.Derivative, info.Parameters, info.RecommendedInitializer, info.Reference,
            new(gains.Forward, gains.Backward, gains.Torch), ActivationCosts.Of(info.Name), ActivationCosts.MeasuredOn,
            ActivationNotes.Of(function));
    }
}

/// <summary>By what a layer's weights, drawn with variance 1/fan, are multiplied to keep a signal's mean square.</summary>
/// <param name="Forward">1/sqrt(E[f(z)^2]), z~N(0,1): keeps the activations.</param>
/// <param name="Backward">1/sqrt(E[f'(z)^2]): keeps the gradients.</param>
/// <param name="Torch">PyTorch's calculate_gain; null where it has none.</param>
public sealed record ActivationGains(double Forward, double Backward,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? Torch);

public static class ListActivations
{
    private static readonly Page<ActivationResponse> All = new(
        [.. ActivationRegistry.All.Select(info => ActivationResponse.Of(ActivationRegistry.Standard(info.Name)))], null);

    /// <summary>List the activation functions</summary>
    /// <remarks>All of them, by name, with formulas, parameters and gains.</remarks>
    /// <response code="200">All activation functions.</response>
    public static Ok<Page<ActivationResponse>> Handle() => TypedResults.Ok(All);
}
