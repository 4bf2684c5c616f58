using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

public sealed class RowCacheTests
{
    [Fact]
    public async Task Two_who_ask_at_once_wait_for_one_computation()
    {
        var (cache, computed) = (new RowCache(1000), 0);
        using var bothAsked = new Barrier(2);
        string Ask()
        {
            bothAsked.SignalAndWait();
            return cache.GetOrAdd("key", 1, () =>
            {
                Thread.Sleep(20);
                return $"made {Interlocked.Increment(ref computed)}";
            });
        }
        var answers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(Ask, TaskCreationOptions.LongRunning)));
        Assert.Equal(["made 1", "made 1"], answers);
    }

    [Fact]
    public void What_was_used_least_recently_goes_first()
    {
        var (cache, computed) = (new RowCache(250), new List<int>());
        foreach (var key in new[] { 1, 2, 1, 3, 1 })
            Ask(cache, key, 100, computed);
        Assert.Equal([1, 2, 3], computed);
        Assert.Equal((true, false, true), (Has(cache, 1), Has(cache, 2), Has(cache, 3)));
    }

    [Fact]
    public void What_is_looked_for_is_used()
    {
        var (cache, computed) = (new RowCache(250), new List<int>());
        Ask(cache, 1, 100, computed);
        Ask(cache, 2, 100, computed);
        Assert.True(Has(cache, 1));
        Ask(cache, 3, 100, computed);
        Assert.Equal((true, false), (Has(cache, 1), Has(cache, 2)));
    }

    [Fact]
    public void What_exceeds_the_bound_is_kept_until_the_next()
    {
        var (cache, computed) = (new RowCache(100), new List<int>());
        foreach (var key in new[] { 1, 1, 2 })
            Ask(cache, key, 1000, computed);
        Assert.Equal([1, 2], computed);
        Assert.Equal((false, true), (Has(cache, 1), Has(cache, 2)));
    }

    [Fact]
    public void A_table_goes_after_all_that_is_made_of_it()
    {
        var (cache, computed) = (new RowCache(250), new List<int>());
        Ask(cache, 1, 100, computed);
        Ask(cache, 2, 50, computed);
        for (var seed = 10; seed < 12; seed++)
            cache.GetOrAdd(seed, 50, () => $"of seed {seed}", of: 1);
        Ask(cache, 3, 50, computed);
        Assert.Equal((true, false, false, true), (cache.Find<string>(1) is not null, Has(cache, 2), Has(cache, 10), Has(cache, 11)));
    }

    [Fact]
    public void What_is_made_of_a_table_has_less_room_and_leaves_tables_alone()
    {
        var (cache, computed) = (new RowCache(1000, maxMade: 100), new List<int>());
        Ask(cache, 1, 500, computed);
        for (var seed = 10; seed < 13; seed++)
            cache.GetOrAdd(seed, 40, () => $"of seed {seed}", of: 2);
        Assert.Equal((true, false, true, true), (Has(cache, 1), Has(cache, 10), Has(cache, 11), Has(cache, 12)));
    }

    [Fact]
    public async Task What_is_being_made_counts()
    {
        var (cache, computed) = (new RowCache(250), new List<int>());
        using var begun = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        Ask(cache, 1, 100, computed);
        var making = Task.Run(() => cache.GetOrAdd(2, 200, () =>
        {
            begun.Set();
            go.Wait(TestContext.Current.CancellationToken);
            return "2";
        }), TestContext.Current.CancellationToken);
        begun.Wait(TestContext.Current.CancellationToken);
        Assert.False(Has(cache, 1));
        go.Set();
        Assert.Equal("2", await making);
    }

    [Fact]
    public void What_somebody_still_uses_is_found_again()
    {
        var cache = new RowCache(250);
        var used = cache.GetOrAdd(1, 200, () => new string('1', 3));
        cache.GetOrAdd(2, 200, () => "2");
        Assert.False(Has(cache, 1));
        Assert.Same(used, cache.GetOrAdd(1, 200, () => "a copy"));
        cache.Clear();
        Assert.Same(used, cache.GetOrAdd(1, 200, () => "a copy"));
    }

    [Fact]
    public void A_failure_is_not_kept_and_does_not_count()
    {
        var (cache, computed) = (new RowCache(250), new List<int>());
        Ask(cache, 1, 100, computed);
        Assert.Throws<DatasetUnavailableException>(() =>
            cache.GetOrAdd<string>(2, 100, () => throw new DatasetUnavailableException("gone")));
        Ask(cache, 3, 100, computed);
        Assert.True(Has(cache, 1));
        Assert.Equal("2", cache.GetOrAdd(2, 1, () => "2"));
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

    private static void Ask(RowCache cache, int key, long bytes, List<int> computed) => cache.GetOrAdd(key, bytes, () =>
    {
        computed.Add(key);
        return $"made {key}";
    });

    private static bool Has(RowCache cache, int key) => cache.Find<string>(key) is not null;
}
