using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Initializers;
using TrainingService.Host.Http;

namespace TrainingService.Host.Catalog;

public static class ListInitializers
{
    /// <summary>List the initialisers</summary>
    /// <remarks>All of them, by name, with formulas and parameters.</remarks>
    /// <response code="200">All initialisers.</response>
    public static Ok<Page<InitializerInfo>> Handle() => TypedResults.Ok(new Page<InitializerInfo>(InitializerRegistry.All, null));
}
