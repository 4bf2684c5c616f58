using TrainingService.Engine.Kernels;
using Xunit;

namespace TrainingService.Engine.Tests.Kernels;

public class TeamTests
{
    /// <summary>Many pieces of all sizes, with pauses in which the helpers fall asleep; whoever hangs here hangs for ever.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(3)]
    public async Task Every_index_is_done_once(int threads)
    {
        var done = Task.Run(() =>
        {
            using var team = new Team(threads);
            var counts = new int[100];
            void Work(int from, int to)
            {
                for (var i = from; i < to; i++)
                    counts[i]++;
            }
            for (var round = 0; round < 10_000; round++)
            {
                var size = round * 7 % (counts.Length + 1);
                Array.Clear(counts);
                team.Split(size, Work);
                for (var i = 0; i < counts.Length; i++)
                    Assert.Equal(i < size ? 1 : 0, counts[i]);
                if (round % 500 == 499)
                    Thread.Sleep(30);
            }
        }, TestContext.Current.CancellationToken);
        await done.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_sleeping_team_can_be_woken_or_closed()
    {
        var done = Task.Run(() =>
        {
            for (var i = 0; i < 30; i++)
            {
                using var team = new Team(3);
                // asleep, just falling asleep, or still spinning
                Thread.Sleep(i % 10);
                var sum = 0;
                if (i % 3 > 0)
                    team.Split(10, (from, to) => Interlocked.Add(ref sum, to - from));
                Assert.Equal(i % 3 > 0 ? 10 : 0, sum);
                Thread.Sleep(i % 7);
            }
        }, TestContext.Current.CancellationToken);
        await done.WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Teams_do_not_disturb_each_other() =>
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Every_index_is_done_once(2)));
}
