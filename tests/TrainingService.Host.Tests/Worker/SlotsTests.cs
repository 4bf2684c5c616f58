using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

public sealed class SlotsTests : TimeProvider
{
    private readonly Slots _slots;
    private DateTimeOffset _now = DateTimeOffset.UnixEpoch;

    public SlotsTests() => _slots = new(new(2, 1, TimeSpan.FromSeconds(30)), this);

    public override DateTimeOffset GetUtcNow() => _now;

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

    /// <summary>Asks while jobs wait, going on by so many seconds after each.</summary>
    private string?[] Ask(params int[] seconds) => [.. seconds.Select(by =>
    {
        var answer = _slots.FindStall(jobsWait: true);
        _now += TimeSpan.FromSeconds(by);
        return answer;
    })];
}
