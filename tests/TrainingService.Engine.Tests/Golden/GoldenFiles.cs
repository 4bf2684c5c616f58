using System.Text.Json;
using TrainingService.Engine.Activations;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>
/// The vectors under data/, embedded into the test assembly. Those of an activation that the engine doesn't have are left out:
/// they count as soon as it has it.
/// </summary>
public static class GoldenFiles
{
    public static IReadOnlyList<string> TrajectoryNames { get; } = [.. typeof(GoldenFiles).Assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith("trajectories/", StringComparison.Ordinal))
        .Select(n => Path.GetFileNameWithoutExtension(n)).Where(n => FunctionsOf(Trajectory(n).Layers).All(Has)).Order()];

    public static IReadOnlyList<GoldenActivation> Activations { get; } =
        [.. Read<GoldenActivationFile>("activations.json").Activations.Where(a => Has(a.Function))];

    public static GoldenActivation Activation(string id) => Activations.Single(a => a.Id == id);

    public static GoldenTrajectory Trajectory(string name) => Read<GoldenTrajectory>($"trajectories/{name}.json");

    public static GoldenBig Big() => Read<GoldenBig>("big.json");

    public static GoldenScheduleFile Schedules() => Read<GoldenScheduleFile>("schedules.json");

    private static bool Has(GoldenFunction function) => ActivationRegistry.Find(function.Name) is not null;

    private static IEnumerable<GoldenFunction> FunctionsOf(IEnumerable<GoldenLayer> layers) =>
        layers.SelectMany(l => l.Function is { } function ? [function] : FunctionsOf(l.Layers ?? []));

    private static T Read<T>(string name)
    {
        using var stream = typeof(GoldenFiles).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException(name);
        return JsonSerializer.Deserialize<T>(stream, GoldenRun.Json)!;
    }
}
