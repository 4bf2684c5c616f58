using System.Buffers.Binary;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// Does what studies measure beside the trainings, between the end of a sweep's last job and that of the sweep. Runs beside the workers,
/// since it takes up to minutes, and outside any transaction: a sweep can be canceled meanwhile.
/// </summary>
public sealed class SweepMeasuring(IDbContextFactory<TrainingDbContext> databases, KnownStudies studies,
    SweepProgress sweeps, TimeProvider clock, ILogger<SweepMeasuring> log) : BackgroundService
{
    /// <summary>Between looks for sweeps whose last job ended elsewhere, or before this process began.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    /// <summary>Between looks whether the sweep that is measured was canceled.</summary>
    private static readonly TimeSpan Glance = TimeSpan.FromSeconds(3);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await MeasureOwedAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogError(Database.IsOutage(e) ? null : e,
                    "What studies measure is not stored ({Message}); trying again.", e.GetBaseException().Message);
            }
            await sweeps.Owed.WaitAsync(Period, stoppingToken);
        }
    }

    /// <summary>Measures for all sweeps that wait for it and that no other worker measures for.</summary>
    public async Task MeasureOwedAsync(CancellationToken cancellation)
    {
        if (studies.Measuring.Count == 0)
            return;
        await using var db = await databases.CreateDbContextAsync(cancellation);
        foreach (var sweep in await Owing(db).AsNoTracking().OrderBy(sweep => sweep.Id).ToListAsync(cancellation))
            await MeasureAsync(sweep, cancellation);
    }

    private IQueryable<Sweep> Owing(TrainingDbContext db) =>
        db.Sweeps.Where(sweep => sweep.FinishedAt == null && sweep.Status != JobStatus.Canceling
            && sweep.Measured == null && sweep.Study != null && studies.Measuring.Contains(sweep.Study)
            && !db.Set<Job>().Any(job => job.SweepId == sweep.Id && job.FinishedAt == null));

    private async Task MeasureAsync(Sweep sweep, CancellationToken cancellation)
    {
        // Other workers see by this connection's lock that it is being done. Postgres drops the lock with a process that dies,
        // and with one that asks nothing any more.
        await using var db = await databases.CreateDbContextAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        var key = BinaryPrimitives.ReadInt64LittleEndian(sweep.Id.ToByteArray().AsSpan(8));
        if (!await db.Database.SqlQuery<bool>($"""SELECT pg_try_advisory_lock({key}) AS "Value" """).SingleAsync(cancellation))
            return;
        try
        {
            await db.Database.ExecuteSqlAsync($"SET idle_session_timeout = '15s'", cancellation);
            if (await WhileOwedAsync(db, sweep, cancellation) is { } measured)
            {
                await Owing(db).Where(s => s.Id == sweep.Id).ExecuteUpdateAsync(measured, cancellation);
                await sweeps.AdvanceAsync(sweep.Id, cancellation);
            }
        }
        finally
        {
            // The connection goes back to a pool, where it may lie idle. A lost one has neither lock nor setting.
            if (db.Database.GetDbConnection().State == System.Data.ConnectionState.Open)
                await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_unlock({key}), set_config('idle_session_timeout', '0', false)",
                    CancellationToken.None);
        }
    }

    /// <summary>
    /// What is to be stored: the measurement, or that it failed. Null once nobody wants it any more: the sweep was canceled, or is gone.
    /// </summary>
    private async Task<Action<UpdateSettersBuilder<Sweep>>?> WhileOwedAsync(TrainingDbContext db, Sweep sweep,
        CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var measuring = Task.Factory.StartNew(() => studies.Measure(sweep, stop.Token),
            stop.Token, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        try
        {
            while (!measuring.IsCompleted)
            {
                if (!await Owing(db).AnyAsync(s => s.Id == sweep.Id, cancellation))
                    return null;
                await Task.WhenAny(measuring, Task.Delay(Glance, clock, cancellation));
            }
            var json = await measuring;
            return set => set.SetProperty(s => s.Measured, json);
        }
        catch (Exception e) when (measuring.IsFaulted)
        {
            log.LogError(e, "Sweep {Sweep}: what the study {Study} measures beside the trainings can't be measured.", sweep.Id,
                sweep.Study);
            DateTimeOffset? now = clock.GetUtcNow();
            return set => set.SetProperty(s => s.Status, JobStatus.Failed).SetProperty(s => s.FinishedAt, now)
                .SetProperty(s => s.ErrorCode, "measurement_failed").SetProperty(s => s.ErrorMessage, e.Message);
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAny(measuring);
        }
    }
}
