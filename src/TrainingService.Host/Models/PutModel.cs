using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

public static class PutModel
{
    /// <summary>Let a name stand for a job's net</summary>
    /// <remarks>
    /// Makes the next version of the name, which answers from then on; the versions before stay in its history. Said again, it changes
    /// nothing. A net that a name stands for is not retired.
    /// </remarks>
    /// <param name="name">Letters, digits, '.', '_' and '-', at most 100.</param>
    /// <param name="body">Which job, and why.</param>
    /// <response code="200">The model.</response>
    /// <response code="409">The job has not succeeded, or its net was not kept.</response>
    public static async Task<Results<Ok<RegisteredModel>, ProblemHttpResult>> Handle(string name, JsonBody<ModelNameSpec> body,
        TrainingDbContext db, TimeProvider clock, CancellationToken cancellation)
    {
        var (spec, errors) = (body.Value, new List<SpecError>());
        if (!RegisteredModels.NamePattern().IsMatch(name))
            errors.Add(new("/name", "must have 1 to 100 letters, digits, '.', '_' and '-', the first of them a letter or digit"));
        Fields.Check(spec, "", errors);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var (source, problem) = await ModelSource.FindAsync(db, spec.JobId, cancellation);
        if (source is null)
            return problem ?? Problems.NotFound($"There is no job {spec.JobId}.");

        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Of two at once the second sees the first's version.
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock(hashtextextended({name}, 0))", cancellation);
        var own = View.Current.Owner;
        var latest = await db.ModelVersions.Where(v => v.Name == name && v.Owner == own).OrderByDescending(v => v.Version)
            .FirstOrDefaultAsync(cancellation);
        if (latest is not null && spec.Visibility is { } visibility && latest.Visibility != visibility)
            await db.ModelVersions.Where(v => v.Name == name && v.Owner == own)
                .ExecuteUpdateAsync(set => set.SetProperty(v => v.Visibility, visibility), cancellation);
        if (latest is not null && (latest.JobId, latest.Note, latest.CreatedBy) == (spec.JobId, spec.Note, spec.By))
        {
            await transaction.CommitAsync(cancellation);
            return TypedResults.Ok(RegisteredModel.Of(latest) with { Visibility = spec.Visibility ?? latest.Visibility });
        }
        var next = new ModelVersion
        {
            Name = name,
            Version = (latest?.Version ?? 0) + 1,
            Visibility = spec.Visibility ?? latest?.Visibility ?? Visibility.Private,
            JobId = spec.JobId,
            Note = spec.Note,
            CreatedBy = spec.By,
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(clock.GetUtcNow().ToUnixTimeMilliseconds()),
        };
        db.ModelVersions.Add(next);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return TypedResults.Ok(RegisteredModel.Of(next));
    }
}
