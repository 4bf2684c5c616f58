using System.Collections.Concurrent;
using TrainingService.Host.Data;

namespace TrainingService.Host.Sweeps;

/// <summary>
/// Answers for those who ask again and again. To count 10,000 jobs takes Postgres 20 ms, and whoever waits for a sweep asks for that: they
/// are told the same for 50 µs a job, so that they can't take more than a twentieth of a core, and never once the sweep's own row is
/// another. For a hundred jobs that is 5 ms. Nobody waits for a sweep that has ended, and an answer may be a megabyte: few are kept.
/// </summary>
public sealed class SweepAnswers(TimeProvider clock)
{
    private static readonly TimeSpan KeptForJob = TimeSpan.FromMicroseconds(50);
    private static readonly TimeSpan KeptAtMost = TimeSpan.FromSeconds(1);

    private const int Most = 32;

    private readonly ConcurrentDictionary<(Guid Sweep, View View), Kept> _kept = new();

    /// <summary>What was told to the same eyes; null if that is too long ago.</summary>
    public (SweepResponse Answer, uint Version)? Find(Guid id) =>
        _kept.TryGetValue((id, View.Current), out var kept) && clock.GetElapsedTime(kept.Since) < kept.For
            ? (kept.Answer, kept.Version) : null;

    /// <param name="answer">From now on, unless the sweep has ended.</param>
    /// <param name="version">Of the row that it was made of.</param>
    public void Keep(SweepResponse answer, uint version)
    {
        foreach (var (key, kept) in _kept)
            if ((key.Sweep == answer.Id && answer.IsFinished) || clock.GetElapsedTime(kept.Since) >= kept.For)
                _kept.TryRemove(key, out _);
        if (answer.IsFinished || _kept.Count >= Most)
            return;
        var time = answer.Progress.Total * KeptForJob;
        _kept[(answer.Id, View.Current)] = new(answer, version, time < KeptAtMost ? time : KeptAtMost, clock.GetTimestamp());
    }

    private sealed record Kept(SweepResponse Answer, uint Version, TimeSpan For, long Since);
}
