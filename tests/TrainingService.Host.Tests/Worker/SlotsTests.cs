using TrainingService.Host.Jobs;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

public sealed class SlotsTests : TimeProvider
{
    private readonly Slots _slots;
    private readonly JobSpec _spec = new() { Dataset = new() { Name = "iris" } };
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    public SlotsTests() => _slots = new(new(2, 1, TimeSpan.FromSeconds(30)), this);

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    [Fact]
    public void Idle_slots_are_a_stall_once_jobs_have_waited_for_two_leases()
    {
        Assert.Equal([null, null], Ask(30, 30));
        Assert.Equal("Jobs wait and 2 of 2 slots are free, but none was taken for 60 s.", Ask(0)[0]);
        _slots.Take([]);
        Assert.Equal([null, null], Ask(30, 30));
        Assert.Contains("1 of 2", Ask(0)[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_wrong_while_all_slots_are_taken_or_nothing_waits()
    {
        _slots.Take([]);
        _slots.Take([]);
        Assert.Equal([null, null, null, null], Ask(30, 30, 30, 30));
        _slots.Free([]);
        Assert.Equal([null, null], Ask(30, 30));
        Assert.Null(_slots.FindStall(jobsWait: false));
        Assert.Equal([null, null], Ask(30, 30));
    }

    [Fact]
    public void Jobs_that_were_seen_waiting_long_ago_prove_nothing()
    {
        Assert.Equal([null, null, null], Ask(600, 600, 600));
    }

    /// <summary>Of groups, since the estimates of single runs say nothing of how many to take.</summary>
    [Fact]
    public void The_pace_is_that_of_the_last_groups_and_at_least_the_estimates_own()
    {
        Assert.Equal(1, _slots.Pace);
        Run(4, 2);
        Assert.Equal(2.5, _slots.Pace);
        Run(2, 2);
        Assert.Equal(2.25, _slots.Pace);
        Run(100, 1);
        Assert.Equal(2.25, _slots.Pace);
        Run(1000, 2);
        Assert.Equal(8, _slots.Pace);
        for (var group = 0; group < 4; group++)
            Run(0.1, 2);
        Assert.Equal(1, _slots.Pace);

        void Run(double seconds, int runs)
        {
            Lease[] leases = [.. Enumerable.Range(0, runs).Select(_ =>
                new Lease(Guid.NewGuid(), 1, _spec, _spec, 1, null, null) { Cost = 0.5 })];
            _slots.Take(leases);
            _now += TimeSpan.FromSeconds(seconds);
            _slots.Free(leases);
        }
    }

    /// <summary>Asks while jobs wait, going on by so many seconds after each.</summary>
    private string?[] Ask(params int[] seconds) => [.. seconds.Select(by =>
    {
        var answer = _slots.FindStall(jobsWait: true);
        _now += TimeSpan.FromSeconds(by);
        return answer;
    })];
}
