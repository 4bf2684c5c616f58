using Hangfire.Server;
using Hangfire.States;

namespace TrainingService.Host.Worker;

/// <summary>
/// The entry of Hangfire's queue that work is done for, as its dashboard shows it. Work that began ahead of it has none before a worker
/// that fetched one joins it (<see cref="HeadStart"/>).
/// </summary>
public sealed class HangfireEntry
{
    private volatile Call? _call;

    /// <summary>Hangfire carries out this one for it from now on.</summary>
    /// <param name="context">Its own; null where nothing is shown.</param>
    /// <param name="abort">Set when the process shuts down, and soon after the entry is no longer this call's own.</param>
    public void Join(PerformContext? context, CancellationToken abort) => _call = context is null ? null : new(context, abort);

    public bool IsJoined => _call is not null;

    /// <summary>
    /// Whether it was deleted on the dashboard while a job runs: then that job is to stop. Hangfire also aborts when it believes the entry
    /// lost, as after an outage; that is no reason, the lease alone says whose job it is.
    /// </summary>
    public bool IsDeleted()
    {
        if (_call is not { Abort.IsCancellationRequested: true } call)
            return false;
        using var storage = call.Context.Storage.GetConnection();
        return storage.GetStateData(call.Context.BackgroundJob.Id)?.Name == DeletedState.StateName;
    }

    /// <summary>Which job is run for it.</summary>
    public void Show(Guid job) => _call?.Context.SetJobParameter("Runs", job);

    private sealed record Call(PerformContext Context, CancellationToken Abort);
}
