using System.Text.Json.Serialization;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>A sweep as clients see it.</summary>
public sealed record SweepResponse
{
    /// <summary>UUIDv7: ids sort by the time of creation.</summary>
    public required Guid Id { get; init; }

    /// <summary>The name given at creation.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Name { get; init; }

    /// <summary>Whose it is; null for nobody's, as where access is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Owner { get; init; }

    /// <summary>Who may read it, its jobs and its report beside its owner and admins.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>
    /// Where the sweep is in its life, in a job's words. A sweep has succeeded when all its jobs have ended
    /// and at least one has an outcome.
    /// </summary>
    public required JobStatus Status { get; init; }

    /// <summary>The study that asked for it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Study { get; init; }

    /// <summary><c>quick</c> or <c>full</c>; studies only.</summary>
    public string? Size { get; init; }

    /// <summary>
    /// Arms listed, every default filled in. It can be POSTed again as it is. Lists have it with <c>fields=spec</c>.
    /// </summary>
    public SweepSpec? Spec { get; init; }

    /// <summary>Seeds of each arm so far; where the sweep runs until decided, more may follow.</summary>
    public required int Seeds { get; init; }

    /// <summary>Seeds of each arm at most.</summary>
    public required int SeedsAtMost { get; init; }

    /// <summary>Arms times the seeds so far.</summary>
    public required int Cells { get; init; }

    /// <summary>When it looked at its seeds, and what each look spent of the risk of a false finding.</summary>
    public required IReadOnlyList<SweepLookResponse> Looks { get; init; }

    /// <summary>Why a sweep that runs until decided asked for no more seeds; left out as long as it may.</summary>
    public SweepStop? Stopped { get; init; }

    /// <summary>
    /// Jobs by status; <c>diverged</c> counts those of <c>failed</c> that did. Equal cells share a job, and with tuning every trial is one.
    /// </summary>
    public required SweepCounts Counts { get; init; }

    /// <summary>How far the sweep is.</summary>
    public required SweepProgressResponse Progress { get; init; }

    /// <summary>Where the best arm's net is; left out before the end, and where none is kept.</summary>
    public SweepBest? Best { get; init; }

    /// <summary>What it can't find out as it was asked for: too few seeds, a delta below one row, few rows; known before it runs.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    /// <summary>Why the sweep failed; null unless it did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required JobError? Error { get; init; }

    /// <summary>When the sweep was accepted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When its first job began.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? StartedAt { get; init; }

    /// <summary>When its last job had ended.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Who is told when it ends; left out for all but its owner and admins.</summary>
    public string? NotifyUrl { get; init; }

    /// <summary>Where to go from here.</summary>
    public required SweepLinks Links { get; init; }

    [JsonIgnore]
    public string Tag { get; init; } = "";

    [JsonIgnore]
    public bool IsFinished => FinishedAt is not null;

    /// <summary>As it is at this moment.</summary>
    public static async Task<SweepResponse> OfAsync(TrainingDbContext db, Sweep sweep, CancellationToken cancellation) =>
        Of(sweep, (await SweepTally.CountAsync(db, [sweep.Id], cancellation))[sweep.Id]);

    public static SweepResponse Of(Sweep sweep, SweepTally tally)
    {
        var (counts, total) = (tally.Counts, tally.Total);
        var seedsAtMost = sweep is { IsFinished: false, Extended: false, Spec: { Stopped: null, Until.AtMost: { } atMost } }
            ? atMost : sweep.Spec.Seeds.Count;
        // With seeds to come, as many jobs a seed as so far.
        var most = (int)Math.Ceiling((double)total * seedsAtMost / sweep.Spec.Seeds.Count);
        return new SweepResponse
        {
            Id = sweep.Id,
            Name = sweep.Name,
            Owner = Owned.Named(sweep.Owner),
            Visibility = sweep.Visibility,
            Status = sweep.Status is JobStatus.Queued && tally.Started is not null ? JobStatus.Running : sweep.Status,
            Study = sweep.Study,
            Size = sweep.StudySize,
            Spec = sweep.Spec.ToSpec(),
            Seeds = sweep.Spec.Seeds.Count,
            SeedsAtMost = seedsAtMost,
            Cells = sweep.Spec.Arms.Count * sweep.Spec.Seeds.Count,
            Looks = SweepLookResponse.AllOf(sweep.Spec),
            Stopped = sweep.Spec.Stopped,
            Counts = counts,
            Progress = new(counts.Finished, total, most,
                sweep.FinishedAt is not null ? 1 : most == 0 ? 0 : (double)counts.Finished / most,
                sweep.FinishedAt is null ? tally.Seconds * (most - counts.Finished) / Math.Max(1, tally.Training) : null),
            Best = SweepBest.Of(sweep),
            Warnings = [.. SweepWarnings.Of(sweep.Spec)],
            Error = sweep.ErrorCode is null ? null : new(sweep.ErrorCode, sweep.ErrorMessage ?? ""),
            CreatedAt = sweep.CreatedAt,
            StartedAt = tally.Started,
            FinishedAt = sweep.FinishedAt,
            NotifyUrl = View.Current.Owns(sweep) ? sweep.NotifyUrl : null,
            Links = SweepLinks.Of($"{SweepRoutes.Root}/{sweep.Id}"),
            Tag = $"\"{sweep.Version}-{counts.Running}-{counts.Finished}\"",
        };
    }
}

/// <summary>Jobs of a sweep by status.</summary>
/// <param name="Queued">Waiting for a worker.</param>
/// <param name="Running">Being trained.</param>
/// <param name="Canceling">Being stopped.</param>
/// <param name="Succeeded">Trained to the end.</param>
/// <param name="Failed">Ended with an error, diverged ones included.</param>
/// <param name="Canceled">Stopped by a client.</param>
/// <param name="Diverged">Of the failed ones, those that diverged: an outcome, which the report counts.</param>
/// <param name="Paused">Waiting to be resumed, or about to; the sweep ends after they have.</param>
public sealed record SweepCounts(int Queued, int Running, int Canceling, int Succeeded, int Failed, int Canceled, int Diverged, int Paused)
{
    [JsonIgnore]
    public int Finished => Succeeded + Failed + Canceled;
}

/// <summary>How far a sweep is.</summary>
/// <param name="Finished">Jobs that have ended.</param>
/// <param name="Total">Jobs in all so far.</param>
/// <param name="AtMost">Jobs at most, if the sweep runs until decided and needs all its seeds; else those in all.</param>
/// <param name="Fraction">Share of the jobs at most that have ended, 0 to 1; it jumps to 1 when the sweep is decided before.</param>
/// <param name="EtaSeconds">Estimated seconds to the end at the latest, from the first finished job on.</param>
public sealed record SweepProgressResponse(int Finished, int Total, int AtMost, double Fraction,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] double? EtaSeconds);

/// <summary>Addresses that belong to a sweep, relative to the service's own.</summary>
/// <param name="Self">The sweep.</param>
/// <param name="Events">What happens to it, as it happens.</param>
/// <param name="Report">What it has shown.</param>
/// <param name="Jobs">Its jobs.</param>
/// <param name="Cancel">POST here to cancel it.</param>
public sealed record SweepLinks(string Self, string Events, string Report, string Jobs, string Cancel)
{
    public static SweepLinks Of(string self) => new(self, $"{self}/events", $"{self}/report", $"{self}/jobs", $"{self}/cancel");
}
