using System.Collections.Concurrent;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Http;

namespace TrainingService.Host.Datasets;

/// <summary>Where the fetching of a data set's files stands.</summary>
public enum PullStatus
{
    /// <summary>Files are on their way.</summary>
    Running,

    /// <summary>All files are here; jobs can use the data set.</summary>
    Succeeded,

    /// <summary>It ended early; <c>message</c> says why. What has arrived is kept, and the next pull goes on from there.</summary>
    Failed,
}

/// <summary>The fetching of a data set's files to the machine of this API.</summary>
/// <param name="Dataset">The data set's name.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Message">Why it failed, or that there was nothing to do.</param>
/// <param name="File">The file that is on its way.</param>
/// <param name="FileNumber">Its number, from 1.</param>
/// <param name="Files">Files of the data set.</param>
/// <param name="Bytes">Bytes of the file that have arrived.</param>
/// <param name="TotalBytes">Bytes that the file has; left out where the source doesn't say.</param>
/// <param name="StartedAt">When it was asked for.</param>
/// <param name="FinishedAt">When it ended.</param>
public sealed record PullDetails(string Dataset, PullStatus Status, string? Message, string? File, int? FileNumber, int? Files, long? Bytes,
    long? TotalBytes, DateTimeOffset StartedAt, DateTimeOffset? FinishedAt)
{
    [JsonIgnore]
    public bool IsRunning => Status == PullStatus.Running;
}

/// <summary>The pulls of this process, at most one a data set at a time.</summary>
public sealed class DatasetPulls(DatasetSource source, TimeProvider clock, IHostApplicationLifetime life)
{
    private readonly ConcurrentDictionary<string, PullDetails> _pulls = [];
    private readonly Lock _lock = new();

    /// <summary>Null where none was asked for.</summary>
    public PullDetails? Find(string name) => _pulls.GetValueOrDefault(name);

    /// <summary>Begins one unless one runs.</summary>
    public PullDetails Start(MnistFamily dataset, string from)
    {
        lock (_lock)
        {
            if (Find(dataset.Name) is { IsRunning: true } running)
                return running;
            var started = new PullDetails(dataset.Name, PullStatus.Running, null, null, null, dataset.Published.Count, null, null,
                clock.GetUtcNow(), null);
            _pulls[dataset.Name] = started;
            _ = Task.Run(() => RunAsync(dataset, from, started));
            return started;
        }
    }

    public PullDetails NothingToDo(MnistFamily dataset)
    {
        var now = clock.GetUtcNow();
        return _pulls[dataset.Name] = new(dataset.Name, PullStatus.Succeeded, "its files are there already", null, null,
            dataset.Published.Count, null, null, now, now);
    }

    /// <summary>Why nothing can be pulled; null if it can.</summary>
    public string? Obstacle => source.Source is null ? "no source of data sets is configured: the operator sets TRAINING_DATASETS_SOURCE "
        + "to an address or a folder that has the files" : null;

    public string Source => source.Source ?? throw new InvalidOperationException(Obstacle);

    private async Task RunAsync(MnistFamily dataset, string from, PullDetails started)
    {
        string? message = null;
        try
        {
            var pull = new DatasetPull(from, now => _pulls[dataset.Name] = started with
            {
                File = now.File,
                FileNumber = now.Number,
                Bytes = now.Bytes,
                TotalBytes = now.Total,
            });
            await pull.RunAsync(dataset.Name, dataset.Published, dataset.Folder, life.ApplicationStopping);
            message = dataset.FindObstacle();
        }
        catch (Exception e) when (e is PullException or OperationCanceledException)
        {
            message = e is PullException ? e.Message : "the service was stopped; what has come is kept, and the next pull goes on from "
                + "there";
        }
        _pulls[dataset.Name] = (Find(dataset.Name) ?? started) with
        {
            Status = message is null ? PullStatus.Succeeded : PullStatus.Failed,
            Message = message,
            FinishedAt = clock.GetUtcNow(),
        };
    }
}

public static class PullDataset
{
    /// <summary>Fetch a data set's files</summary>
    /// <remarks>
    /// For data sets whose files don't come with the service: fashion-mnist, kmnist and mnist. They are fetched from the source that the
    /// operator has set (<c>TRAINING_DATASETS_SOURCE</c>) into the data folder of this API's machine, which workers share, and nowhere
    /// else; a file counts once its SHA-256 is right. What is cut off goes on where it ended. Files that are there already, as those of a
    /// Debian package, are not fetched again.
    /// </remarks>
    /// <param name="name">The data set's name.</param>
    /// <response code="200">Its files are there already.</response>
    /// <response code="202">They are being fetched; `Location` tells how far.</response>
    /// <response code="409">The data set has no files to fetch, or no source is configured.</response>
    public static Results<Ok<PullDetails>, Accepted<PullDetails>, ProblemHttpResult> Handle(string name, HttpContext http,
        DatasetRegistry datasets, DatasetPulls pulls)
    {
        if (datasets.Find(name) is not { } found)
            return Problems.NotFound(datasets.Unknown(name));
        if (found is not MnistFamily dataset)
            return Problems.Conflict($"'{name}' is there whole: it has no files to fetch");
        if (dataset.FindObstacle() is null)
            return TypedResults.Ok(pulls.NothingToDo(dataset));
        if (pulls.Obstacle is { } obstacle)
            return Problems.Conflict(obstacle);
        http.Response.Headers.RetryAfter = "1";
        return TypedResults.Accepted($"{DatasetRoutes.Root}/{name}/pull", pulls.Start(dataset, pulls.Source));
    }
}

public static class GetPull
{
    /// <summary>See how far the fetching of a data set's files has come</summary>
    /// <remarks>Since this API was started; Retry-After says when to ask again.</remarks>
    /// <param name="name">The data set's name.</param>
    /// <response code="200">The fetching.</response>
    public static Results<Ok<PullDetails>, ProblemHttpResult> Handle(string name, HttpContext http, DatasetRegistry datasets,
        DatasetPulls pulls)
    {
        if (pulls.Find(name) is not { } pull)
            return Problems.NotFound(datasets.Find(name) is null ? datasets.Unknown(name)
                : $"nobody has asked for the files of '{name}' since this API was started: POST {DatasetRoutes.Root}/{name}/pull");
        if (pull.IsRunning)
            http.Response.Headers.RetryAfter = "1";
        return TypedResults.Ok(pull);
    }
}
