using TrainingService.Host.Http;

namespace TrainingService.Host.Metrics;

/// <summary>
/// How many exports of rows a process streams at once: each holds a connection to Postgres for as long as its client takes to read, and
/// the others are for everyone else.
/// </summary>
public static class ExportLimit
{
    private const int Most = 10;

    private static int _running;

    public static RouteHandlerBuilder LimitsExports(this RouteHandlerBuilder route) => route.Refuses(429)
        .AddEndpointFilter(async (context, next) =>
        {
            var http = context.HttpContext;
            if (RowExport.Choose(http.Request) is null or RowExport.Json)
                return await next(context);
            if (Interlocked.Increment(ref _running) > Most)
            {
                Interlocked.Decrement(ref _running);
                return Problems.TooMany($"{Most} exports are being read here already: try again when one has ended.");
            }
            http.Response.OnCompleted(() => Task.FromResult(Interlocked.Decrement(ref _running)));
            return await next(context);
        });
}
