using System.Text.Json.Serialization;
using MathNet.Numerics.Statistics;

namespace TrainingService.Host.Statistics;

/// <summary>An arm by itself.</summary>
public sealed record ArmSummary
{
    /// <summary>Runs that finished; the mean and what follows it are over these.</summary>
    public required int N { get; init; }

    /// <summary>Runs that diverged.</summary>
    public required int Diverged { get; init; }

    /// <summary>95 % interval of the share that diverges, by Wilson's method; null without a run.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double[]? DivergedCi95 { get; init; }

    /// <summary>Mean over the seeds; null if no run finished.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? Mean { get; init; }

    /// <summary>Standard deviation over the seeds; null below two.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? Sd { get; init; }

    /// <summary>
    /// 95 % interval of the mean, by the same method as that of the differences; null below two seeds, or where all values are one
    /// and the same and so tell nothing of how others would vary.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double[]? Ci95 { get; init; }

    /// <summary>Median over the seeds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required double? Median { get; init; }

    /// <summary>Of shares, whose interval ends at 0 and 1.</summary>
    public ArmSummary OfShares() => this with { Ci95 = Ci95?.Select(end => Math.Clamp(end, 0, 1)).ToArray() };

    /// <param name="values">One value per seed, not finite where the run diverged.</param>
    /// <param name="testToTrain">As for <see cref="MeanInterval"/>.</param>
    public static ArmSummary Of(IReadOnlyList<double> values, double testToTrain = 0)
    {
        double[] finite = [.. values.Where(double.IsFinite)];
        var diverged = values.Count - finite.Length;
        return new()
        {
            N = finite.Length,
            Diverged = diverged,
            DivergedCi95 = Proportion.Wilson(diverged, values.Count)?.ToArray(),
            Mean = finite.Length == 0 ? null : finite.Mean(),
            Sd = finite.Length < 2 ? null : finite.StandardDeviation(),
            Ci95 = new MeanInterval(finite, testToTrain).At(Tails.Alpha, 0)?.ToArray(),
            Median = finite.Length == 0 ? null : finite.Median(),
        };
    }
}
