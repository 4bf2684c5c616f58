using System.Globalization;
using TrainingService.Engine.Data;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Models;

/// <summary>
/// A short run once more, to see its net at moments of which nothing was stored: equal plan and data give equal weights, bit for bit.
/// </summary>
public static class Replay
{
    /// <summary>Seconds that a run may have taken which a request repeats, measurements included.</summary>
    private const double MostSeconds = 3;

    /// <summary>Numbers of a net that is trained, or set to a checkpoint, to be looked at.</summary>
    public const long MostParameters = 1_000_000;

    /// <summary>One at a time in this process, which has others to answer.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>Why a run would take too long, a sentence; null if it wouldn't.</summary>
    public static string? Obstacle(TrainingResult result) =>
        result.Seconds <= MostSeconds && result.ParameterCount <= MostParameters ? null
            : string.Create(CultureInfo.InvariantCulture, $"The run took {result.Seconds:0.#} s and its net has "
                + $"{result.ParameterCount:N0} parameters: how it came there is found by training it once more, which is done for runs of "
                + $"up to {MostSeconds:0} s with up to {MostParameters:N0} parameters.");

    /// <summary>
    /// Shows the net at so many moments, the denser the earlier. False if this run ended with other weights than the source's.
    /// </summary>
    public static async Task<bool> RunAsync(ModelSource source, RunPlan plan, TrainingData data, int moments, Action<long, TrainedNet> show,
        CancellationToken cancellation)
    {
        var last = source.Result.WeightsStep ?? plan.Steps;
        HashSet<long> steps = [.. Enumerable.Range(1, moments - 2)
            .Select(i => (long)Math.Round(last * Math.Pow(i / (moments - 1.0), 2)))];
        await Turn.WaitAsync(cancellation);
        try
        {
            using var trainer = new Trainer(plan, data, cancellation: cancellation);
            Show(0);
            trainer.AfterStep = () =>
            {
                if (trainer.Progress.Step is > 0 and var step && step < last && steps.Contains(step))
                    Show(step);
            };
            var result = trainer.Run(cancellation);
            Show(last);
            return result.WeightsSha256 == source.Result.WeightsSha256;

            void Show(long step)
            {
                using var net = trainer.Net();
                show(step, net);
            }
        }
        finally
        {
            Turn.Release();
        }
    }
}
