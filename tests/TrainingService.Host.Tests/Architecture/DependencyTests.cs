using TrainingService.Engine.Training;

namespace TrainingService.Host.Tests.Architecture;

/// <summary>Who may know whom.</summary>
public sealed class DependencyTests
{
    private const string Host = "TrainingService.Host.";
    private static readonly string[] Features = ["Jobs", "Metrics", "Findings", "Datasets", "Catalog", "Worker", "Sweeps", "Studies", "Reports"];

    /// <summary>What a feature may use of another one; * for all of it, since it stands on top of that.</summary>
    private static readonly Dictionary<(string From, string To), string[]> Allowed = new()
    {
        [("Jobs", "Datasets")] = ["DatasetRegistry", "DatasetSpec"],
        [("Worker", "Datasets")] = ["Dataset", "DatasetRegistry", "DatasetSpec", "DatasetUnavailableException"],
        [("Worker", "Jobs")] = ["Job", "JobEnded", "JobSpec", "JobStatus", "WakeUp", "WakeUps"],
        [("Worker", "Metrics")] = ["MetricWriter", "MetricRow", "LayerRow", "UnitRow"],
        [("Worker", "Findings")] = ["Watch", "Finding", "FindingCounts", "FindingRow"],
        [("Jobs", "Findings")] = ["Finding", "FindingCounts", "PreflightFindings"],
        [("Catalog", "Reports")] = ["GetActivationPlot"],
        [("Sweeps", "Jobs")] = ["*"],
        [("Sweeps", "Datasets")] = ["DatasetSpec", "DatasetRegistry"],
        [("Sweeps", "Metrics")] = ["Column`1", "GetLayers", "GradientFlow", "LayerRow", "RowExport"],
        [("Sweeps", "Studies")] = ["BornDeadCell", "Study", "StudyCatalog", "StudyMeasurement", "StudyReports", "StudySize"],
        [("Sweeps", "Reports")] = ["ArmCurves", "ReportContent", "ReportMarkdown", "ReportPage", "ReportRows", "SweepCharts", "SweepCurves"],
        [("Studies", "Sweeps")] = ["*"],
        [("Studies", "Jobs")] = ["Idempotency", "JobSpec", "WakeUps"],
        [("Studies", "Datasets")] = ["Dataset", "DatasetRegistry", "DatasetSpec"],
        [("Studies", "Metrics")] = ["LayerRow"],
        [("Reports", "Sweeps")] = ["*"],
        [("Reports", "Jobs")] = ["*"],
        [("Reports", "Metrics")] = ["*"],
        [("Reports", "Studies")] = ["BornDeadCell"],
        [("Reports", "Catalog")] = ["GetActivation"],
        [("Metrics", "Jobs")] = ["Job"],
        [("Findings", "Jobs")] = ["Job"],
    };

    [Fact]
    public void The_engine_is_pure_maths()
    {
        var allowed = new[] { "System", "netstandard", "Microsoft.Win32.Primitives" };
        var references = typeof(Trainer).Assembly.GetReferencedAssemblies().Select(a => a.Name!);
        Assert.DoesNotContain(references, name => !allowed.Contains(name.Split('.')[0]) || name.StartsWith("System.Net", StringComparison.Ordinal)
            || name.StartsWith("System.Data", StringComparison.Ordinal) || name.StartsWith("System.Console", StringComparison.Ordinal));
    }

    [Fact]
    public void No_folder_of_the_engine_is_in_a_circle()
    {
        var circles = TypeReferences.Circles(typeof(Trainer).Assembly);
        Assert.True(circles.Count == 0, string.Join('\n', circles));
    }

    [Fact]
    public void Only_the_worker_trains()
    {
        var users = TypeReferences.Of(typeof(Program).Assembly).Where(r => r.To == typeof(Trainer).FullName).Select(r => r.From).Distinct();
        Assert.Equal([Host + "Worker.TrainingRun"], users);
    }

    [Fact]
    public void Only_the_worker_and_the_migration_know_hangfire()
    {
        var users = TypeReferences.Of(typeof(Program).Assembly).Where(r => r.To.StartsWith("Hangfire.", StringComparison.Ordinal)).Select(r => r.From).Distinct();
        Assert.All(users, user => Assert.True(user.StartsWith(Host + "Worker.", StringComparison.Ordinal) || user is Host + "Hosting.Database", user));
    }

    [Fact]
    public void Statistics_are_arrays_in_and_records_out()
    {
        string[] others = [Host, "Microsoft.", "Npgsql.", "Hangfire.", "System.Net.", "System.Data.", "System.IO."];
        var known = TypeReferences.Of(typeof(Program).Assembly).Where(r => r.From.StartsWith(Host + "Statistics.", StringComparison.Ordinal)).Select(r => r.To).Distinct()
            .Where(to => !to.StartsWith(Host + "Statistics.", StringComparison.Ordinal) && others.Any(other => to.StartsWith(other, StringComparison.Ordinal)));
        Assert.Equal([Host + "Datasets.SplitMix64"], known);
    }

    [Fact]
    public void Features_do_not_reach_into_each_other()
    {
        var forbidden = (from reference in TypeReferences.Of(typeof(Program).Assembly)
                         let @from = Feature(reference.From)
                         let to = Feature(reference.To)
                         where @from is not null && to is not null && @from != to
                         let name = reference.To[(Host.Length + to.Length + 1)..]
                         let allowed = Allowed.GetValueOrDefault((@from, to), [])
                         where !allowed.Contains(name) && !allowed.Contains("*")
                         select $"{reference.From} uses {reference.To}").Distinct().ToList();
        Assert.True(forbidden.Count == 0, string.Join('\n', forbidden));
    }

    private static string? Feature(string type) => Features.FirstOrDefault(feature => type.StartsWith($"{Host}{feature}.", StringComparison.Ordinal));
}
