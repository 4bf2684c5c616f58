using TrainingService.Host.Access;
using TrainingService.Host.Http;

namespace TrainingService.Host.Pages;

/// <summary>The pages, for those who look with a browser.</summary>
public static class PageRoutes
{
    public static void AddPages(this WebApplicationBuilder builder) => builder.Services.AddSingleton<ShowProblem>(ProblemPages.ShowAsync);

    public static void MapPages(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup("").ExcludeFromDescription();
        pages.MapGet("/", ShowHome.Handle);
        pages.MapGet("/ask", ShowAsk.Handle);
        pages.MapGet("/compose", ShowCompose.Handle);
        pages.MapGet("/jobs", ShowJobs.Handle);
        pages.MapGet("/jobs/{id:guid}", ShowJob.Handle);
        pages.MapGet("/sweeps", ShowSweeps.Handle);
        pages.MapGet("/sweeps/{id:guid}", ShowSweep.Handle);
        pages.MapGet("/data", ShowData.All);
        pages.MapGet("/data/{name}", ShowData.Handle);
        pages.MapGet("/catalogue", ShowCatalogue.Handle);
        pages.MapGet("/keys", ShowKeys.Handle).WithMetadata(new NeedsScope(Scope.Admin));
        pages.MapGet("/learn", ShowLesson.All);
        pages.MapGet("/learn/{lesson}", ShowLesson.Handle);
        pages.MapGet("/sign-in", SignIn.Show).AllowAnonymous();
        pages.MapPost("/sign-in", SignIn.Enter).AllowAnonymous().DisableAntiforgery();
        pages.MapPost("/sign-out", SignIn.Leave).AllowAnonymous();
        pages.MapGet("/assets/{version}/{name}", Asset.Handle).AllowAnonymous();
    }
}
