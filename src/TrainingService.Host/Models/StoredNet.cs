using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>A job's net as it was stored: its numbers lie in memory once, on their way to a file or to a net that can be asked.</summary>
public sealed class StoredNet
{
    private StoredNet(ModelSource source, RunPlan plan, byte[] weights) => (Source, Plan, Weights) = (source, plan, weights);

    public ModelSource Source { get; }

    public ModelCard Card => Source.Card;

    public RunPlan Plan { get; }

    /// <summary>Little-endian float32, the tensors one behind the other.</summary>
    public byte[] Weights { get; }

    /// <summary>How its outputs become numbers in the target's unit.</summary>
    public TargetScale Scale => Source.Result.TargetScale ?? TargetScale.None(Plan.Data.Numbers);

    /// <summary>What it does, from the input on.</summary>
    public IReadOnlyList<NetStep> Steps => TrainedNet.Steps(Plan, Weights);

    /// <exception cref="InvalidDataException">The spec no longer means a net of these weights.</exception>
    public static StoredNet Of(ModelSource source, byte[] weights)
    {
        var plan = PlanOf(source.Spec, source.Card.Shape);
        return TrainedNet.Count(plan) * sizeof(float) == weights.Length ? new(source, plan, weights)
            : throw new InvalidDataException($"The job's net has {TrainedNet.Count(plan)} numbers, not {weights.Length / sizeof(float)}.");
    }

    /// <summary>By which a stored job is trained.</summary>
    /// <exception cref="InvalidDataException">The spec no longer means a net.</exception>
    public static RunPlan PlanOf(JobSpec spec, DataShape shape)
    {
        List<SpecError> errors = [];
        return RunPlan.Check(spec.Model ?? new(), (spec.Training ?? new()).Stored(shape.Target), spec.Diagnostics ?? new(), shape, errors)
            ?? throw new InvalidDataException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
    }
}
