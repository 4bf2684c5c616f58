using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Activations;
using TrainingService.Host.Http;

namespace TrainingService.Host.Catalog;

public static class CatalogRoutes
{
    public static void MapCatalog(this IEndpointRouteBuilder api)
    {
        var catalog = api.MapGroup("").WithTags("Catalogue").UnchangedUntilNextBuild();
        catalog.MapGet("/activations", ListActivations.Handle).WithName("listActivations");
        catalog.MapGet("/activations/{name}", GetActivation.Handle).WithName("getActivation").Refuses(404);
        catalog.MapGet("/initializers", ListInitializers.Handle).WithName("listInitializers");
        catalog.MapGet("/fields", ListJobFields.Handle).WithName("listJobFields");
        catalog.MapGet("/initializers/{name}", GetInitializer.Handle).WithName("getInitializer").Refuses(404);
    }

    /// <summary>The catalogue is part of the program, so the build's identity is its version.</summary>
    public static RouteGroupBuilder UnchangedUntilNextBuild(this RouteGroupBuilder group)
    {
        var tag = $"\"{typeof(ActivationRegistry).Module.ModuleVersionId:n}{typeof(CatalogRoutes).Module.ModuleVersionId:n}\"";
        group.WithMetadata(new ProducesResponseTypeMetadata(304, typeof(void), [])).AddEndpointFilter(async (context, next) =>
        {
            var result = await next(context);
            if (result is ProblemHttpResult or INestedHttpResult { Result: ProblemHttpResult })
                return result;
            context.HttpContext.Response.Headers.ETag = tag;
            context.HttpContext.Response.Headers.CacheControl = "max-age=3600";
            return EntityTags.NoneMatch(context.HttpContext.Request, tag) ? TypedResults.StatusCode(304) : result;
        });
        return group;
    }
}
