using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Catalog;

public static class GetInitializer
{
    /// <summary>Get an initialiser</summary>
    /// <remarks>By name or alias.</remarks>
    /// <param name="name">Name or alias.</param>
    /// <response code="200">The initialiser.</response>
    public static Results<Ok<InitializerInfo>, ProblemHttpResult> Handle(string name) => InitializerRegistry.Find(name) is { } info
        ? TypedResults.Ok(info)
        : Problems.NotFound($"unknown initializer '{name}'{Names.DidYouMean(name, InitializerRegistry.AllNames)}");
}
