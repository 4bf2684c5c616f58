using System.Reflection;
using TrainingService.Host.Tests.Fixtures;
using Xunit.v3;

[assembly: TimeLimit]

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>
/// What a test waits for in vain ends by its cancellation token after ten minutes, not with the machine's patience. Long ones know how long
/// they take.
/// </summary>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class TimeLimitAttribute : BeforeAfterTestAttribute
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);
    private static readonly string[] Long = ["Simulation", "Storm", "Soak"];

    private readonly AsyncLocal<Timer?> _timer = new();

    public override void Before(MethodInfo methodUnderTest, IXunitTest test)
    {
        var context = TestContext.Current;
        if (!test.Traits.TryGetValue("Category", out var categories) || !categories.Any(Long.Contains))
            _timer.Value = new Timer(_ => context.CancelCurrentTest(), null, Limit, Timeout.InfiniteTimeSpan);
    }

    public override void After(MethodInfo methodUnderTest, IXunitTest test) => _timer.Value?.Dispose();
}
