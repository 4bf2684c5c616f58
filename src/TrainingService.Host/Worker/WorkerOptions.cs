using System.Globalization;
using TrainingService.Host.Datasets;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Worker;

/// <summary>What an operator can set of a worker process.</summary>
/// <param name="Workers">Jobs run at a time, <c>TRAINING_WORKERS</c>; by default as many as the cores allow.</param>
/// <param name="ThreadsPerJob">Threads that one job trains on, <c>TRAINING_THREADS_PER_JOB</c>.</param>
/// <param name="Lease">How long a worker may be silent before its job is given to another, <c>TRAINING_LEASE_SECONDS</c>.</param>
public sealed record WorkerOptions(int Workers, int ThreadsPerJob, TimeSpan Lease)
{
    /// <summary>Names this process in leases and on Hangfire's dashboard, which knows small letters only, and tells its memory.</summary>
    public string Owner => $"{Environment.MachineName}:{Environment.ProcessId}:{Memory / 1_000_000}mb:{_unique}".ToLowerInvariant();

    private readonly string _unique = Guid.NewGuid().ToString("N")[..8];

    /// <summary>
    /// Bytes that the runs of this process may need together, as estimated, <c>TRAINING_MEMORY_MB</c>. By default what remains of nine
    /// tenths of the memory, which is the container's limit where it has one, after what the process takes by itself and what it keeps
    /// of data sets that no run uses; those that runs do use are in their estimates. Others on the same machine, such as Postgres or a
    /// second worker, are not known here.
    /// </summary>
    public long Memory { get; init; } = long.MaxValue;

    /// <summary>Of a process that trains thousands of short runs, as measured.</summary>
    private const long OfItself = 360_000_000;

    // GCMemoryInfo.TotalAvailableMemoryBytes won't do: in a container it is what the managed heap may have, three quarters of the limit,
    // and most that a run needs is not in the heap. The threshold is nine tenths of the limit, or of the machine's memory.
    private static long StandardMemory()
    {
        var threshold = GC.GetGCMemoryInfo().HighMemoryLoadThresholdBytes;
        return Math.Max(threshold - OfItself - RowCache.StandardBytes, threshold / 4);
    }

    /// <summary>Between two checkpoints of a run, <c>TRAINING_CHECKPOINT_SECONDS</c>; a run that is shorter has none.</summary>
    public TimeSpan Checkpoint { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Runs that one owner may have at once on all workers together, <c>TRAINING_OWNER_RUNNING_JOBS</c>; 0 for any number. What is more
    /// waits, whatever slots are free.
    /// </summary>
    public int OwnerRuns { get; init; }

    public static WorkerOptions Read(IConfiguration configuration)
    {
        // More threads than cores would only wait for each other.
        var threads = Number("TRAINING_THREADS_PER_JOB", 1, 1, Environment.ProcessorCount);
        return new(Number("TRAINING_WORKERS", Environment.ProcessorCount / threads, 1, 1024),
            threads, TimeSpan.FromSeconds(Number("TRAINING_LEASE_SECONDS", 20, 2, 3600)))
        {
            Checkpoint = TimeSpan.FromSeconds(Number("TRAINING_CHECKPOINT_SECONDS", 10, 1, 3600)),
            OwnerRuns = configuration.WholeNumber("TRAINING_OWNER_RUNNING_JOBS", 0, "jobs"),
            Memory = Number("TRAINING_MEMORY_MB", (int)(StandardMemory() / 1_000_000), 1, int.MaxValue) * 1_000_000L,
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
