using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Jobs;

/// <summary>What a client asks for. Only the dataset is required; stored with every default filled in.</summary>
public sealed record JobSpec
{
    /// <summary>A name for people, at most 200 characters.</summary>
    [Length(1, JobRules.MaxName)]
    public string? Name { get; init; }

    /// <summary>The data, by name or as an object.</summary>
    public required DatasetSpec Dataset { get; init; }

    /// <summary>The network.</summary>
    public ModelSpec? Model { get; init; }

    /// <summary>How it is trained.</summary>
    public TrainingSpec? Training { get; init; }

    /// <summary>When and how the layers are measured.</summary>
    public DiagnosticsSpec? Diagnostics { get; init; }

    /// <summary><c>high</c>, <c>normal</c> (default) or <c>low</c>.</summary>
    [OneOf("high", "normal", "low", Default = "normal")]
    public string? Priority { get; init; }

    /// <summary>Wall seconds of training after which the job fails with <c>timeout</c>, 1 to 604,800. Default 3600.</summary>
    [Within(1, 604_800, Default = 3600)]
    public int? TimeoutSeconds { get; init; }

    /// <summary>Free key-value pairs to find jobs by; at most 32, keys up to 63 and values up to 255 characters.</summary>
    public IReadOnlyDictionary<string, string>? Labels { get; init; }

    /// <summary>
    /// Keep the trained net, for predictions and download, until it is retired by age or size or the job is deleted. Default true,
    /// in sweeps false.
    /// </summary>
    [Any(Default = true)]
    public bool? StoreWeights { get; init; }

    /// <summary>
    /// Who may read the job beside its owner and admins: <c>private</c> (default) or <c>everyone</c> who has a key. Answers have it beside
    /// <c>spec</c>; <c>PATCH</c> changes it.
    /// </summary>
    public Visibility? Visibility { get; init; }

    /// <summary>
    /// Address that is told when the job ends, and each time it does (Standard Webhooks): http or https, not of a private network.
    /// Answers have it beside <c>spec</c>, for its owner; clones have none unless they are given one.
    /// </summary>
    [Any(Examples = ["https://example.org/hooks/training"])]
    public string? NotifyUrl { get; init; }
}
