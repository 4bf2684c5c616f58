using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Faults;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

/// <summary>What runs together never needs more memory than their worker has, whatever waits.</summary>
[Trait("Category", "Slow")]
public sealed class MemoryTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api), IClassFixture<ApiWithoutWorkers>
{
    private const long Megabyte = 1_000_000;

    private readonly ApiWithoutWorkers _api = api;

    [Fact]
    public async Task Of_two_jobs_that_do_not_fit_together_one_waits_and_small_ones_run_beside_the_other()
    {
        await using var db = NewDbContext();
        var running = await db.InsertJobAsync(epochs: Client.Hours, timeoutSeconds: 3600, memory: 60 * Megabyte);
        await using var worker = await StartAsync(100, workers: 2);
        await Http.WaitForStartAsync(running);
        var waiting = await db.InsertJobAsync(memory: 60 * Megabyte);
        var beside = await db.InsertJobAsync(memory: 10 * Megabyte);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(beside)).Status());
        var waits = await Http.GetJobAsync(waiting);
        Assert.Equal(("running", "queued"), ((await Http.GetJobAsync(running)).Status(), waits.Status()));
        Assert.Equal(0, waits.GetProperty("notes").GetArrayLength());
        Assert.NotEqual(JsonValueKind.Null, waits.GetProperty("estimatedStartAt").ValueKind);
        await CancelAsync(running);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(waiting)).Status());
    }

    [Fact]
    public async Task A_job_that_is_too_large_for_every_worker_says_so_until_a_larger_one_takes_it()
    {
        await using var db = NewDbContext();
        // those that other tests killed count as alive for a while
        await db.Database.ExecuteSqlAsync($"DELETE FROM hangfire.server", Cancellation);
        await using var small = await StartAsync(100);
        var large = await db.InsertJobAsync(memory: 5000 * Megabyte);
        var fits = await db.InsertJobAsync(memory: 10 * Megabyte);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(fits)).Status());
        foreach (var job in (JsonElement[])[await Http.GetJobAsync(large), await FirstOfListAsync(large)])
        {
            Assert.Equal(("queued", JsonValueKind.Null), (job.Status(), job.GetProperty("estimatedStartAt").ValueKind));
            Assert.Equal("The run needs about 5,000 MB of memory, and the largest worker that runs has 100 MB for jobs "
                + "(TRAINING_MEMORY_MB).", Assert.Single(job.GetProperty("notes").EnumerateArray()).GetString());
        }
        await using var other = await StartAsync(6000);
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(large)).Status());
    }

    [Fact]
    public async Task What_no_worker_had_the_memory_for_in_a_long_time_fails()
    {
        await using var db = NewDbContext();
        var (fits, large) = (await db.InsertJobAsync(memory: 100), await db.InsertJobAsync(memory: 101));
        var (tooLarge, now) = (new TooLarge(TimeSpan.FromMinutes(10)), DateTimeOffset.UtcNow);
        // a roll-out: the larger worker is away for a while
        foreach (var (minute, largest, failed) in new (int, long, bool)[]
        {
            (0, 200, false), (9, 200, false), (10, 100, false), (19, 100, false), (20, 100, true),
        })
        {
            await tooLarge.FailAsync(db, largest, now.AddMinutes(minute), Cancellation);
            Assert.Equal((JobStatus.Queued, failed ? JobStatus.Failed : JobStatus.Queued),
                ((await ReadAsync(fits)).Status, (await ReadAsync(large)).Status));
        }
        Assert.Equal("out_of_memory", (await ReadAsync(large)).ErrorCode);
        await db.Jobs.Where(job => job.Id == fits).ExecuteDeleteAsync(Cancellation);
    }

    [Fact]
    public async Task A_run_that_finds_no_memory_fails_alone()
    {
        // 64 MB of heap: not enough to hand over weights of 90 MB
        await using var worker = await StartAsync(1000, ("DOTNET_GCHeapHardLimit", "4000000"));
        using var answer = await Http.PostAsJsonAsync("/api/v1/jobs", new
        {
            dataset = new { name = "iris" },
            model = new { hiddenLayers = (int[])[4700, 4700] },
            training = new { epochs = 1, batchSize = 32, optimizer = new { name = "sgd", momentum = 0 } },
            diagnostics = new { tryPatches = false },
        }, Cancellation);
        var huge = (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetGuid();
        Assert.Equal(("failed", "out_of_memory"),
            (await Http.WaitForEndAsync(huge) is var job ? job.Status() : "", job.ErrorCode()));
        Assert.Equal("succeeded", (await Http.WaitForEndAsync(await Http.SubmitAsync())).Status());
        Assert.False(worker.HasExited);
    }

    private async Task<JsonElement> FirstOfListAsync(Guid id) =>
        (await Http.GetFromJsonAsync<JsonElement>("/api/v1/jobs?status=queued", Cancellation))
            .GetProperty("items").EnumerateArray().Single(job => job.GetProperty("id").GetGuid() == id);

    private Task<HostProcess> StartAsync(int megabytes, (string Name, string Value)? setting = null, int workers = 1) =>
        HostProcess.StartAsync("worker", _api.Database, new Dictionary<string, string?>
        {
            ["TRAINING_MEMORY_MB"] = $"{megabytes}",
            ["TRAINING_WORKERS"] = $"{workers}",
            ["TRAINING_LEASE_SECONDS"] = "4",
            [setting?.Name ?? "TRAINING_CHECKPOINT_SECONDS"] = setting?.Value ?? "10",
        });
}
