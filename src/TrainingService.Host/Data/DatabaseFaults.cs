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
