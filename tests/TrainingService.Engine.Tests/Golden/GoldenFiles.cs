using System.Text.Json;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>The vectors under data/, embedded into the test assembly.</summary>
public static class GoldenFiles
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    public static IReadOnlyList<string> TrajectoryNames { get; } = [.. typeof(GoldenFiles).Assembly.GetManifestResourceNames()
        .Where(n => n.StartsWith("trajectories/", StringComparison.Ordinal)).Select(n => Path.GetFileNameWithoutExtension(n)).Order()];

    public static IReadOnlyList<GoldenActivation> Activations { get; } = Read<GoldenActivationFile>("activations.json").Activations;

    public static GoldenActivation Activation(string id) => Activations.Single(a => a.Id == id);

    public static GoldenTrajectory Trajectory(string name) => Read<GoldenTrajectory>($"trajectories/{name}.json");

    public static GoldenBig Big() => Read<GoldenBig>("big.json");

    private static T Read<T>(string name)
    {
        using var stream = typeof(GoldenFiles).Assembly.GetManifestResourceStream(name) ?? throw new FileNotFoundException(name);
        return JsonSerializer.Deserialize<T>(stream, Json)!;
    }
}
