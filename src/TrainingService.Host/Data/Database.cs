using System.Data;
using System.Globalization;
using Hangfire.PostgreSql;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Data;

/// <summary>The connection to Postgres, its schema, and what to say when either is missing.</summary>
public static class Database
{
    /// <summary>Any number, as long as it is ours alone: two migrating processes meet at this advisory lock.</summary>
    private const long MigrationLock = 0x7261_696E_5376_6331;

    /// <summary>We were frozen in the middle of a transaction, and Postgres has taken its locks away.</summary>
    private const string IdleInTransactionTimeout = "25P03";

    /// <summary>With compose, Postgres and the migrate service may come up after us; a refusal is due within 25 s.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>For the first look at Postgres: a busy machine may take longer than our patience to compile what asks.</summary>
    private static readonly TimeSpan FirstPatience = TimeSpan.FromSeconds(40);

    /// <summary>
    /// Of one process, if the connection string doesn't say: Postgres allows 100 in all by default, and one busy API
    /// must leave some for the workers.
    /// </summary>
    private const int Connections = 30;

    /// <summary>That a connection keeps prepared, if the connection string doesn't say: more than are asked often.</summary>
    private const int Statements = 100;

    /// <summary>One source of connections for all that this process does.</summary>
    /// <param name="idle">How long a transaction may hold its locks without doing anything, as one does whose process is frozen;
    /// then Postgres ends it.</param>
    public static void AddDatabase(this WebApplicationBuilder builder, TimeSpan idle)
    {
        var settings = Settings(builder.Configuration.TrainingConnectionString(), idle);
        // named, since metrics of the pool would tell the connection string else
        builder.Services.AddSingleton(_ => new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = "training" }.Build());
        builder.Services.AddSingleton<DatabaseClock>();
        builder.Services.AddSingleton<TimeProvider>(services => services.GetRequiredService<DatabaseClock>());
        builder.Services.AddSingleton(services => new DatabasePulse(services.GetRequiredService<NpgsqlDataSource>(), settings,
            services.GetRequiredService<DatabaseClock>(), services.GetRequiredService<ILogger<DatabasePulse>>()));
        builder.Services.AddHostedService(services => services.GetRequiredService<DatabasePulse>());
        builder.Services.AddSingleton<CheckedConnections>();
        builder.Services.AddPooledDbContextFactory<TrainingDbContext>((services, options) => options
            .UseNpgsql(services.GetRequiredService<NpgsqlDataSource>()).UseSnakeCaseNamingConvention()
            .AddInterceptors(services.GetRequiredService<CheckedConnections>()));
        builder.Services.AddScoped(services => services.GetRequiredService<IDbContextFactory<TrainingDbContext>>().CreateDbContext());
    }

    /// <summary>What the connection string leaves open.</summary>
    private static NpgsqlConnectionStringBuilder Settings(string connectionString, TimeSpan idle)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        if (!settings.ShouldSerialize("Maximum Pool Size"))
            settings.MaxPoolSize = Math.Max(Connections, settings.MinPoolSize);
        // What is asked again and again is parsed and planned once a connection.
        if (!settings.ShouldSerialize("Max Auto Prepare"))
            settings.MaxAutoPrepare = Statements;
        // Nobody leaves a session of Postgres otherwise than it was, so nothing need be reset before the next one has it.
        if (!settings.ShouldSerialize("No Reset On Close"))
            settings.NoResetOnClose = true;
        if (!settings.ShouldSerialize("TCP Keepalive"))
            (settings.TcpKeepAlive, settings.TcpKeepAliveTime, settings.TcpKeepAliveInterval) = (true, 10_000, 5_000);
        // Postgres looks whether we are still there, too: the locks of a machine that vanished go within half a minute. Rows are looked
        // for by index: at the price of a disk that has to seek, the report of 10,000 cells read all layers of all jobs. And no query
        // takes so long that it were worth compiling. What the connection string sets comes later and so prevails.
        settings.Options = string.Create(CultureInfo.InvariantCulture,
            $"-c idle_in_transaction_session_timeout={(long)idle.TotalMilliseconds} "
            + $"-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 "
            + $"-c random_page_cost=1.1 -c jit=off {settings.Options}").TrimEnd();
        return settings;
    }

    public static DbContextOptionsBuilder<TContext> UseTrainingDatabase<TContext>(this DbContextOptionsBuilder<TContext> options,
        string connectionString)
        where TContext : DbContext
    {
        UseTrainingDatabase((DbContextOptionsBuilder)options, connectionString);
        return options;
    }

    public static void UseTrainingDatabase(this DbContextOptionsBuilder options, string connectionString) =>
        options.UseNpgsql(connectionString).UseSnakeCaseNamingConvention();

    public static string TrainingConnectionString(this IConfiguration configuration)
    {
        const string Setting = "ConnectionStrings__Training";
        if (configuration.GetConnectionString("Training") is not { Length: > 0 } text)
            throw new StartRefusedException($"Set {Setting} to a Postgres connection string such as "
                + "'Host=localhost;Username=training;Password=...;Database=training'.");
        try
        {
            var settings = new NpgsqlConnectionStringBuilder(text);
            return settings.Host is { Length: > 0 } ? text
                : throw new StartRefusedException($"{Setting} names no Host: add one, such as 'Host=localhost'.");
        }
        catch (ArgumentException e)
        {
            throw new StartRefusedException($"{Setting} is not a Postgres connection string: {e.Message}");
        }
    }

    /// <summary>Brings the schema up to date; safe to run from many processes at once.</summary>
    public static async Task MigrateAsync(this IServiceProvider services, CancellationToken cancellation)
    {
        await Eventually(async attempt =>
        {
            await using var db = await services.GetRequiredService<IDbContextFactory<TrainingDbContext>>().CreateDbContextAsync(attempt);
            await using var locked = await services.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(attempt).AsTask()
                .WaitAsync(attempt);
            // A long migration elsewhere is worth waiting for, so this is not bound by our patience.
            await using var take = new NpgsqlCommand($"SELECT pg_advisory_lock({MigrationLock})", locked) { CommandTimeout = 0 };
            await take.ExecuteNonQueryAsync(cancellation);
            try
            {
                db.Database.SetCommandTimeout(TimeSpan.Zero);
                await db.Database.MigrateAsync(cancellation);
                PostgreSqlObjectsInstaller.Install(locked);
            }
            finally
            {
                // The lock, and the path that Hangfire's script sets. A lost connection has neither.
                if (locked.State is ConnectionState.Open)
                    await using (var forget = new NpgsqlCommand("DISCARD ALL", locked))
                        await forget.ExecuteNonQueryAsync(CancellationToken.None);
            }
            return null;
        }, cancellation);
    }

    /// <summary>Waits until <c>--role migrate</c> has been run, by whomever.</summary>
    public static Task WaitForSchemaAsync(this IServiceProvider services, CancellationToken cancellation)
    {
        // Npgsql waits for the first byte of an answer without looking at the token, with Timeout=0 for ever.
        return Eventually(attempt => SchemaProblem(attempt).WaitAsync(attempt), cancellation);

        async Task<string?> SchemaProblem(CancellationToken attempt)
        {
            await using var db = await services.GetRequiredService<IDbContextFactory<TrainingDbContext>>().CreateDbContextAsync(attempt);
            return await Database.SchemaProblem(db, attempt);
        }
    }

    /// <summary>Null if the schema is there, else a sentence.</summary>
    public static async Task<string?> SchemaProblem(TrainingDbContext db, CancellationToken cancellation)
    {
        if ((await db.Database.GetPendingMigrationsAsync(cancellation)).Any())
            return "The database has not been migrated: run TrainingService.Host --role migrate.";
        // Migrating ends with Hangfire's schema, so a half-done run is told from a finished one.
        var hangfire = await db.Database.SqlQuery<bool>($"""SELECT to_regclass('hangfire.jobqueue') IS NOT NULL AS "Value" """)
            .SingleAsync(cancellation);
        return hangfire ? null : "The database lacks the job queue's tables: run TrainingService.Host --role migrate.";
    }

    /// <summary>Until it is disposed of, all that is read is as it was at the first statement.</summary>
    public static Task<IDbContextTransaction> SnapshotAsync(this TrainingDbContext db, CancellationToken cancellation) =>
        db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);

    /// <summary>
    /// Whether Postgres, not the statement, is at fault, so that the same may succeed later. EF hides what
    /// happened in exceptions of its own.
    /// </summary>
    public static bool IsOutage(Exception? e) => e switch
    {
        null => false,
        // the last: of a statement that was prepared before its table got another column, which is prepared anew the next time
        PostgresException answer => answer.IsTransient || IsStateOfServer(answer.SqlState)
            || answer is { SqlState: PostgresErrorCodes.FeatureNotSupported, Routine: "RevalidateCachedQuery" },
        NpgsqlOperationInProgressException => false,
        NpgsqlException => true,
        _ => IsOutage(e.InnerException),
    };

    /// <summary>Whether the connection is gone, or was about to go: another one may do.</summary>
    public static bool IsLoss(Exception? e) => e switch
    {
        null => false,
        PostgresException { SqlState: var state } => state[..2] is "08" or "57" && state is not PostgresErrorCodes.QueryCanceled,
        NpgsqlException => e.InnerException is IOException or System.Net.Sockets.SocketException,
        _ => IsLoss(e.InnerException),
    };

    /// <summary>What Postgres answered; null if it didn't.</summary>
    public static string? SqlState(Exception? e) =>
        e is PostgresException answer ? answer.SqlState : e is null ? null : SqlState(e.InnerException);

    /// <summary>
    /// Resources, operators and disks (classes 53, 57, 58), connections (08), who may connect (28), and what is about roles and time-outs.
    /// </summary>
    private static bool IsStateOfServer(string state) => state[..2] is "08" or "28" or "53" or "57" or "58"
        || state is IdleInTransactionTimeout or PostgresErrorCodes.ReadOnlySqlTransaction or PostgresErrorCodes.InvalidCatalogName;

    private static async Task Eventually(Func<CancellationToken, Task<string?>> attempt, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Patience);
        using var firstLimit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        firstLimit.CancelAfter(FirstPatience);
        var problem = "Postgres does not answer: check ConnectionStrings__Training and that the server runs.";
        var allowed = firstLimit.Token;
        try
        {
            while (true)
            {
                try
                {
                    if (await attempt(allowed) is not { } missing)
                        return;
                    problem = missing;
                }
                catch (PostgresException e) when (e.SqlState is not (PostgresErrorCodes.InvalidPassword
                    or PostgresErrorCodes.InvalidAuthorizationSpecification))
                {
                    problem = Refuses(e);
                }
                catch (NpgsqlException e) when (e is not PostgresException)
                {
                    problem = $"Postgres can't be reached ({Phrase(e.InnerException?.Message ?? e.Message)}): "
                        + "check ConnectionStrings__Training and that the server runs.";
                }
                allowed = limit.Token;
                await Task.Delay(500, allowed);
            }
        }
        catch (PostgresException e)
        {
            throw new StartRefusedException(Refuses(e));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new StartRefusedException(problem);
        }
    }

    private static string Refuses(PostgresException e) =>
        $"Postgres refuses ({Phrase(e.MessageText)}): check the user, password and database in ConnectionStrings__Training.";

    private static string Phrase(string message) => message.TrimEnd('.').ReplaceLineEndings(" ");
}
