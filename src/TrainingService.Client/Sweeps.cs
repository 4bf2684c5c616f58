using System.Text.Json;

namespace TrainingService.Client;

public sealed partial class SweepsClient
{
    /// <summary>Submits a sweep, waits until it has ended, and answers with what it has shown.</summary>
    /// <param name="spec">The job to vary, the arms, the seeds.</param>
    /// <param name="progress">Told of each change.</param>
    /// <param name="cancellation">Ends the waiting; the sweep goes on unless it is canceled, too.</param>
    /// <exception cref="TrainingProblemException">The service refused it.</exception>
    /// <exception cref="TrainingFailedException">It failed or was canceled.</exception>
    public async Task<SweepReport> RunAsync(SweepSpec spec, IProgress<SweepResponse>? progress = null,
        CancellationToken cancellation = default) =>
        await ReportAsync(await CreateAsync(spec, cancellation).ConfigureAwait(false), progress, cancellation).ConfigureAwait(false);

    /// <summary>Waits until a sweep has ended, however it did.</summary>
    public Task<SweepResponse> WaitAsync(Guid id, IProgress<SweepResponse>? progress = null, CancellationToken cancellation = default) =>
        Following(id).EndAsync(progress, cancellation);

    /// <summary>The sweep as it is now, and each time that it has changed, until it has ended.</summary>
    public IAsyncEnumerable<SweepResponse> FollowAsync(Guid id, CancellationToken cancellation = default) =>
        Following(id).ChangesAsync(cancellation);

    private Follow<SweepResponse> Following(Guid id) =>
        new(_connection, $"api/v1/sweeps/{id}", null, sweep => sweep.HasEnded, (sweep, kind, data) => sweep.After(kind, data));

    internal async Task<SweepReport> ReportAsync(SweepResponse sweep, IProgress<SweepResponse>? progress, CancellationToken cancellation)
    {
        var ended = await WaitAsync(sweep.Id, progress, cancellation).ConfigureAwait(false);
        return ended.Status == JobStatus.Succeeded ? await GetReportAsync(sweep.Id, cancellation).ConfigureAwait(false)
            : throw new TrainingFailedException(ended);
    }
}

public sealed partial class StudiesClient
{
    /// <summary>Runs a study, waits until it has ended, and answers with what it has shown: answer, claims, evidence.</summary>
    /// <param name="name">The study's name, such as <c>relu-vs-leaky-relu</c>.</param>
    /// <param name="spec">How to run it; null for a quick one.</param>
    /// <param name="progress">Told of each change.</param>
    /// <param name="cancellation">Ends the waiting; the study's sweep goes on unless it is canceled, too.</param>
    /// <exception cref="TrainingProblemException">The service refused it.</exception>
    /// <exception cref="TrainingFailedException">It failed or was canceled.</exception>
    public async Task<SweepReport> ReportAsync(string name, StudySpec? spec = null, IProgress<SweepResponse>? progress = null,
        CancellationToken cancellation = default) =>
        await new SweepsClient(_connection).ReportAsync(await RunAsync(name, spec, cancellation).ConfigureAwait(false), progress,
            cancellation).ConfigureAwait(false);
}

public sealed partial record SweepResponse
{
    /// <summary>Whether it has succeeded, failed or been canceled.</summary>
    public bool HasEnded => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    /// <summary>How it is after an event; null if that is old, or if all there is to know of it is asked for.</summary>
    internal SweepResponse? After(string kind, JsonElement data)
    {
        if (kind != "cells" || data.GetProperty("counts").Deserialize<SweepCounts>(ClientJson.Options) is not { } counts
            || counts == Counts)
            return null;
        var finished = counts.Succeeded + counts.Failed + counts.Canceled;
        var total = finished + counts.Queued + counts.Running + counts.Canceling + counts.Paused;
        var most = Math.Max(Progress.AtMost, total);
        return this with
        {
            Counts = counts,
            Status = Status == JobStatus.Queued && finished + counts.Running > 0 ? JobStatus.Running : Status,
            Progress = Progress with
            {
                Finished = finished,
                Total = total,
                AtMost = most,
                Fraction = most == 0 ? 0 : (double)finished / most,
            },
        };
    }
}
