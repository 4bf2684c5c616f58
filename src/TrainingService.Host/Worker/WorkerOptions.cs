using System.Globalization;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Worker;

/// <summary>What an operator can set of a worker process.</summary>
/// <param name="Workers">Jobs run at a time, <c>TRAINING_WORKERS</c>; by default as many as the cores allow.</param>
/// <param name="ThreadsPerJob">Threads that one job trains on, <c>TRAINING_THREADS_PER_JOB</c>.</param>
/// <param name="Lease">How long a worker may be silent before its job is given to another, <c>TRAINING_LEASE_SECONDS</c>.</param>
public sealed record WorkerOptions(int Workers, int ThreadsPerJob, TimeSpan Lease)
{
    /// <summary>Names this process in leases and on Hangfire's dashboard.</summary>
    public string Owner { get; } = $"{Environment.MachineName}:{Environment.ProcessId}:{Guid.NewGuid().ToString("N")[..8]}";

    /// <summary>Between two checkpoints of a run, <c>TRAINING_CHECKPOINT_SECONDS</c>; a run that is shorter has none.</summary>
    public TimeSpan Checkpoint { get; init; } = TimeSpan.FromSeconds(10);

    public static WorkerOptions Read(IConfiguration configuration)
    {
        // More threads than cores would only wait for each other.
        var threads = Number("TRAINING_THREADS_PER_JOB", 1, 1, Environment.ProcessorCount);
        return new(Number("TRAINING_WORKERS", Environment.ProcessorCount / threads, 1, 1024),
            threads, TimeSpan.FromSeconds(Number("TRAINING_LEASE_SECONDS", 20, 2, 3600)))
        {
            Checkpoint = TimeSpan.FromSeconds(Number("TRAINING_CHECKPOINT_SECONDS", 10, 1, 3600)),
        };

        int Number(string name, int otherwise, int least, int most) => configuration[name] switch
        {
            null or "" => otherwise,
            var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
                && value >= least && value <= most => value,
            var text => throw new StartRefusedException($"{name} must be a whole number from {least} to {most}, not '{text}'."),
        };
    }
}
