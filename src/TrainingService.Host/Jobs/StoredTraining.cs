using TrainingService.Engine.Data;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Jobs;

/// <summary>What a stored, resolved training means, also where a version wrote it that did not know all of today's fields.</summary>
public static class StoredTraining
{
    /// <summary>
    /// With what the fields that it lacks meant when it was stored: the target stayed in its unit. A request that leaves them out gets the
    /// defaults of today instead.
    /// </summary>
    public static TrainingSpec Stored(this TrainingSpec training, TargetKind target) =>
        target is TargetKind.Number ? training with { StandardizeTarget = training.StandardizeTarget ?? false } : training;

    /// <summary>
    /// Whether a changed spec must mean what the stored one meant: that lacks the field, so that its target, if a number, stayed in its
    /// unit; and the change leaves it on its data.
    /// </summary>
    public static bool IsMeantAsStored(this JobSpec changed, JobSpec stored) =>
        stored.Training?.StandardizeTarget is null && changed.Dataset.Name == stored.Dataset.Name;
}
