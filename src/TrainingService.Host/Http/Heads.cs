namespace TrainingService.Host.Http;

/// <summary>
/// HEAD is answered as GET is, without the body (RFC 9110, 9.3.2), which Kestrel leaves out. Comes before what chooses the route.
/// </summary>
public static class Heads
{
    public static void UseHeads(this WebApplication app) => app.Use(async (http, next) =>
    {
        var isHead = HttpMethods.IsHead(http.Request.Method);
        if (isHead)
            http.Request.Method = HttpMethods.Get;
        await next(http);
        // what looks at the answer afterwards sees what was asked
        if (isHead)
            http.Request.Method = HttpMethods.Head;
    });
}
