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
}
