using TrainingService.Host.Http;

namespace TrainingService.Host.Data;

/// <summary>
/// Every request whose database is away ends soon (<see cref="DatabasePulse"/>), with a 503. A reading one whose connection ends begins
/// again once.
/// </summary>
public static class DatabaseFaults
{
    public static void UseDatabaseFaults(this WebApplication app)
    {
        var pulse = app.Services.GetRequiredService<DatabasePulse>();
        var log = app.Services.GetRequiredService<ILogger<DatabasePulse>>();
        app.Use(async (http, next) =>
        {
            using var leaving = EndAside(http, log);
            // Hangfire's pages wait for Postgres where nobody can stop them.
            if (pulse.IsLost && http.Request.Path.StartsWithSegments("/hangfire"))
                throw new ProblemException(Problems.Unavailable(DatabasePulse.Away));
            var scopes = http.RequestServices.GetRequiredService<IServiceScopeFactory>();
            var services = http.RequestServices;
            try
            {
                if (await ServeAsync(http, next, pulse, log, mayRepeat: IsReading(http)))
                    return;
                await using var scope = scopes.CreateAsyncScope();
                http.RequestServices = scope.ServiceProvider;
                await ServeAsync(http, next, pulse, log, mayRepeat: false);
            }
            finally
            {
                http.RequestServices = services;
            }
        });
    }

    /// <summary>
    /// To stop the statement of a caller who goes away, Npgsql asks Postgres over another connection, and holds the thread until it has
    /// an answer. That is then one of its own: on a silent network those of the pool would all be held, and with them all other requests.
    /// </summary>
    private static CancellationTokenRegistration EndAside(HttpContext http, ILogger log)
    {
        var left = new CancellationTokenSource();
        var leaving = http.RequestAborted.UnsafeRegister(_ => new Thread(() => End(left, log)) { IsBackground = true }.Start(), null);
        http.RequestAborted = left.Token;
        return leaving;
    }

    private static void End(CancellationTokenSource left, ILogger log)
    {
        try
        {
            left.Cancel();
        }
        catch (AggregateException e)
        {
            // such as of a connection that was cut meanwhile; thrown on, it would end the process
            log.LogDebug(e, "What a caller who left had begun could not be stopped.");
        }
    }

    private static bool IsReading(HttpContext http) => HttpMethods.IsGet(http.Request.Method) || HttpMethods.IsHead(http.Request.Method);

    /// <summary>False if it is to be repeated.</summary>
    private static async Task<bool> ServeAsync(HttpContext http, RequestDelegate next, DatabasePulse pulse, ILogger log, bool mayRepeat)
    {
        try
        {
            await next(http);
            return true;
        }
        catch (Exception e) when (Database.IsOutage(e) && !http.RequestAborted.IsCancellationRequested)
        {
            pulse.Note(e);
            if (http.Response.HasStarted)
            {
                log.LogWarning("{Method} {Path} was cut off: {Reason}",
                    http.Request.Method, http.Request.Path, e.GetBaseException().Message);
                http.Abort();
                return true;
            }
            if (mayRepeat && Database.IsLoss(e) && !pulse.IsLost)
            {
                http.Response.Clear();
                return false;
            }
            throw new ProblemException(Problems.Unavailable(OutageSentences.Of(e)));
        }
    }
}
