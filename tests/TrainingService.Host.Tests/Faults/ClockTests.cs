using System.Text.Json;
using Npgsql;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>Processes whose clocks aren't the database's.</summary>
public sealed class ClockTests(Service service)
{
    [Theory]
    [InlineData(20)]
    [InlineData(-20)]
    public async Task All_times_are_the_databases(int minutes)
    {
        var database = await service.CreateMigratedDatabaseAsync();
        await using (var connection = new NpgsqlConnection(database))
        {
            await connection.OpenAsync(TestContext.Current.CancellationToken);
            // found before Postgres' own by whoever looks here first
            await using var shift = new NpgsqlCommand($"""
                CREATE SCHEMA shifted;
                CREATE FUNCTION shifted.now() RETURNS timestamptz LANGUAGE sql STABLE
                    AS $$ SELECT pg_catalog.now() + interval '{minutes} min' $$;
                CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
                    AS $$ SELECT pg_catalog.clock_timestamp() + interval '{minutes} min' $$;
                """, connection);
            await shift.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        var before = DateTimeOffset.UtcNow.AddMinutes(minutes - 1);
        JsonElement job;
        // ready, or it would not come back
        await using (var host = await HostProcess.StartAsync("all",
            new NpgsqlConnectionStringBuilder(database) { SearchPath = "shifted, public, pg_catalog" }.ConnectionString))
            job = await host.Http.WaitForEndAsync(await host.Http.SubmitAsync());
        Assert.Equal(("succeeded", 1), (job.Status(), job.GetProperty("attempt").GetInt32()));
        DateTimeOffset[] times = [before, Time(job, "createdAt"), Time(job, "startedAt"), Time(job, "finishedAt"),
            DateTimeOffset.UtcNow.AddMinutes(minutes + 1)];
        Assert.Equal(times.Order(), times);
        await service.Postgres.DropDatabaseAsync(database);
    }

    private static DateTimeOffset Time(JsonElement job, string name) => job.GetProperty(name).GetDateTimeOffset();
}
