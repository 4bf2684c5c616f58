using Microsoft.AspNetCore.Mvc;
using TrainingService.Host.Http;

namespace TrainingService.Host.Pages;

/// <summary>A problem, to a person who looks with a browser: what it is and what to do next. Programs get JSON as ever.</summary>
public static class ProblemPages
{
    private static readonly string[] NotOfPages = ["/api", "/openapi", "/health", "/metrics", "/hangfire", "/swagger", "/assets"];

    public static async Task<bool> ShowAsync(HttpContext http, ProblemDetails problem)
    {
        var request = http.Request;
        if (NotOfPages.Any(path => request.Path.StartsWithSegments(path))
            || !request.Headers.Accept.ToString().Contains(MediaTypes.Html, StringComparison.OrdinalIgnoreCase))
            return false;
        var status = problem.Status ?? StatusCodes.Status500InternalServerError;
        if (status == StatusCodes.Status401Unauthorized)
        {
            var given = SignIn.HasKey(request);
            if (given)
                SignIn.Forget(http);
            await SignIn.Page(SignIn.Here(request), given ? problem.Detail : null, status).ExecuteAsync(http);
        }
        else
            await new PageResult<ProblemPage>(new() { [nameof(ProblemPage.Problem)] = problem }, status).ExecuteAsync(http);
        return true;
    }
}
