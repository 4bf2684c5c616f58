using TrainingService.Host.Data;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// Takes sweeps on that were left behind by a process that died after the end of their last job. Runs beside the workers.
/// </summary>
public sealed class SweepReconciler(SweepProgress sweeps, ILogger<SweepReconciler> log) : BackgroundService
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Period);
        do
        {
            try
            {
                await sweeps.AdvanceForgottenAsync(stoppingToken);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.LogError(Database.IsOutage(e) ? null : e,
                    "Forgotten sweeps could not be taken on ({Message}); trying again.", e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
