using System.Runtime;
using System.Runtime.InteropServices;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Worker;

/// <summary>
/// Gives memory back to the system when no job has run for a while: prepared data, and what the collector and malloc keep.
/// </summary>
public sealed partial class Rest(Slots slots, DatasetRegistry datasets, TimeProvider clock, ILogger<Rest> log) : BackgroundService
{
    /// <summary>The next sweep may come at once.</summary>
    private static readonly TimeSpan Awake = TimeSpan.FromMinutes(1), Look = TimeSpan.FromSeconds(20);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Look);
        DateTimeOffset? rested = null;
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (slots.FreeSince is not { } since || since == rested || clock.GetUtcNow() - since < Awake)
                continue;
            rested = since;
            datasets.Forget();
            GCSettings.LargeObjectHeapCompactionMode = GCLargeObjectHeapCompactionMode.CompactOnce;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            TrimNative();
            log.LogDebug("No job for {Awake}: memory was given back.", Awake);
        }
    }

    /// <summary>Of glibc; another C library keeps little by itself.</summary>
    private static void TrimNative()
    {
        try
        {
            if (OperatingSystem.IsLinux())
                _ = MallocTrim(0);
        }
        catch (EntryPointNotFoundException)
        {
        }
    }

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int MallocTrim(nuint pad);
}
