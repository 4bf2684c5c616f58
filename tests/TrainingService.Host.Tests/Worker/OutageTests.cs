using Npgsql;
using TrainingService.Host.Worker;

namespace TrainingService.Host.Tests.Worker;

public sealed class OutageTests
{
    [Fact]
    public void Tries_become_rare_and_lines_of_log_rarer()
    {
        var outage = new Outage(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.Zero, outage.Pause);
        var (told, pauses) = (new List<int>(), new List<double>());
        for (var i = 1; i <= 70; i++)
        {
            if (outage.Fail())
                told.Add(outage.Failures);
            pauses.Add(outage.Pause.TotalSeconds);
        }
        Assert.Equal([1, 2, 4, 8, 16, 32, 64], told);
        Assert.Equal([0.5, 1, 2, 4, 8, 10, 10], pauses[..7]);
        outage.End();
        Assert.True(outage.Fail());
        Assert.Equal((1, 0.5), (outage.Failures, outage.Pause.TotalSeconds));
    }

    [Fact]
    public void What_is_read_is_read_again_until_the_database_is_back()
    {
        var outage = new Outage(TimeSpan.FromMilliseconds(1));
        var tries = 0;
        Assert.Equal(7, outage.Through(() => ++tries < 4 ? throw Away() : 7, CancellationToken.None));
        Assert.Equal((4, 0), (tries, outage.Failures));
        Assert.Throws<InvalidOperationException>(() =>
            outage.Through<int>(() => throw new InvalidOperationException("no outage"), CancellationToken.None));
        using var stop = new CancellationTokenSource();
        tries = 0;
        Assert.ThrowsAny<OperationCanceledException>(() => outage.Through<int>(() =>
        {
            if (++tries == 3)
                stop.Cancel();
            throw Away();
        }, stop.Token));
        Assert.Equal(3, tries);
    }

    private static InvalidOperationException Away() => new("as EF tells it", new NpgsqlException("away", new IOException()));
}
