namespace TrainingService.Host.Jobs;

/// <summary>A row of <c>checkpoints</c>: from where a job goes on after its worker died, was stopped, or the job was paused.</summary>
public sealed class Checkpoint
{
    /// <summary>Kept of a job, the newest: one that can't be read leaves the one before.</summary>
    public const int Generations = 2;

    public Guid JobId { get; init; }

    /// <summary>Optimiser steps done.</summary>
    public long Step { get; init; }

    /// <summary>Epochs finished.</summary>
    public int Epoch { get; init; }

    /// <summary>Which attempt got so far.</summary>
    public int Attempt { get; init; }

    /// <summary>Rows of metrics and layers up to this step, which are stored no later than this.</summary>
    public long Rows { get; init; }

    // what the run had taken, see Engine's TrainingTimes
    public double Seconds { get; init; }
    public double DiagnosticsSeconds { get; init; }
    public double? FastestEpochSeconds { get; init; }

    /// <summary>Of the state as the engine captured it.</summary>
    public long Bytes { get; init; }

    /// <summary>Of the chunks.</summary>
    public long StoredBytes { get; init; }
    public required string EngineVersion { get; init; }
    public required string InstructionSet { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A row of <c>checkpoint_chunks</c>: a piece of the state, deflated.</summary>
public sealed class CheckpointChunk
{
    public Guid JobId { get; init; }
    public long Step { get; init; }
    public int Part { get; init; }
    public required byte[] Data { get; init; }
}
