using TrainingService.Engine.Training;

namespace TrainingService.Host.Tests.Architecture;

/// <summary>Who may know whom.</summary>
public sealed class DependencyTests
{
    private const string Host = "TrainingService.Host.";

    [Fact]
    public void The_engine_is_pure_maths()
    {
        var allowed = new[] { "System", "netstandard", "Microsoft.Win32.Primitives" };
        var references = typeof(Trainer).Assembly.GetReferencedAssemblies().Select(a => a.Name!);
        Assert.DoesNotContain(references, name =>
            !allowed.Contains(name.Split('.')[0]) || name.StartsWith("System.Net", StringComparison.Ordinal)
            || name.StartsWith("System.Data", StringComparison.Ordinal) || name.StartsWith("System.Console", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(typeof(Trainer))]
    [InlineData(typeof(Program))]
    public void No_folder_is_in_a_circle(Type inAssembly)
    {
        var circles = TypeReferences.Circles(inAssembly.Assembly);
        Assert.True(circles.Count == 0, string.Join('\n', circles));
    }

    /// <summary>Beside those who set a net to where its run was, or repeat a short one, to look at it.</summary>
    [Fact]
    public void Only_the_worker_trains()
    {
        var users = TypeReferences.Of(typeof(Program).Assembly).Where(r => r.To == typeof(Trainer).FullName).Select(r => r.From).Distinct();
        Assert.Equal([Host + "Models.CheckpointedNet", Host + "Models.Replay",
            Host + "Worker.PatchTrials", Host + "Worker.Resumption", Host + "Worker.TrainingRun"],
            users.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Only_the_worker_and_the_migration_know_hangfire()
    {
        var users = TypeReferences.Of(typeof(Program).Assembly)
            .Where(r => r.To.StartsWith("Hangfire.", StringComparison.Ordinal)).Select(r => r.From).Distinct();
        Assert.All(users,
            user => Assert.True(user.StartsWith(Host + "Worker.", StringComparison.Ordinal) || user is Host + "Data.Database", user));
    }

    [Fact]
    public void Statistics_are_arrays_in_and_records_out()
    {
        string[] others = [Host, "Microsoft.", "Npgsql.", "Hangfire.", "System.Net.", "System.Data.", "System.IO."];
        var known = TypeReferences.Of(typeof(Program).Assembly)
            .Where(r => r.From.StartsWith(Host + "Statistics.", StringComparison.Ordinal)).Select(r => r.To).Distinct()
            .Where(to => !to.StartsWith(Host + "Statistics.", StringComparison.Ordinal)
                && others.Any(other => to.StartsWith(other, StringComparison.Ordinal)));
        Assert.Empty(known);
    }
}
