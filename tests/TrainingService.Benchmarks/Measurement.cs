using TrainingService.Engine.Training;

namespace TrainingService.Benchmarks;

/// <summary>
/// Whole training steps of one net: gather, forward, loss, backward, update, with the counters that diagnostics keep at every step.
/// </summary>
/// <param name="SecondsPerStep">Median over chunks of about 30 ms.</param>
/// <param name="Peak">Median FLOP/s of pure multiply-adds between the chunks; of one core.</param>
/// <param name="AllocatedBytesPerStep">Managed bytes.</param>
internal sealed record Measurement(double SecondsPerStep, double Peak, double AllocatedBytesPerStep)
{
    private const double ChunkSeconds = 0.03;

    public static Measurement Of(Net net, RunPlan plan, int threads, double seconds)
    {
        using var trainer = new Trainer(plan, net.Data(), threads);
        using var done = new CancellationTokenSource();
        Func<double> now = threads == 1 ? Clock.Cpu : Clock.Wall;
        var (chunks, peaks) = (new List<double>(4096), new List<double>(4096));
        long steps = 0, allocated = 0, counted = 0, before = 0;
        double begin = 0, end = Clock.Wall() + seconds + 0.2, warm = Clock.Wall() + 0.2;
        long look = 1;
        trainer.AfterStep = () =>
        {
            // the clock is a call into the kernel, as long as a tenth of a tiny network's step: it is asked about every 0.3 ms
            if (++steps < look)
                return;
            var elapsed = now() - begin;
            if (elapsed < ChunkSeconds)
            {
                look = steps + Math.Max(1, (long)(steps * ChunkSeconds / 100 / elapsed));
                return;
            }
            if (begin > 0 && Clock.Wall() > warm)
            {
                chunks.Add(elapsed / steps);
                allocated += GC.GetAllocatedBytesForCurrentThread() - before;
                counted += steps;
            }
            if (Clock.Wall() > end)
                done.Cancel();
            peaks.Add(Clock.Peak());
            (steps, look) = (0, 1);
            before = GC.GetAllocatedBytesForCurrentThread();
            begin = now();
        };
        try
        {
            trainer.Run(done.Token);
        }
        catch (OperationCanceledException)
        {
        }
        return new(Clock.Median(chunks), Clock.Median(peaks), (double)allocated / counted);
    }
}
