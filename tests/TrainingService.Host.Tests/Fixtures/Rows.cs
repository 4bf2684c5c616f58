using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>
/// Job rows as the API would store them, without waking a worker: a test of the worker's protocol decides itself when that happens.
/// </summary>
public static class Rows
{
    public static async Task<Guid> InsertJobAsync(this TrainingDbContext db, string dataset = "digits",
        Action<Job>? change = null, string? name = null, int epochs = 1, ModelSpec? model = null, int timeoutSeconds = 60,
        double rate = 0.05, double cost = 1, short priority = 1, Guid? sweepId = null, long? memory = null)
    {
        List<SpecError> errors = [];
        var (digits, shape) = new DatasetRegistry("", "").Resolve(new() { Name = "digits" }, 1, errors)!.Value;
        var plan = RunPlan.Check(model ?? new() { HiddenLayers = [16] },
            new() { Epochs = epochs, Optimizer = new() { Name = "sgd", LearningRate = rate } }, new() { EverySteps = 10 }, shape, errors)!;
        var job = new Job
        {
            Id = Guid.CreateVersion7(),
            Name = name,
            Spec = new()
            {
                Dataset = digits with { Name = dataset },
                Model = plan.Model.Spec,
                Training = plan.Training.Spec,
                Diagnostics = plan.Diagnostics.Spec,
                Priority = "normal",
                TimeoutSeconds = timeoutSeconds,
            },
            Dataset = dataset,
            Activations = ["relu"],
            Initializers = ["kaiming_normal"],
            Labels = [],
            Priority = priority,
            SweepId = sweepId,
            Cost = cost,
            MemoryBytes = memory,
            CreatedAt = DateTimeOffset.UtcNow,
            Epochs = epochs,
            Steps = plan.Steps,
        };
        change?.Invoke(job);
        db.Jobs.Add(job);
        await db.SaveChangesAsync();
        return job.Id;
    }
}
