using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Catalog;

public static class GetActivation
{
    /// <summary>Get an activation function</summary>
    /// <remarks>
    /// By name or alias. Its parameters may be given in the query, then the gains are those for them: <c>?negativeSlope=0.2</c>.
    /// </remarks>
    /// <response code="200">The activation function.</response>
    public static Results<Ok<ActivationResponse>, ProblemHttpResult> Handle([AsParameters] ActivationSpec activation)
    {
        if (ActivationRegistry.Find(activation.Name) is null)
            return NotFound(activation.Name);
        var errors = new List<SpecError>();
        return ActivationRegistry.Resolve(activation, "", errors) is { } function
            ? TypedResults.Ok(ActivationResponse.Of(function))
            : Problems.Invalid(errors);
    }

    public static ProblemHttpResult NotFound(string name) =>
        Problems.NotFound($"unknown activation '{name}'{Names.DidYouMean(name, ActivationRegistry.AllNames)}");
}
