namespace TrainingService.Host.Access;

/// <summary>
/// What a browser may do with what it gets (Content Security Policy Level 3): run what this service serves as a file, and nothing that
/// stands in a page; be shown in no other page; tell no other site whence one comes.
/// </summary>
public static class PageHeaders
{
    /// <summary>Of what is no page.</summary>
    private const string Nothing = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Of the service's own pages.</summary>
    private const string Own = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    /// <summary>Of Swagger UI and Hangfire's pages, which set styles in place.</summary>
    private const string Page = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        + "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

    public static void UsePageHeaders(this WebApplication app) => app.Use((http, next) =>
    {
        // late, since what is refused begins its answer anew; but the path is not what it was then, on Hangfire's pages
        http.Response.OnStarting(Add, (http, IsPage(http.Request.Path) ? Page : Nothing));
        return next(http);
    });

    private static Task Add(object state)
    {
        var (http, policy) = ((HttpContext, string))state;
        var headers = http.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "same-origin";
        if (headers.ContentSecurityPolicy.Count == 0)
            headers.ContentSecurityPolicy =
                policy == Nothing && headers.ContentType.ToString().StartsWith("text/html", StringComparison.Ordinal) ? Own : policy;
        // TLS ends at a proxy; where it doesn't end at all, browsers must not insist on it.
        if (http.Request.IsHttps)
            headers.StrictTransportSecurity = "max-age=31536000";
        return Task.CompletedTask;
    }

    private static bool IsPage(PathString path) => path.StartsWithSegments("/swagger") || path.StartsWithSegments("/hangfire");
}
