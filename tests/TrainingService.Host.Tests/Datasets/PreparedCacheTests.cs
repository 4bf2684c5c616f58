using TrainingService.Engine.Data;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

public sealed class PreparedCacheTests
{
    private static readonly DatasetSpec Spec = new() { Name = "made" };

    [Fact]
    public async Task Two_who_ask_at_once_wait_for_one_computation()
    {
        var (cache, computed) = (new PreparedCache(1000), 0);
        using var bothAsked = new Barrier(2);
        TrainingData Ask()
        {
            bothAsked.SignalAndWait();
            return cache.GetOrAdd(Spec, 1, () =>
            {
                Interlocked.Increment(ref computed);
                Thread.Sleep(20);
                return Data(1);
            });
        }
        var answers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(Ask, TaskCreationOptions.LongRunning)));
        Assert.Same(answers[0], answers[1]);
        Assert.Equal(1, computed);
    }

    [Fact]
    public void What_was_used_least_recently_goes_first()
    {
        // 25 numbers are 100 bytes.
        var (cache, computed) = (new PreparedCache(250), new List<long>());
        void Ask(long seed) => cache.GetOrAdd(Spec, seed, () =>
        {
            computed.Add(seed);
            return Data(25);
        });
        foreach (var seed in new[] { 1, 2, 1, 3, 1, 2 })
            Ask(seed);
        Assert.Equal([1, 2, 3, 2], computed);
    }

    [Fact]
    public void What_exceeds_the_bound_is_kept_until_the_next()
    {
        var (cache, computed) = (new PreparedCache(100), 0);
        foreach (var seed in new[] { 1, 1, 2, 1 })
            cache.GetOrAdd(Spec, seed, () =>
            {
                computed++;
                return Data(1000);
            });
        Assert.Equal(3, computed);
    }

    [Fact]
    public void A_failure_is_not_kept()
    {
        var cache = new PreparedCache(100);
        Assert.Throws<DatasetUnavailableException>(() => cache.GetOrAdd(Spec, 1, () => throw new DatasetUnavailableException("gone")));
        Assert.NotNull(cache.GetOrAdd(Spec, 1, () => Data(1)));
    }

    [Fact]
    public void The_registry_prepares_equal_specs_once()
    {
        var registry = new DatasetRegistry("/nowhere");
        DatasetSpec Resolved(double fraction) =>
            registry.Resolve(new() { Name = "iris", ValidationFraction = fraction }, 1, [])!.Value.Spec;
        Assert.Same(registry.Load(Resolved(0.1), 1), registry.Load(Resolved(0.1), 1));
        Assert.NotSame(registry.Load(Resolved(0.1), 1), registry.Load(Resolved(0.1), 2));
        Assert.NotSame(registry.Load(Resolved(0.1), 1), registry.Load(Resolved(0.2), 1));
    }

    private static TrainingData Data(int numbers) =>
        new(new(1, TargetKind.Number, 0, numbers, 0, 0), new(numbers, new float[numbers], [], []), null, null);
}
