using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Pages;

/// <summary>What runs, what waits, and what was answered last.</summary>
public sealed record Overview(IReadOnlyList<JobResponse> Running, IReadOnlyList<JobResponse> Waiting, int WaitingInAll,
    IReadOnlyList<JobResponse> Ended, IReadOnlyList<SweepResponse> Sweeps, IReadOnlyList<StudyResponse> Studies, int Workers)
{
    public bool IsEmpty => Running.Count + Waiting.Count + Ended.Count + Sweeps.Count == 0;

    public IReadOnlyList<SweepResponse> Asking => [.. Sweeps.Where(sweep => !sweep.IsFinished)];

    public IReadOnlyList<SweepResponse> Answered => [.. Sweeps.Where(sweep => sweep.IsFinished)];
}

public static class ShowHome
{
    private const int Most = 6;

    public static async Task<IResult> Handle(TrainingDbContext db, DatasetRegistry datasets, KnownStudies studies,
        CancellationToken cancellation)
    {
        async Task<(IReadOnlyList<JobResponse> Jobs, int Total)> Jobs(bool total, params string[] status)
        {
            var filter = new JobFilter { Status = status, SweepId = "none", Limit = Most, Total = total, Fields = "spec" };
            var found = await ListJobs.Handle(filter, db, datasets, cancellation);
            return found.Result is Ok<Http.Page<JobResponse>> { Value: { } page } ? (page.Items, page.Total ?? 0) : ([], 0);
        }
        var sweeps = await ListSweeps.Handle(Most, null, null, null, null, null, "spec", db, studies, cancellation);
        var waiting = await Jobs(true, "queued", "paused");
        return new PageResult<HomePage>(new()
        {
            [nameof(HomePage.Overview)] = new Overview(
                (await Jobs(false, "running", "canceling", "pausing")).Jobs, waiting.Jobs, waiting.Total,
                (await Jobs(false, "succeeded", "failed", "canceled")).Jobs,
                sweeps.Result is Ok<Http.Page<SweepResponse>> { Value: { } page } ? page.Items : [],
                ListStudies.Handle(datasets).Value?.Items ?? [],
                await QueuePositions.WorkersAsync(db, cancellation)),
        });
    }
}
