using Hangfire;
using Hangfire.PostgreSql;
using Npgsql;
using TrainingService.Host.Access;
using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>Hangfire as this service uses it.</summary>
public static class WorkerServices
{
    public static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(15);

    public static void AddJobQueue(this WebApplicationBuilder builder)
    {
        // What Hangfire would note of the caller's culture and of jobs that follow costs each wake-up five statements, and is for nothing.
        foreach (var filter in GlobalJobFilters.Filters.Select(filter => filter.Instance)
            .Where(filter => filter is CaptureCultureAttribute or ContinuationsSupportAttribute).ToList())
            GlobalJobFilters.Filters.Remove(filter);
        builder.Services.AddHangfire((services, hangfire) => hangfire
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UsePostgreSqlStorage(storage => storage.UseConnectionFactory(new Connections(
                    services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<DatabasePulse>())),
                new PostgreSqlStorageOptions
                {
                    PrepareSchemaIfNecessary = false,
                    UseSlidingInvisibilityTimeout = true,
                    InvisibilityTimeout = TimeSpan.FromSeconds(60),
                    // Not long polling: with hundreds of wake-ups at once, a worker that has fetched one can wait for its cancelled
                    // LISTEN for ever (seen with 1.21.1 and Npgsql 10). QueueBell has the workers look as soon as there is something.
                    QueuePollInterval = TimeSpan.FromSeconds(15),
                    JobExpirationCheckInterval = TimeSpan.FromMinutes(5),
                    // Hangfire's locks are rows, which outlive a killed process; none is held for longer than a few statements.
                    DistributedLockTimeout = LockTimeout,
                })
            // Its entries are but wake-ups: a day of them, which is Hangfire's own limit, would be millions of rows.
            .WithJobExpirationTimeout(TimeSpan.FromHours(1)));
        builder.Services.AddSingleton<Waker>();
        builder.Services.AddSingleton<DashboardNames>();
        // Before the job server, so that it stops after it and still carries what the server gives back.
        builder.Services.AddHostedService(services => services.GetRequiredService<Waker>());
    }

    public static void AddWorker(this WebApplicationBuilder builder, WorkerOptions options)
    {
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton<Slots>();
        builder.Services.AddSingleton<HeadStart>();
        builder.Services.AddHangfireServer(server =>
        {
            server.ServerName = options.Owner;
            server.Queues = Waker.Served;
            server.WorkerCount = options.Workers;
            server.StopTimeout = TimeSpan.FromSeconds(1);
            server.ShutdownTimeout = TimeSpan.FromSeconds(30);
            server.CancellationCheckInterval = TimeSpan.FromSeconds(2);
            server.HeartbeatInterval = TimeSpan.FromSeconds(10);
            // Nothing is scheduled but what is tried again after a failure.
            server.SchedulePollingInterval = TimeSpan.FromSeconds(30);
        });
        builder.Services.AddHostedService<Reconciler>();
        builder.Services.AddHostedService<QueueBell>();
        builder.Services.AddHostedService<Rest>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(45));
    }

    /// <summary>It shows and changes everything, whosever it is.</summary>
    public static void MapDashboard(this WebApplication app) =>
        app.MapHangfireDashboard("/hangfire", new DashboardOptions
        {
            Authorization = [],
            DashboardTitle = "Training",
            DisplayNameFunc = app.Services.GetRequiredService<DashboardNames>().Of,
        }).WithMetadata(new NeedsScope(Scope.Admin));

    private sealed class Connections(NpgsqlDataSource source, DatabasePulse pulse) : IConnectionFactory
    {
        public NpgsqlConnection GetOrCreateConnection()
        {
            var connection = source.CreateConnection();
            pulse.Watch(connection);
            // By itself Hangfire would open it, and nobody could call it back from a network that fell silent.
            pulse.OpenAsync(connection, CancellationToken.None).GetAwaiter().GetResult();
            return connection;
        }
    }
}
