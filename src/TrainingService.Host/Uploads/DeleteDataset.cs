using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Uploads;

/// <summary>What a deletion left.</summary>
/// <param name="Name">The data set that is gone.</param>
/// <param name="Jobs">Jobs that used it and keep their results.</param>
/// <param name="Message">What this means for them.</param>
public sealed record DatasetDeletion(string Name, int Jobs, string Message);

public static class DeleteDataset
{
    /// <summary>Delete a data set</summary>
    /// <remarks>
    /// All its versions and their rows. One that jobs have used, other people's among them if it was shared, is kept unless <c>force</c> is
    /// true: then their results stay, and can't be repeated or verified any more.
    /// </remarks>
    /// <param name="name">The data set's name.</param>
    /// <param name="force">Whether to delete it although jobs have used it.</param>
    /// <param name="owner">Whose, where an admin sees several of this name; none: nobody's. Left out: the one that GET tells of.</param>
    /// <response code="200">With `force`: it is gone, and jobs that used it are left.</response>
    /// <response code="204">It is gone.</response>
    /// <response code="409">Jobs have used it, or it is built in.</response>
    public static async Task<Results<NoContent, Ok<DatasetDeletion>, ProblemHttpResult>> Handle(string name, [FromQuery] bool? force,
        [FromQuery] string? owner, TrainingDbContext db, DatasetRegistry datasets, CancellationToken cancellation)
    {
        if (datasets.All.Any(dataset => dataset.Name == name))
            return Problems.Conflict($"'{name}' is a built-in data set, which can't be deleted");
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        owner = Owned.Asked(owner)
            ?? await db.DatasetVersions.Where(v => v.Name == name).Nearest().Select(v => v.Owner).FirstOrDefaultAsync(cancellation);
        var contents = await db.DatasetVersions.Where(v => v.Name == name && v.Owner == owner).Select(v => v.ContentId)
            .ToListAsync(cancellation);
        if (contents.Count == 0)
            return Problems.NotFound(datasets.Unknown(name));
        // Of other people's those count that nobody else's data set of this name and content is left for.
        var others = await db.Database.SqlQuery<int>($"""
            SELECT count(*)::int AS "Value" FROM jobs
            LEFT JOIN job_templates template ON template.sweep_id = jobs.sweep_id AND template.number = jobs.template_number
            WHERE jobs.dataset = {name} AND jobs.owner <> {owner} AND coalesce(jobs.spec, template.spec) -> 'dataset' ->> 'sha256' IN (
                SELECT sha256 FROM dataset_versions WHERE name = {name} AND owner = {owner}
                EXCEPT SELECT sha256 FROM dataset_versions WHERE name = {name} AND owner <> {owner})
            """).SingleAsync(cancellation);
        var jobs = others + await db.Jobs.CountAsync(job => job.Dataset == name && job.Owner == owner, cancellation);
        if (jobs > 0 && force != true)
            return Problems.Conflict($"{jobs:N0} {(jobs == 1 ? "job has" : "jobs have")} used '{name}'"
                + $"{(others > 0 ? $" ({others:N0} of other people's)" : "")}: with force=true it is deleted all the same, "
                + "their results stay, and can't be repeated or verified any more");
        await db.DatasetVersions.Where(v => v.Name == name && v.Owner == owner).ExecuteDeleteAsync(cancellation);
        // others may have brought the same rows
        using var all = View.Enter(View.Everything);
        var versions = db.DatasetVersions;
        await db.DatasetContents.Where(c => contents.Contains(c.Id) && !versions.Any(v => v.ContentId == c.Id))
            .ExecuteDeleteAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return jobs == 0 ? TypedResults.NoContent() : TypedResults.Ok(new DatasetDeletion(name, jobs,
            $"'{name}' is gone. {jobs:N0} {(jobs == 1 ? "job" : "jobs")} that used it keep their results, which can't be repeated or "
                + $"verified any "
            + "more; those that wait or run fail with dataset_unavailable."));
    }
}
