using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

/// <summary>A row of <c>sweeps</c>.</summary>
public sealed class Sweep : IShared
{
    public Guid Id { get; init; }
    public string Owner { get; init; } = View.Current.Owner;
    public Visibility Visibility { get; set; }
    public string? Name { get; init; }
    public JobStatus Status { get; set; }

    public required SweepPlan Spec { get; set; }

    /// <summary>Whether seeds or arms were added after it had ended.</summary>
    public bool Extended { get; set; }

    /// <summary>The study that asked for it, and its size.</summary>
    public string? Study { get; init; }
    public string? StudySize { get; init; }

    /// <summary>What the study measured beside the trainings: JSON that only it reads.</summary>
    public string? Measured { get; set; }

    /// <summary>The cell whose net is kept, and the job that keeps it; null where none is, or the job is gone.</summary>
    public short? BestArm { get; private set; }
    public long? BestSeed { get; private set; }
    public Guid? BestJobId { get; private set; }

    /// <summary>Who is told when it ends; a trigger of the table sees to it.</summary>
    public string? NotifyUrl { get; init; }

    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; set; }
    public string? ErrorCode { get; set; }
    public string? ErrorMessage { get; set; }

    /// <summary>Postgres' xmin.</summary>
    public uint Version { get; set; }

    public bool IsFinished => Status is JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled;

    /// <summary>Under way again.</summary>
    public void Reopen() => (Status, FinishedAt, ErrorCode, ErrorMessage) = (JobStatus.Queued, null, null, null);

    public void Keep(CellResult best, Guid job) => (BestArm, BestSeed, BestJobId) = ((short)best.Arm, best.Seed, job);
}

/// <summary>
/// A row of <c>sweep_cells</c>: an arm with a seed, and the job that runs it. Cells with equal specs share a job, since
/// an equal job would give equal bits.
/// </summary>
public sealed class SweepCell
{
    public Guid SweepId { get; init; }

    /// <summary>Index of the arm in the sweep's spec.</summary>
    public short Arm { get; init; }

    /// <summary>Index of the tuned combination that is tried; -1 for a cell that arms are compared by.</summary>
    public short Candidate { get; init; }

    public long Seed { get; init; }
    public Guid JobId { get; init; }

    /// <summary>SHA-256 by which cells with equal specs are known: of the spec without name and seed, and of the seed.</summary>
    public required byte[] SpecHash { get; init; }
}
