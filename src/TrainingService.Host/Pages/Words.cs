using System.Text.Json;
using System.Text.Json.Nodes;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Pages;

/// <summary>Jobs and sweeps in few words.</summary>
public static class Words
{
    private const int MostWidths = 4;

    private static readonly JsonSerializerOptions Indented = new(Json.Options) { WriteIndented = true };

    public static string NameOf(JobResponse job) => job.Name ?? $"{DataOf(job)}, {NetOf(job.Spec)}";

    public static string NameOf(SweepResponse sweep) => sweep.Study is { } study && StudyCatalog.Find(study) is { } found
        ? $"{found.Question} ({sweep.Size}, {DataOf(sweep)})" : sweep.Name ?? $"Sweep on {DataOf(sweep)}";

    public static string DataOf(JobResponse job) => job.Spec?.Dataset.Name ?? "";

    public static string DataOf(SweepResponse sweep) => sweep.Spec?.Base.Dataset.Name ?? "";

    public static int ArmsOf(SweepResponse sweep) => sweep.Spec?.Arms?.Count ?? 0;

    /// <summary>"256–128 relu": widths of the hidden layers, and the activation.</summary>
    public static string NetOf(JobSpec? spec)
    {
        if (spec is null)
            return "";
        var widths = spec.Model?.HiddenLayers ?? [.. Dense(spec.Model?.Layers ?? []).Select(layer => layer.Units ?? 0)];
        var activation = spec.Model?.Activation?.Name
            ?? Dense(spec.Model?.Layers ?? []).Select(layer => layer.Activation?.Name).FirstOrDefault(name => name is not null);
        return $"{WidthsOf(widths)} {activation}".Trim();
    }

    /// <summary>What came out, by the rows that nothing was chosen on: an accuracy, or R² where a number is predicted.</summary>
    public static string ScoreOf(TrainingResult? result) => result switch
    {
        { TestAccuracy: { } accuracy } => Numbers.Percent(accuracy),
        { ValidationAccuracy: { } accuracy } => Numbers.Percent(accuracy),
        { TestR2: { } r2 } => $"R² {Numbers.Short(r2)}",
        { ValidationR2: { } r2 } => $"R² {Numbers.Short(r2)}",
        _ => "–",
    };

    public static string JsonOf<T>(T value) => JsonSerializer.Serialize(value, Indented);

    public static string JsonOf(JsonNode node) => node.ToJsonString(Indented);

    private static string WidthsOf(IReadOnlyList<int> widths) => widths switch
    {
        [] => "linear",
        [var first, _, ..] when widths.All(width => width == first) => $"{widths.Count} × {first}",
        { Count: > MostWidths } => $"{widths.Count} layers",
        _ => string.Join("–", widths),
    };

    private static IEnumerable<LayerSpec> Dense(IEnumerable<LayerSpec> layers) =>
        layers.SelectMany(layer => layer.Layers is { } inner ? Dense(inner) : layer.Type == "dense" ? [layer] : []);
}
