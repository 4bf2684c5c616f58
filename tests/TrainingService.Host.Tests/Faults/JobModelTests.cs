using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Worker;
using Outcome = TrainingService.Host.Worker.Outcome;

namespace TrainingService.Host.Tests.Faults;

/// <summary>
/// Whatever happens to a job in whatever order, its row is as <see cref="JobModel"/> says: drawn sequences, with the statements of the
/// workers and the handlers of the API on a real Postgres. The output tells the seed, which <c>TRAINING_MODEL_SEED</c> sets; what fails
/// is made as short as can be.
/// </summary>
public sealed class JobModelTests(Service service) : IAsyncLifetime
{
    private const int Workers = 3, Sequences = 80, Races = 100, LongestSequence = 25;

    private static readonly ModelLimits Models = new(0, 0, null, 0);

    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync()
    {
        if (_database.Length > 0)
            await service.Postgres.DropDatabaseAsync(_database);
    }

    [Fact]
    public Task In_any_order_a_job_is_what_the_model_says() => CheckAsync(Sequences, Shortened(
        Gen.Choose(LongestSequence / 2, LongestSequence).SelectMany(StepOf.ArrayOf)), async steps =>
    {
        await using var world = await World.CreateAsync(_database);
        var (model, before) = (JobModel.New, new JobView());
        foreach (var (number, step) in steps.Index())
        {
            var attempt = model.AttemptOf(step);
            (model, var expected) = model.Apply(step, attempt, number);
            var answer = await world.TakeAsync(step, attempt, number);
            var view = await world.ViewAsync();
            Assert.Equal((expected, model.View), (answer, view));
            MustFollow(before, step.Act, view);
            before = view;
        }
    });

    /// <summary>
    /// Two or three things at the same time, after a few others: what comes of it, and what each is told, is as if they had come one
    /// after another.
    /// </summary>
    [Fact]
    public Task At_the_same_time_they_are_as_if_one_after_another() => CheckAsync(Races, Arb.ToArbitrary(
        from before in Gen.Choose(0, LongestSequence / 2).SelectMany(StepOf.ArrayOf)
        from together in Gen.Choose(2, 3).SelectMany(count => StepOf.Where(step => step.Act is not
            (Act.Expire or Act.Forget)).ArrayOf(count))
        select (before, together)), async race =>
    {
        await using var world = await World.CreateAsync(_database);
        var model = JobModel.New;
        foreach (var (number, step) in race.before.Index())
        {
            var attempt = model.AttemptOf(step);
            model = model.Apply(step, attempt, number).After;
            await world.TakeAsync(step, attempt, number);
        }
        var steps = race.together.Select((step, i) => (Step: step, Attempt: model.AttemptOf(step), Number: race.before.Length + i))
            .ToArray();
        var answers = await Task.WhenAll(steps.Select(each => Task.Run(() => world.TakeAsync(each.Step, each.Attempt, each.Number))));
        var end = (await world.ViewAsync(), string.Join(", ", answers.Select(Code)));
        var allowed = Orders(steps.Length).SelectMany(order => After(model, steps, order)).Distinct().ToList();
        Assert.True(allowed.Contains(end), $"{model.View}, then at once {string.Join(", ", race.together.AsEnumerable())}:\n{end}\n"
            + $"is none of\n{string.Join('\n', allowed)}");
    });

    private static Gen<Step> StepOf { get; } =
        from act in Gen.Frequency(Weights.Select(each => (each.Weight, Gen.Constant(each.Act))))
        from who in Gen.Frequency((3, Gen.Constant(0)), (2, Gen.Choose(1, Workers - 1)))
        select new Step(act, act is Act.Expire or >= Act.Cancel ? 0 : who);

    /// <summary>So that jobs live long enough for something to happen to them, and some crash three times.</summary>
    private static IEnumerable<(Act Act, int Weight)> Weights => Enum.GetValues<Act>().Select(act => (act, act switch
    {
        Act.Claim or Act.Beat => 8,
        Act.TakeBack or Act.Expire => 6,
        Act.ClaimNext or Act.Forget or Act.Release or Act.Retry => 4,
        Act.Succeed => 1,
        _ => 2,
    }));

    /// <summary>What holds whatever the model says.</summary>
    private static void MustFollow(JobView before, Act act, JobView after)
    {
        Assert.Equal(after.IsHeld, after.Owner is not null);
        Assert.Equal(after.IsFinished, after.HasEnd);
        Assert.InRange(after.Attempt, before.Attempt, before.Attempt + (act is Act.Claim or Act.ClaimNext ? 1 : 0));
        if (before.IsFinished && act is not Act.Retry)
            Assert.Equal(before, after);
    }

    /// <summary>
    /// All that may come of these steps in this order; who looks for silent workers or for work passes by a row that is locked.
    /// </summary>
    private static IEnumerable<(JobView, string)> After(JobModel model, (Step Step, int Attempt, int Number)[] steps, int[] order)
    {
        var ends = new List<(JobModel Model, string[] Answers)> { (model, new string[steps.Length]) };
        foreach (var i in order)
        {
            var (step, attempt, number) = steps[i];
            ends = [.. ends.SelectMany(end => Next(end.Model, step, attempt, number)
                .Select(next => (next.After, end.Answers.Select((given, at) => at == i ? next.Answer : given).ToArray())))];
        }
        return ends.Select(end => (end.Model.View, string.Join(", ", end.Answers.Select(Code))));

        static IEnumerable<(JobModel After, string Answer)> Next(JobModel model, Step step, int attempt, int number) => step.Act switch
        {
            Act.TakeBack => [model.Apply(step, attempt, number), (model, "")],
            Act.ClaimNext => [model.Apply(step, attempt, number), (model, "none")],
            _ => [model.Apply(step, attempt, number)],
        };
    }

    private static IEnumerable<int[]> Orders(int count) => count == 0 ? [[]]
        : Orders(count - 1).SelectMany(order => Enumerable.Range(0, count).Select(at => order.ToList()).Select((order, at) =>
        {
            order.Insert(at, count - 1);
            return order.ToArray();
        }));

    /// <summary>The status in an answer is read after the change, when the next may have been.</summary>
    private static string Code(string answer) => answer.StartsWith("202", StringComparison.Ordinal) ? "202" : answer;

    private static Arbitrary<Step[]> Shortened(Gen<Step[]> steps) => Arb.ToArbitrary(steps,
        all => Enumerable.Range(0, all.Length).Select(without => all.Where((_, i) => i != without).ToArray()));

    private static Task CheckAsync<T>(int count, Arbitrary<T> drawn, Func<T, Task> check)
    {
        var seed = ulong.TryParse(Environment.GetEnvironmentVariable("TRAINING_MODEL_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : (ulong)Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"TRAINING_MODEL_SEED={seed}");
        var config = Config.QuickThrowOnFailure.WithMaxTest(count).WithReplay(seed, 2 * seed + 1).WithQuietOnSuccess(true);
        // FsCheck asks one after another, and waits
        return Task.Factory.StartNew(() => Check.One(config, Prop.ForAll(drawn, value => Task.Run(() => check(value)).GetAwaiter()
            .GetResult())), Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>A job and some workers that never train it.</summary>
    private sealed class World : IAsyncDisposable
    {
        private readonly IDbContextFactory<TrainingDbContext> _databases;
        private readonly (WorkerOptions Options, Slots Slots, Reconciler Reconciler)[] _workers;
        private readonly Dictionary<int, (Lease[] Held, int Worker)> _leases = [];
        private readonly WakeUps _wakeUps = new(NullLogger<WakeUps>.Instance);

        private World(string database)
        {
            _databases = new PooledDbContextFactory<TrainingDbContext>(
                new DbContextOptionsBuilder<TrainingDbContext>().UseTrainingDatabase(database).Options);
            _workers = [.. Enumerable.Range(0, Workers).Select(_ =>
            {
                var options = new WorkerOptions(1, 1, TimeSpan.FromMinutes(10));
                var slots = new Slots(options, TimeProvider.System);
                return (options, slots, new Reconciler(_databases, _wakeUps, null!, slots, EndedAsync, options, TimeProvider.System,
                    NullLogger<Reconciler>.Instance));
            })];
        }

        private Guid Id { get; } = Guid.CreateVersion7();

        public static async Task<World> CreateAsync(string database)
        {
            var world = new World(database);
            await using var db = await world._databases.CreateDbContextAsync();
            db.Jobs.Add(new()
            {
                Id = world.Id,
                Spec = new() { Dataset = new() { Name = "" } },
                Dataset = "",
                Activations = [],
                Initializers = [],
                Labels = [],
                CreatedAt = DateTimeOffset.UtcNow,
            });
            await db.SaveChangesAsync();
            return world;
        }

        /// <summary>Takes a step of the service; answers what whoever takes it is told.</summary>
        public async Task<string> TakeAsync(Step step, int attempt, int number)
        {
            switch (step.Act)
            {
                case Act.Claim:
                    return Claimed(step.Who, (await Lease.ClaimAsync(_databases, Id, long.MaxValue, _workers[step.Who].Options,
                        TimeProvider.System, CancellationToken.None)).SingleOrDefault());
                case Act.ClaimNext:
                    return Claimed(step.Who, (await Lease.ClaimNextAsync(_databases, long.MaxValue, 1, _workers[step.Who].Options,
                        TimeProvider.System, CancellationToken.None)).SingleOrDefault());
                case Act.TakeBack:
                    await _workers[step.Who].Reconciler.TakeBackAsync(CancellationToken.None);
                    return "";
                case Act.Forget:
                    foreach (var (lease, _) in _leases.Values.Where(each => each.Worker == step.Who))
                        _workers[step.Who].Slots.Free(lease);
                    return "";
                case Act.Beat:
                    return await WriteAsync(attempt, number, null);
                case Act.Succeed:
                    return await WriteAsync(attempt, number, Outcome.Of(new TrainingResult { WeightsSha256 = $"{attempt}" }));
                case Act.Fail:
                    return await WriteAsync(attempt, number, Outcome.Failed("failed", "for a test"));
                case Act.Release:
                    return await WriteAsync(attempt, number, Outcome.Released);
                case Act.Stop:
                    return await WriteAsync(attempt, number, Outcome.Paused);
                case Act.Expire:
                    await using (var db = await _databases.CreateDbContextAsync())
                        await db.Database.ExecuteSqlAsync($"""
                            UPDATE jobs SET lease_until = now() - interval '1 s' WHERE id = {Id} AND lease_until IS NOT NULL
                            """);
                    return "";
                default:
                    return await AskAsync(step.Act);
            }
        }

        public async Task<JobView> ViewAsync()
        {
            await using var db = await _databases.CreateDbContextAsync();
            var row = await db.Jobs.AsNoTracking().Where(job => job.Id == Id).Select(job => new
            {
                job.Status,
                job.Attempt,
                job.LeaseOwner,
                job.LeaseUntil,
                job.StartedAt,
                job.Crashes,
                job.FinishedAt,
                job.ErrorCode,
                job.Result,
            }).SingleAsync();
            var rows = await db.Metrics.Where(point => point.JobId == Id).OrderBy(point => point.Step).Select(point => point.Step)
                .ToListAsync();
            return new(row.Status, row.Attempt,
                row.LeaseOwner is null ? null : Array.FindIndex(_workers, worker => worker.Options.Owner == row.LeaseOwner),
                row.LeaseUntil is { } until ? until > DateTimeOffset.UtcNow : null, row.StartedAt is not null, row.Crashes,
                row.FinishedAt is not null, row.ErrorCode,
                row.Result is { WeightsSha256: var attempt } ? int.Parse(attempt, CultureInfo.InvariantCulture) : null,
                string.Join(' ', rows));
        }

        public async ValueTask DisposeAsync()
        {
            await using var db = await _databases.CreateDbContextAsync();
            await db.Jobs.Where(job => job.Id == Id).ExecuteDeleteAsync();
        }

        private static Task EndedAsync(Guid? sweepId, CancellationToken cancellation) => Task.CompletedTask;

        private string Claimed(int worker, Lease? lease)
        {
            if (lease is null)
                return "none";
            Lease[] held = [lease];
            lock (_leases)
                _leases.Add(lease.Attempt, (held, worker));
            _workers[worker].Slots.Take(held);
            return $"attempt {lease.Attempt}";
        }

        /// <summary>As a worker's beat does: what it measured, and how the run stands or how it ended.</summary>
        private async Task<string> WriteAsync(int attempt, int number, Outcome? outcome)
        {
            if (attempt == 0)
                return "refused";
            Lease[] held;
            int worker;
            lock (_leases)
                (held, worker) = _leases[attempt];
            using var run = new ClaimedRun(held[0], new CancellationToken(canceled: true));
            // not to be trained: it has an end, the time of which is stored
            run.Train(new(), null!, null!, null!, _databases, 1, TimeProvider.System, NullLogger.Instance);
            var written = false;
            await Lease.WriteAsync(_databases, held, async (db, owned) =>
            {
                if (!(written = owned.TryGetValue(Id, out var status)))
                    return;
                var metrics = new MetricWriter(CancellationToken.None);
                metrics.Add(new MetricPoint { Step = number, Epoch = 0, Split = Split.Train, Loss = 1 });
                await MetricWriter.CopyAsync((NpgsqlConnection)db.Database.GetDbConnection(), [(Id, metrics, false)]);
                await RunRows.WriteAsync(db, [(run, outcome?.Of(status))], _workers[worker].Options.Lease, Models);
            });
            if (!written || outcome is not null)
                _workers[worker].Slots.Free(held);
            return written ? "written" : "refused";
        }

        private async Task<string> AskAsync(Act act)
        {
            await using var db = await _databases.CreateDbContextAsync();
            var http = new DefaultHttpContext();
            var answer = act switch
            {
                Act.Cancel => (await CancelJob.Handle(Id, null, http, db, EndedAsync, TimeProvider.System, CancellationToken.None)).Result,
                Act.Pause => (await PauseJob.Handle(Id, null, http, db, CancellationToken.None)).Result,
                Act.Resume => (await ResumeJob.Handle(Id, null, http, db, _wakeUps, CancellationToken.None)).Result,
                _ => (await RetryJob.Handle(Id, null, http, db, _wakeUps, CancellationToken.None)).Result,
            };
            return answer is IValueHttpResult { Value: JobResponse job } ? $"202 {job.Status}"
                : answer is IStatusCodeHttpResult { StatusCode: { } status } ? $"{status}" : $"{answer}";
        }
    }
}
