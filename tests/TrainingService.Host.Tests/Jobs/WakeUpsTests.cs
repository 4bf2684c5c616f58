using Microsoft.Extensions.Logging.Abstractions;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>What waits is begun at once where that can be, and else told to others.</summary>
public sealed class WakeUpsTests
{
    private readonly WakeUps _wakeUps = new(NullLogger<WakeUps>.Instance);

    [Fact]
    public async Task Nobody_is_woken_for_what_has_begun()
    {
        var (here, elsewhere) = (Guid.NewGuid(), Guid.NewGuid());
        _wakeUps.Begin = wakeUp => wakeUp.Id == here;
        _wakeUps.Add(new WakeUp(here, 1));
        _wakeUps.Add(new WakeUp(elsewhere, 1));
        _wakeUps.Close();
        Assert.Equal(elsewhere, (await _wakeUps.NextAsync())?.Id);
        Assert.Null(await _wakeUps.NextAsync());
    }

    /// <summary>Its owner's view, its trace and its log scopes.</summary>
    [Fact]
    public async Task What_begins_is_no_part_of_the_request()
    {
        var request = new AsyncLocal<string?> { Value = "POST" };
        var begun = Task.FromResult<string?>("not begun");
        _wakeUps.Begin = _ =>
        {
            begun = Task.Run<string?>(() => request.Value);
            return true;
        };
        _wakeUps.Add(new WakeUp(Guid.NewGuid(), 1));
        Assert.Equal((null, "POST"), (await begun, request.Value));
    }
}
