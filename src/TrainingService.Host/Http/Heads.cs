namespace TrainingService.Host.Http;

/// <summary>
/// HEAD is answered as GET is, without the body (RFC 9110, 9.3.2), which Kestrel leaves out. Comes before what chooses the route.
/// </summary>
public static class Heads
{
    private static readonly object Asked = new();

    /// <summary>Whether nobody will see the body, so that there is no use in writing one that takes long.</summary>
    public static bool IsHead(HttpContext http) => http.Items.ContainsKey(Asked);

    public static void UseHeads(this WebApplication app) => app.Use(async (http, next) =>
    {
        var isHead = HttpMethods.IsHead(http.Request.Method);
        if (isHead)
            (http.Request.Method, http.Items[Asked]) = (HttpMethods.Get, true);
        await next(http);
        // what looks at the answer afterwards sees what was asked
        if (isHead)
            http.Request.Method = HttpMethods.Head;
    });
}
