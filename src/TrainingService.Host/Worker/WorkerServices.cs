using Hangfire;
using Hangfire.PostgreSql;
using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>Hangfire as this service uses it.</summary>
public static class WorkerServices
{
    // Hangfire's calls hold their thread while Postgres answers. The pool begins with a thread a core and grows by one or two a second: eight first requests
    // at once stood still for five.
    private const int SpareThreads = 32;

    public static void AddJobQueue(this WebApplicationBuilder builder)
    {
        ThreadPool.GetMinThreads(out var workers, out var completions);
        ThreadPool.SetMinThreads(Math.Max(workers, SpareThreads), completions);
        var connectionString = builder.Configuration.TrainingConnectionString();
        builder.Services.AddHangfire(hangfire => hangfire
            .UseSimpleAssemblyNameTypeSerializer()
            .UseRecommendedSerializerSettings()
            .UsePostgreSqlStorage(storage => storage.UseNpgsqlConnection(connectionString), new PostgreSqlStorageOptions
            {
                PrepareSchemaIfNecessary = false,
                UseSlidingInvisibilityTimeout = true,
                InvisibilityTimeout = TimeSpan.FromSeconds(60),
                // Not long polling: with hundreds of wake-ups at once, a worker that has fetched one can wait for its cancelled LISTEN for ever
                // (seen with 1.21.1 and Npgsql 10). The least interval that is allowed is an index look-up per worker, and wakes as fast as one can notice.
                QueuePollInterval = TimeSpan.FromMilliseconds(50),
            }));
        builder.Services.AddSingleton<Waker>();
        // Before the job server, so that it stops after it and still carries what the server gives back.
        builder.Services.AddHostedService(services => services.GetRequiredService<Waker>());
    }

    public static void AddWorker(this WebApplicationBuilder builder)
    {
        var options = WorkerOptions.Read(builder.Configuration);
        builder.Services.AddSingleton(options);
        builder.Services.AddHangfireServer(server =>
        {
            server.ServerName = options.Owner;
            server.Queues = Waker.Queues;
            server.WorkerCount = options.Workers;
            server.StopTimeout = TimeSpan.FromSeconds(1);
            server.ShutdownTimeout = TimeSpan.FromSeconds(30);
            server.CancellationCheckInterval = TimeSpan.FromSeconds(2);
            server.HeartbeatInterval = TimeSpan.FromSeconds(10);
            server.SchedulePollingInterval = TimeSpan.FromSeconds(1);
        });
        builder.Services.AddHostedService<Reconciler>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(45));
    }

    /// <summary>Open to whoever may reach the port: the rule that guards the API guards the dashboard.</summary>
    public static void MapDashboard(this WebApplication app) => app.MapHangfireDashboard("/hangfire", new DashboardOptions { Authorization = [] });
}
