using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Worker;

/// <summary>The plans of runs that one thread trains: those that differ by their seeds alone are checked once.</summary>
public sealed class GroupPlans
{
    private readonly Dictionary<(JobTemplate Template, DataShape Data), RunPlan> _known = [];

    /// <exception cref="InvalidSpecException">The spec is no longer fine.</exception>
    public RunPlan Of(Lease lease, DataShape data)
    {
        if (lease.Template is not { } template)
            return Check(lease.Spec, data);
        if (!_known.TryGetValue((template, data), out var plan))
            _known.Add((template, data), plan = Check(lease.Spec, data));
        return plan.WithSeed(lease.Spec.Training!.Seed!.Value);
    }

    private static RunPlan Check(JobSpec spec, DataShape data)
    {
        List<SpecError> errors = [];
        return RunPlan.Check(spec.Model!, spec.Training!.Stored(data.Target), spec.Diagnostics!, data, errors)
            ?? throw new InvalidSpecException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
    }
}
