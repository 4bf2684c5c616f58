using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Models;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Models;

/// <summary>Nets are kept with the job's end, once for equal weights, and go with the last job that refers to them.</summary>
public sealed class StoredModelTests(Service service)
{
    private const string Iris = """{"dataset": "iris", "model": {"hiddenLayers": [8]}, "training": {"epochs": 1, "seed": SEED}}""";

    private static readonly ModelLimits Limits = new(1_000_000, 10_000_000, null, 1_000_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Equal_weights_are_kept_once_until_the_last_of_their_jobs_is_deleted()
    {
        var (first, second) = (await Train(4711), await Train(4711));
        await using var db = service.NewDbContext();
        var kept = await ModelOf(db, first);
        Assert.NotNull(kept.Sha256);
        Assert.Equal(kept.Sha256, (await ModelOf(db, second)).Sha256);
        // without running statistics the tensors are the parameters, and hash to what the result says
        Assert.Equal(first.GetProperty("result").GetProperty("weightsSha256").GetString(), kept.Sha256);
        Assert.Equal(1, await Weights(db, kept.Sha256));

        Assert.Equal(204, (await service.Http.Send("DELETE", first.Path())).Status);
        Assert.Equal(1, await Weights(db, kept.Sha256));
        Assert.Equal(200, (await Ask(second)).Status);
        Assert.Equal(204, (await service.Http.Send("DELETE", second.Path())).Status);
        Assert.Equal(0, await Weights(db, kept.Sha256));
        Assert.Equal(0, await db.Set<WeightChunk>().CountAsync(chunk => chunk.Sha256 == kept.Sha256, Cancellation));
    }

    [Fact]
    public async Task A_sweep_keeps_nets_only_if_it_is_asked_to()
    {
        async Task<int> Kept(string extra)
        {
            var answer = await service.Http.Send("POST", "/api/v1/sweeps", """
                {"base": {"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1} EXTRA},
                 "arms": [{"name": "a"}, {"name": "b", "patch": {"model": {"activation": "tanh"}}}], "seeds": [1, 2, 3]}
                """.Replace("EXTRA", extra, StringComparison.Ordinal));
            Assert.True(answer.Status == 202, answer.Text);
            var id = Guid.Parse(answer.Id);
            for (var path = $"/api/v1/sweeps/{id}"; (await service.Http.GetAnswer(path))["status"].GetString() is "queued" or "running";)
                await Task.Delay(50, Cancellation);
            await using var db = service.NewDbContext();
            return await db.Set<JobModel>()
                .CountAsync(m => db.Set<Host.Jobs.Job>().Any(j => j.Id == m.JobId && j.SweepId == id), Cancellation);
        }

        Assert.Equal(0, await Kept(""));
        Assert.Equal(6, await Kept(""", "storeWeights": true"""));
    }

    [Fact]
    public async Task Retired_weights_answer_410_with_the_reason()
    {
        // a database of its own: what retires here is all there is
        var database = await service.CreateMigratedDatabaseAsync();
        try
        {
            await RetireAsync(database);
        }
        finally
        {
            await service.Postgres.DropDatabaseAsync(database);
        }
    }

    private static async Task RetireAsync(string database)
    {
        await using var host = await HostProcess.StartAsync("all", database);
        var jobs = new List<JsonElement>();
        for (var seed = 1; seed <= 3; seed++)
            jobs.Add(await host.Http.TrainAsync(Iris.Replace("SEED", $"{seed}", StringComparison.Ordinal)));
        await using var db = Service.Context(database);
        var now = DateTimeOffset.UtcNow;
        Assert.Equal(0, await WeightRetention.RetireAsync(db, Limits with { Age = TimeSpan.FromDays(1) }, now, Cancellation));
        var bytes = await db.Set<StoredWeights>().OrderBy(w => w.StoredAt).Select(w => w.StoredBytes).ToListAsync(Cancellation);

        // by size: the newest that fit stay
        Assert.Equal(1, await WeightRetention.RetireAsync(db, Limits with { TotalBytes = bytes[1] + bytes[2] }, now, Cancellation));
        Assert.Equal(2, await db.Set<StoredWeights>().CountAsync(Cancellation));
        var gone = await host.Http.AskAsync(jobs[0].Path(), new { inputs = (double[][])[[1, 2, 3, 4]] });
        gone.MustBeProblem(410, "gone");
        Assert.Contains("TRAINING_WEIGHTS_TOTAL_MB", gone["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal(200, (await host.Http.AskAsync(jobs[1].Path(), new { inputs = (double[][])[[1, 2, 3, 4]] })).Status);

        // by age, but not what a registered model points to
        db.Add(new ModelVersion { Name = "best", Version = 1, JobId = jobs[1].GetProperty("id").GetGuid(), CreatedAt = now });
        await db.SaveChangesAsync(Cancellation);
        Assert.Equal(1, await WeightRetention.RetireAsync(db, Limits with { Age = TimeSpan.FromDays(1) }, now.AddDays(2), Cancellation));
        Assert.Equal(0, await WeightRetention.RetireAsync(db, Limits with { TotalBytes = 1 }, now, Cancellation));
        gone = await host.Http.AskAsync(jobs[2].Path(), new { inputs = (double[][])[[1, 2, 3, 4]] });
        gone.MustBeProblem(410, "gone");
        Assert.Contains("older than 1 days", gone["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal(200, (await host.Http.AskAsync(jobs[1].Path(), new { inputs = (double[][])[[1, 2, 3, 4]] })).Status);
    }

    [Fact]
    public async Task Weights_that_are_too_large_are_not_kept_and_the_job_is_good_all_the_same()
    {
        var job = await Train(99);
        await using var db = service.NewDbContext();
        var stored = await ModelOf(db, job);
        var weights = await TrainedModel.ReadAsync(db, stored.Sha256!, Cancellation);
        await db.Set<JobModel>().Where(m => m.JobId == stored.JobId).ExecuteDeleteAsync(Cancellation);
        Assert.Equal(0, await Weights(db, stored.Sha256!));

        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            await TrainedModel.Of(weights, stored.Card).StoreAsync(db, stored.JobId, DateTimeOffset.UtcNow, Limits with { JobBytes = 10 });
            await db.SaveChangesAsync(Cancellation);
            await transaction.CommitAsync(Cancellation);
        }
        var answer = await Ask(job);
        answer.MustBeProblem(410, "gone");
        Assert.Contains("TRAINING_WEIGHTS_JOB_MB", answer["detail"].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Large_weights_come_back_from_many_pieces_as_they_were()
    {
        var job = await Train(98);
        await using var db = service.NewDbContext();
        var stored = await ModelOf(db, job);
        await db.Set<JobModel>().Where(m => m.JobId == stored.JobId).ExecuteDeleteAsync(Cancellation);
        var weights = new byte[8_000_004];
        new Random(1).NextBytes(weights);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var model = TrainedModel.Of(weights, stored.Card);
        // the pieces, and one more that they are made in
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 14_000_000);
        Assert.InRange(model.Chunks.Count, 2, 10);
        await using (var transaction = await db.Database.BeginTransactionAsync(Cancellation))
        {
            await model.StoreAsync(db, stored.JobId, DateTimeOffset.UtcNow, Limits with { JobBytes = 10_000_000 });
            await db.SaveChangesAsync(Cancellation);
            await transaction.CommitAsync(Cancellation);
        }
        Assert.Equal(weights, await TrainedModel.ReadAsync(db, model.Sha256, Cancellation));
    }

    [Fact]
    public async Task Damaged_weights_are_no_answer()
    {
        var job = await Train(77);
        await using var db = service.NewDbContext();
        var stored = await ModelOf(db, job);
        var weights = await TrainedModel.ReadAsync(db, stored.Sha256!, Cancellation);
        weights[0] ^= 1;
        var other = TrainedModel.Of(weights, stored.Card).Chunks[0];
        await db.Set<WeightChunk>().Where(c => c.Sha256 == stored.Sha256)
            .ExecuteUpdateAsync(set => set.SetProperty(c => c.Data, other), Cancellation);
        (await Ask(job)).MustBeProblem(500, "internal-error");
    }

    private async Task<JsonElement> Train(int seed) =>
        await service.Http.TrainAsync(Iris.Replace("SEED", $"{seed}", StringComparison.Ordinal));

    private Task<Answer> Ask(JsonElement job) => service.Http.AskAsync(job.Path(), new { inputs = (double[][])[[1, 2, 3, 4]] });

    private static Task<JobModel> ModelOf(TrainingDbContext db, JsonElement job) =>
        db.Set<JobModel>().AsNoTracking().SingleAsync(m => m.JobId == job.GetProperty("id").GetGuid(), Cancellation);

    private static Task<int> Weights(TrainingDbContext db, string sha256) =>
        db.Set<StoredWeights>().CountAsync(w => w.Sha256 == sha256, Cancellation);
}
