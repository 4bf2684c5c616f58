using System.Runtime.CompilerServices;
using System.Text.Json;

namespace TrainingService.Client;

public sealed partial class JobsClient
{
    /// <summary>Submits a job, waits until it has ended, and answers with it and its result.</summary>
    /// <param name="spec">What to train; only <c>Dataset</c> is required.</param>
    /// <param name="progress">Told of each change.</param>
    /// <param name="cancellation">Ends the waiting; the job goes on unless it is canceled, too.</param>
    /// <exception cref="TrainingProblemException">The service refused it.</exception>
    /// <exception cref="TrainingFailedException">It failed or was canceled.</exception>
    public async Task<JobResponse> RunAsync(JobSpec spec, IProgress<JobResponse>? progress = null, CancellationToken cancellation = default)
    {
        var job = await CreateAsync(spec, cancellation).ConfigureAwait(false);
        var ended = await WaitAsync(job.Id, progress, cancellation).ConfigureAwait(false);
        return ended.Status == JobStatus.Succeeded ? ended : throw new TrainingFailedException(ended);
    }

    /// <summary>Waits until a job has ended, however it did.</summary>
    public Task<JobResponse> WaitAsync(Guid id, IProgress<JobResponse>? progress = null, CancellationToken cancellation = default) =>
        Following(id).EndAsync(progress, cancellation);

    /// <summary>The job as it is now, and each time that it has changed, until it has ended.</summary>
    public IAsyncEnumerable<JobResponse> FollowAsync(Guid id, CancellationToken cancellation = default) =>
        Following(id).ChangesAsync(cancellation);

    private Follow<JobResponse> Following(Guid id) =>
        new(_connection, $"api/v1/jobs/{id}", "status,progress,done", job => job.HasEnded, (job, kind, data) => job.After(kind, data));

    /// <summary>All jobs, page by page as they are read.</summary>
    /// <param name="page">How a page is read: <c>cursor => client.Jobs.ListAsync(dataset: "digits", cursor: cursor)</c>.</param>
    /// <param name="cancellation">Ends it.</param>
    public static async IAsyncEnumerable<JobResponse> AllAsync(Func<string?, Task<PageOfJobResponse>> page,
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        string? cursor = null;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            var read = await page(cursor).ConfigureAwait(false);
            foreach (var job in read.Items)
                yield return job;
            cursor = read.NextCursor;
        }
        while (cursor is not null);
    }
}

public sealed partial class MetricsClient
{
    /// <summary>Every measurement of a job up to now, row by row as it is read, none left out and never all in memory.</summary>
    public IAsyncEnumerable<MetricRow> StreamAsync(Guid jobId, CancellationToken cancellation = default) =>
        RowsAsync<MetricRow>($"api/v1/jobs/{jobId}/metrics", cancellation);

    private async IAsyncEnumerable<T> RowsAsync<T>(string path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var stream = await _connection.StreamAsync(path, "application/x-ndjson", cancellation).ConfigureAwait(false);
        await using var open = stream.ConfigureAwait(false);
        using var lines = new StreamReader(stream);
        while (await lines.ReadLineAsync(cancellation).ConfigureAwait(false) is { } line)
            if (line.Length > 0 && JsonSerializer.Deserialize<T>(line, ClientJson.Options) is { } row)
                yield return row;
    }
}

public sealed partial record JobResponse
{
    /// <summary>Whether it has succeeded, failed or been canceled.</summary>
    public bool HasEnded => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    /// <summary>How it is after an event; null if that is old, or if all there is to know of it is asked for.</summary>
    internal JobResponse? After(string kind, JsonElement data)
    {
        var now = kind switch
        {
            "progress" when data.Deserialize<JobProgress>(ClientJson.Options) is { } progress => this with { Progress = progress },
            "status" when data.Deserialize<StatusEvent>(ClientJson.Options) is { } status && status.Attempt >= Attempt =>
                this with { Status = status.Status, Attempt = status.Attempt },
            _ => this,
        };
        return now == this || now.HasEnded ? null : now;
    }

    private sealed record StatusEvent(JobStatus Status, int Attempt);
}

/// <summary>What was measured at a step; null what was not.</summary>
public sealed record MetricRow(long Step, double Epoch, Split Split, double? Loss, double? Penalty, double? Accuracy, double? Rmse,
    double? R2, double? LearningRate, double? GradientNorm);
