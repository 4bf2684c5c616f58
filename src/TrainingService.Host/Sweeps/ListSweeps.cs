using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class ListSweeps
{
    private const string List = "sweeps";

    /// <summary>List sweeps</summary>
    /// <remarks>Page by page, newest first.</remarks>
    /// <param name="limit">Sweeps on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <param name="status">Only sweeps in this status; repeated: in any of them.</param>
    /// <param name="study">Only sweeps of this study.</param>
    /// <param name="owner">
    /// Only sweeps of this owner, as far as one may see them; none: nobody's. Left out: one's own, of admins all.
    /// </param>
    /// <param name="visibility">Only sweeps that are shared with everyone, whosever they are, or only private ones.</param>
    /// <response code="200">A page of sweeps.</response>
    public static async Task<Results<Ok<Page<SweepResponse>>, ProblemHttpResult>> Handle(
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit,
        [FromQuery] string? cursor, [FromQuery] string[]? status, [FromQuery] string? study, [FromQuery] string? owner,
        [FromQuery, RegularExpression(Owned.VisibilityPattern)] string? visibility,
        [FromQuery, Description(ListFields.Description)] string? fields, TrainingDbContext db, KnownStudies studies,
        CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var haveSpec = ListFields.HaveSpec(fields, errors);
        var sweeps = db.Sweeps.AsNoTracking().Listed(owner, Owned.Read(visibility, errors));
        if (status is { Length: > 0 })
        {
            var wanted = status.Select(name => JobStatusNames.Parse(name, errors)).ToList();
            sweeps = sweeps.Where(sweep => wanted.Contains(sweep.Status == JobStatus.Queued
                && db.Set<Job>().Any(job => job.SweepId == sweep.Id && job.StartedAt != null)
                ? JobStatus.Running : sweep.Status));
        }
        if (study is not null && !studies.Names.Contains(study))
            errors.Add(new("/study", $"there is no study '{study}'{Names.DidYouMean(study, studies.Names)}"));
        if (study is not null)
            sweeps = sweeps.Where(sweep => sweep.Study == study);
        if (Paging.TryRead(cursor, errors, out Guid last, List))
            sweeps = sweeps.Where(sweep => sweep.Id < last);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        await using var snapshot = await db.SnapshotAsync(cancellation);
        var found = await sweeps.OrderByDescending(sweep => sweep.Id).Take(size + 1).ToListAsync(cancellation);
        var page = found.Take(size).ToList();
        var tallies = await SweepTally.CountAsync(db, [.. page.Select(sweep => sweep.Id)], cancellation);
        var items = page.Select(sweep => SweepResponse.Of(sweep, tallies[sweep.Id]));
        return TypedResults.Ok(new Page<SweepResponse>([.. haveSpec ? items : items.Select(sweep => sweep with { Spec = null })],
            found.Count > size ? Paging.Cursor(page[^1].Id, List) : null));
    }
}
