using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Data;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>A job whose net is kept.</summary>
/// <param name="JobId">Which.</param>
/// <param name="Sha256">Of its weights.</param>
/// <param name="Spec">As it was resolved.</param>
/// <param name="Result">How the run ended.</param>
/// <param name="Card">From raw rows to inputs.</param>
public sealed record ModelSource(Guid JobId, string Sha256, JobSpec Spec, TrainingResult Result, ModelCard Card)
{
    /// <summary>What the net's outputs are.</summary>
    public OutputMeaning Meaning => Card.Shape.Target is TargetKind.Number ? OutputMeaning.Values
        : Spec.Training?.Loss is "mse" or "huber" ? OutputMeaning.Scores : OutputMeaning.Probabilities;

    /// <summary>The job's, or why there is none.</summary>
    /// <param name="db">Where it is.</param>
    /// <param name="id">The job's.</param>
    /// <param name="cancellation">Of the query.</param>
    /// <param name="cache">Whose nets need not be read again: only whether they are still kept is asked.</param>
    public static async Task<(ModelSource? Source, ProblemHttpResult? Problem)> FindAsync(TrainingDbContext db, Guid id,
        CancellationToken cancellation, ModelCache? cache = null)
    {
        var (models, jobs) = (db.JobModels, db.Jobs);
        if (cache is not null
            && await models.Where(m => m.JobId == id && jobs.Any(j => j.Id == id)).Select(m => m.Sha256)
                .SingleOrDefaultAsync(cancellation) is { } kept
            && cache.Find(id, kept) is { } known)
            return (known, null);
        var found = await jobs.AsNoTracking().Where(j => j.Id == id).Select(j => new
        {
            j.Status,
            j.Spec,
            j.Result,
            j.SweepId,
            Model = models.FirstOrDefault(m => m.JobId == id),
        }).SingleOrDefaultAsync(cancellation);
        return found switch
        {
            null => (null, GetJob.NotFound(id)),
            { Status: not (JobStatus.Succeeded or JobStatus.Failed or JobStatus.Canceled) } => (null,
                Problems.Conflict($"The job is {Json.NameOf(found.Status)}; its net can be asked once it has succeeded.")),
            { Model: { Sha256: { } sha256, Card: var card }, Result: { } result } => (new(id, sha256, found.Spec, result, card), null),
            { Model: { } model } => (null, Problems.Gone(model.RetiredReason ?? "Its weights were retired.")),
            { Status: JobStatus.Succeeded } => (null, Problems.Conflict("The job's net was not kept"
                + (found.SweepId is null ? ", since its spec says 'storeWeights': false, or it ran before nets were kept"
                    : ", as jobs of a sweep keep theirs only if its base says 'storeWeights': true")
                + $". Run it once more with POST {JobRoutes.Root}/{id}/clone and {{\"storeWeights\": true}}: "
                + "the weights will be the same."
                + (found.SweepId is { } sweep ? $" The best arm's is kept: GET /api/v1/sweeps/{sweep} names it as 'best'." : ""))),
            _ => (null, Problems.Conflict($"The job is {Json.NameOf(found.Status)}: only jobs that succeeded have a net.")),
        };
    }

    /// <summary>The data set that its run had its rows of, or why they are not known to whoever asks.</summary>
    public (Dataset? Dataset, ProblemHttpResult? Problem) FindDataset(DatasetRegistry datasets) => datasets.Find(Spec.Dataset) switch
    {
        null => (null, Problems.Conflict($"There is no data set '{Spec.Dataset.Name}' any more that you may see, "
            + "and so none of the rows that the net could be asked about.")),
        var found when found.FindObstacle() is { } obstacle => (null, Problems.Conflict(obstacle)),
        var found when found.Sha256 != Result.DatasetSha256 => (null, Problems.Conflict(
            $"The data set '{found.Name}' has changed since the job ran, so that its test rows are not known any more.")),
        var found => (found, null),
    };

    /// <summary>The net with its numbers.</summary>
    public async Task<StoredNet> ReadAsync(TrainingDbContext db, CancellationToken cancellation) =>
        StoredNet.Of(this, await TrainedModel.ReadAsync(db, Sha256, cancellation));
}
