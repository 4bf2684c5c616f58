using Microsoft.Net.Http.Headers;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

/// <summary>
/// A page of another site may have a browser send requests to this service, with the browser's own keys and to addresses that only it
/// reaches. Such requests change nothing, but for those of pages that <see cref="Cors"/> names: browsers say where a request comes from
/// (Fetch Metadata, W3C; RFC 6454), other clients don't.
/// </summary>
public static class SameOrigin
{
    public static void UseSameOrigin(this WebApplication app)
    {
        var cors = app.Services.GetRequiredService<Cors>();
        if (!cors.IsOff)
            app.UseCors();
        app.Use(async (context, next) =>
        {
            if (IsForeign(context.Request) && !cors.MayChange(context.Request))
                await Problems.Forbidden($"A page of another site ('{context.Request.Headers.Origin}') may not change anything here.")
                    .ExecuteAsync(context);
            else
                await next();
        });
    }

    private static bool IsForeign(HttpRequest request)
    {
        if (ScopeRule.IsReading(request))
            return false;
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site)
            return site != "same-origin" && site != "none";
        // 'null' is the origin of what has none to tell, such as a page in a sandbox
        return request.Headers[HeaderNames.Origin] is { Count: > 0 } origin
            && !(Uri.TryCreate(origin, UriKind.Absolute, out var from) && from.Authority == AuthorityOf(request));
    }

    private static string AuthorityOf(HttpRequest request) =>
        Uri.TryCreate($"{request.Scheme}://{request.Host}", UriKind.Absolute, out var here) ? here.Authority : "";
}
