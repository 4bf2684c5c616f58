using System.Globalization;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Models;

/// <summary>What an operator can set of kept nets.</summary>
/// <param name="JobBytes">Most that one job's weights may take, <c>TRAINING_WEIGHTS_JOB_MB</c>.</param>
/// <param name="TotalBytes">Most that all may take before the oldest are retired, <c>TRAINING_WEIGHTS_TOTAL_MB</c>.</param>
/// <param name="Age">After which weights are retired, <c>TRAINING_WEIGHTS_DAYS</c>; null for never (0).</param>
/// <param name="CacheBytes">Memory for nets that are being asked, <c>TRAINING_MODEL_CACHE_MB</c>.</param>
public sealed record ModelLimits(long JobBytes, long TotalBytes, TimeSpan? Age, long CacheBytes)
{
    public const string JobSetting = "TRAINING_WEIGHTS_JOB_MB", TotalSetting = "TRAINING_WEIGHTS_TOTAL_MB",
        AgeSetting = "TRAINING_WEIGHTS_DAYS", CacheSetting = "TRAINING_MODEL_CACHE_MB";

    public static ModelLimits Read(IConfiguration configuration)
    {
        var days = Number(AgeSetting, 90, 0, 36_500, "days");
        return new(Megabytes(JobSetting, 250), Megabytes(TotalSetting, 10_000), days == 0 ? null : TimeSpan.FromDays(days),
            Megabytes(CacheSetting, 500));

        long Megabytes(string name, int otherwise) => Number(name, otherwise, 1, 100_000_000, "megabytes") * 1_000_000L;

        int Number(string name, int otherwise, int least, int most, string unit) => configuration[name] switch
        {
            null or "" => otherwise,
            var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                && value >= least && value <= most => value,
            var text => throw new StartRefusedException($"{name} must be a whole number of {unit} from {least} to {most}, not '{text}'."),
        };
    }
}
