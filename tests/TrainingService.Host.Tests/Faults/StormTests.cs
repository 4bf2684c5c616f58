using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>
/// Whatever dies, whenever: every job that was accepted ends once, with all its rows and the very bits that it would have had
/// undisturbed; one whose workers died three times without a new checkpoint, when it is tried again. A storm is drawn by a seed, which
/// its output tells and <c>TRAINING_STORM_SEED</c> sets.
/// </summary>
public sealed class StormTests(Service service)
{
    /// <summary>By epochs: seconds each, so that what befalls them does so in the middle; every kind of state that a run carries.</summary>
    private static readonly string[] Jobs =
    [
        """{"model": {"hiddenLayers": [128, 128]}, "training": {"epochs": 90, "seed": {0}, "optimizer": {"name": "sgd"}}}""",
        """{"model": {"hiddenLayers": [128, 64], "activation": "prelu", "dropout": 0.2}, "training": {"epochs": 120, "seed": {0}}}""",
        """{"model": {"hiddenLayers": [96, 64], "normalization": "batch_norm"}, "training": {"epochs": 120, "seed": {0}}}""",
        """{"model": {"hiddenLayers": [128, 64]}, "training": {"epochs": 120, "seed": {0}, "optimizer": {"name": "rmsprop"}}}""",
        """{"model": {"hiddenLayers": [128, 64]}, "training": {"epochs": 200, "seed": {0}, "earlyStopping": {"patience": 40}}}""",
        """{"model": {"hiddenLayers": [96, 96]}, "training": {"epochs": 120, "seed": {0}, "schedule": {"name": "cosine"}}}""",
    ];

    private const string Sweep = """
        {"name": "storm {1}", "keepBest": false,
         "base": {"dataset": "iris", "model": {"hiddenLayers": [16]}, "training": {"epochs": 60}},
         "seeds": {0}, "grid": {"/model/activation": ["relu", "tanh"]}}
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact, Trait("Category", "Slow")]
    public Task After_half_a_minute_of_faults_all_is_as_it_would_have_been() => WeatherAsync(seconds: 25, jobs: 10, sweeps: 1, 8);

    [Fact]
    [Trait("Category", "Storm")]
    public Task After_three_minutes_of_faults_all_is_as_it_would_have_been() => WeatherAsync(seconds: 180, jobs: 60, sweeps: 3, 40);

    private async Task WeatherAsync(int seconds, int jobs, int sweeps, int longestFreeze)
    {
        _ = service.Postgres;
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TRAINING_STORM_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : Random.Shared.Next();
        Say($"TRAINING_STORM_SEED={seed}");
        await using var server = await PostgresServer.StartPrivateAsync();
        var (database, calm) = (await server.CreateDatabaseAsync(), await server.CreateDatabaseAsync());
        await HostProcess.MigrateAsync(database);
        await HostProcess.MigrateAsync(calm);
        await using var storm = new Storm(server, database, seed, Say);
        var blowing = storm.BlowAsync(TimeSpan.FromSeconds(seconds), longestFreeze);
        var submitting = Task.Run(async () =>
        {
            var ids = new List<Guid>();
            for (var job = 0; job < jobs; job++)
            {
                ids.Add(await storm.SubmitAsync("/api/v1/jobs", JobOf(job)));
                await Task.Delay(seconds * 600 / jobs, Cancellation);
            }
            return ids;
        }, Cancellation);
        var sweeping = Task.Run(async () =>
        {
            var ids = new List<Guid>();
            for (var sweep = 0; sweep < sweeps; sweep++)
                ids.Add(await storm.SubmitAsync("/api/v1/sweeps", SweepOf(sweep)));
            return ids;
        }, Cancellation);
        await blowing;
        var (submitted, swept) = (await submitting, await sweeping);
        Say("it is over");
        await SettleAsync(database);
        foreach (var job in await CrashLoopsAsync(database))
        {
            Say($"{job} is a crash loop, its workers having been killed or frozen {storm.Deaths.GetValueOrDefault(job)} times");
            Assert.True(storm.Deaths.GetValueOrDefault(job) >= 3);
            Assert.Equal(202, (await storm.Http.Send("POST", $"/api/v1/jobs/{job}/retry")).Status);
        }
        await SettleAsync(database);
        var stormy = await RunsAsync(database);

        await using (var undisturbed = await HostProcess.StartAsync("all", calm))
        {
            for (var job = 0; job < jobs; job++)
                Assert.Equal(202, (await undisturbed.Http.PostJob(JobOf(job))).Status);
            for (var sweep = 0; sweep < sweeps; sweep++)
                Assert.Equal(202, (await undisturbed.Http.Send("POST", "/api/v1/sweeps", SweepOf(sweep))).Status);
            await SettleAsync(calm);
        }
        Assert.Equal((jobs, sweeps), (submitted.Distinct().Count(), swept.Distinct().Count()));
        Assert.Equal(await RunsAsync(calm), stormy);
    }

    /// <summary>Until nothing is left to be done; the limit only ends a broken test.</summary>
    private static async Task SettleAsync(string database)
    {
        await using var db = Service.Context(database);
        for (var limit = DateTime.UtcNow.AddMinutes(5); ; await Task.Delay(200, Cancellation))
        {
            var left = await db.Database.SqlQuery<string>($"""
                SELECT 'job ' || id || ' ' || status || ', attempt ' || attempt AS "Value" FROM jobs WHERE finished_at IS NULL
                UNION ALL SELECT 'sweep ' || id FROM sweeps WHERE finished_at IS NULL
                UNION ALL SELECT 'entry of ' || queue || ' ' || coalesce(fetchedat::text, 'waits') FROM hangfire.jobqueue
                UNION ALL SELECT 'lock ' || resource FROM hangfire.lock
                """).ToListAsync(Cancellation);
            if (left.Count == 0)
                return;
            Assert.True(DateTime.UtcNow < limit, string.Join('\n', left));
            // Whoever lives says so every 12 s; for what the dead had taken Hangfire waits a minute, which passes here at once.
            if (await db.Database.ExecuteSqlAsync($"""
                UPDATE hangfire.jobqueue SET fetchedat = fetchedat - interval '1 min'
                WHERE fetchedat BETWEEN now() - interval '1 min' AND now() - interval '15 s'
                """, Cancellation) > 0)
                await db.Database.ExecuteSqlRawAsync("NOTIFY training_queue", Cancellation);
        }
    }

    private static async Task<List<Guid>> CrashLoopsAsync(string database)
    {
        await using var db = Service.Context(database);
        return await db.Jobs.Where(job => job.ErrorCode == "crash_loop").Select(job => job.Id).ToListAsync(Cancellation);
    }

    /// <summary>By its name, all that each run left: how it ended, its weights, its findings, and a hash of its other rows.</summary>
    private static async Task<List<string>> RunsAsync(string database)
    {
        await using var db = Service.Context(database);
        return await db.Database.SqlQuery<string>($"""
            SELECT format('%s: %s %s, weights %s of step %s, metrics %s, layers %s, units %s, findings %s', name, status, error_code,
                result ->> 'weightsSha256', result ->> 'weightsStep',
                (SELECT md5(string_agg((to_jsonb(m) - 'job_id')::text, ' ' ORDER BY step, split)) FROM job_metrics m
                    WHERE job_id = jobs.id),
                (SELECT md5(string_agg((to_jsonb(l) - 'job_id')::text, ' ' ORDER BY step, layer)) FROM job_layers l
                    WHERE job_id = jobs.id),
                (SELECT md5(string_agg((to_jsonb(u) - 'job_id')::text, ' ' ORDER BY layer)) FROM job_units u WHERE job_id = jobs.id),
                (SELECT string_agg((to_jsonb(f) - 'job_id')::text, ' ' ORDER BY rule, layer) FROM job_findings f
                    WHERE job_id = jobs.id)) AS "Value"
            FROM jobs ORDER BY 1
            """).ToListAsync(Cancellation);
    }

    private static string JobOf(int job) => Jobs[job % Jobs.Length]
        .Replace("{0}", $"{job}", StringComparison.Ordinal)
        .Insert(1, $"\"name\": \"job {job}\", \"dataset\": \"digits\", "
            // how many patches are tried depends on the time that is left
            + "\"diagnostics\": {\"tryPatches\": false}, ");

    private static string SweepOf(int sweep) => Sweep.Replace("{1}", $"{sweep}", StringComparison.Ordinal)
        .Replace("{0}", $"[{string.Join(", ", Enumerable.Range(100 * sweep, 30))}]", StringComparison.Ordinal);

    private static void Say(string what) => TestContext.Current.TestOutputHelper?.WriteLine(what);
}
