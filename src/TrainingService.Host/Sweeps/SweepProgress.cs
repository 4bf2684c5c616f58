using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// Takes a sweep on when all its jobs have ended: from tuning to the cells that are compared, to a look at them, to more seeds where it
/// runs until decided, and to its end.
/// </summary>
public sealed class SweepProgress(IDbContextFactory<TrainingDbContext> databases, SweepRules rules, JobRules jobRules,
    KnownStudies studies, WakeUps wakeUps, TimeProvider clock, ILogger<SweepProgress> log)
{
    /// <summary>Released when the last job of a sweep has ended here for which its study is to measure something.</summary>
    public SemaphoreSlim Owed { get; } = new(0);

    /// <summary>
    /// Whoever ends a job of the sweep calls this afterwards. It may be called at any time and by several at once:
    /// the row's lock lets one decide.
    /// </summary>
    public async Task AdvanceAsync(Guid id, CancellationToken cancellation)
    {
        // whoever's request it was that ended the job
        using var all = View.Enter(View.Everything);
        await using var db = await databases.CreateDbContextAsync(cancellation);
        if (await HasUnfinishedJobs(db, id, cancellation))
            return;
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        if (await db.LockSweepAsync(id, cancellation) is not { FinishedAt: null } sweep || await HasUnfinishedJobs(db, id, cancellation))
            return;
        IReadOnlyList<Job> jobs = [];
        IReadOnlyList<CellResult>? cells = null;
        while (sweep.Status is not JobStatus.Canceling && sweep.FinishedAt is null)
        {
            jobs = await AddDueAsync(db, sweep, cancellation);
            // Cells that all share jobs which have ended are outcomes, too.
            if (jobs.Count > 0 || sweep.FinishedAt is not null)
                break;
            cells = sweep.Spec.Contrasts.Count == 0 ? null
                : await SweepCells.ReadAsync(db, sweep, cancellation,
                    sweep.Spec.By.Outcome.HigherIsBetter is null ? LayerRows.FirstAndLast : LayerRows.None);
            if (cells is null || !await LookAsync(db, sweep, cells, cancellation))
                break;
        }
        if (jobs.Count == 0 && sweep.FinishedAt is null)
        {
            if (sweep.Status is JobStatus.Canceling)
                (sweep.Status, sweep.FinishedAt) = (JobStatus.Canceled, clock.GetUtcNow());
            // SweepMeasuring calls again when it is done
            else if (!studies.Owes(sweep))
                End(sweep, cells ??= await SweepCells.ReadAsync(db, sweep, cancellation, LayerRows.None));
        }
        var kept = cells is not null && sweep is { Status: JobStatus.Succeeded, Spec.KeepBest: true }
            ? await BestArm.KeepAsync(db, sweep, cells, jobRules, clock, cancellation) : null;
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        wakeUps.Add(jobs);
        if (kept is not null)
            wakeUps.Add(kept);
        if (jobs.Count == 0 && sweep.FinishedAt is null)
            Owed.Release();
    }

    /// <summary>Sweeps that nothing takes on any more, because whoever should have has died.</summary>
    public async Task AdvanceForgottenAsync(CancellationToken cancellation)
    {
        await using var db = await databases.CreateDbContextAsync(cancellation);
        var forgotten = await db.Sweeps.Where(
            sweep => sweep.FinishedAt == null && !db.Set<Job>().Any(job => job.SweepId == sweep.Id && job.FinishedAt == null))
            .Select(sweep => sweep.Id).ToListAsync(cancellation);
        foreach (var id in forgotten)
            await AdvanceAsync(id, cancellation);
    }

    private async Task<IReadOnlyList<Job>> AddDueAsync(TrainingDbContext db, Sweep sweep, CancellationToken cancellation)
    {
        var existing = await db.SweepCells.AsNoTracking().Where(cell => cell.SweepId == sweep.Id).ToListAsync(cancellation);
        try
        {
            var results = sweep.Spec.Tune is null ? [] : await SweepCells.ReadAsync(db, sweep, cancellation);
            return await SweepCells.AddDueAsync(db, sweep, existing, rules, clock, Tuning.Chooser(sweep.Spec, results), cancellation);
        }
        catch (InvalidOperationException e)
        {
            log.LogError(e, "Sweep {Sweep} can't go on.", sweep.Id);
            (sweep.Status, sweep.ErrorCode, sweep.ErrorMessage, sweep.FinishedAt) =
                (JobStatus.Failed, "invalid_spec", e.Message, clock.GetUtcNow());
            return [];
        }
    }

    /// <summary>
    /// Looks at what there is. A look and the seeds that it asks for are stored in one transaction: who dies before its end has not looked,
    /// and who comes later looks at the same.
    /// </summary>
    /// <returns>Whether there are more seeds now.</returns>
    private async Task<bool> LookAsync(TrainingDbContext db, Sweep sweep, IReadOnlyList<CellResult> cells, CancellationToken cancellation)
    {
        var before = sweep.Spec.Seeds.Count;
        var began = await db.Jobs.Where(job => job.SweepId == sweep.Id).MinAsync(job => job.StartedAt, cancellation);
        var now = clock.GetUtcNow();
        sweep.Spec = SweepLooks.After(sweep.Spec, cells, now, began is { } start ? now - start : TimeSpan.Zero, mayGrow: !sweep.Extended);
        return sweep.Spec.Seeds.Count > before;
    }

    /// <summary>A diverged run is an outcome: it says something about its arm.</summary>
    private void End(Sweep sweep, IReadOnlyList<CellResult> cells)
    {
        var outcomes = cells.Any(cell => cell is { Candidate: < 0, HasOutcome: true });
        (sweep.Status, sweep.FinishedAt) = (outcomes ? JobStatus.Succeeded : JobStatus.Failed, clock.GetUtcNow());
        (sweep.ErrorCode, sweep.ErrorMessage) = outcomes ? (null, null)
            : ("no_outcome", "No cell ended with an outcome: all failed or were canceled. "
                + "GET .../jobs?status=failed tells why each did; POST .../retry-failed runs them again.");
    }

    private static Task<bool> HasUnfinishedJobs(TrainingDbContext db, Guid id, CancellationToken cancellation) =>
        db.Jobs.AnyAsync(job => job.SweepId == id && job.FinishedAt == null, cancellation);
}
