using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

public static class GetSweepReport
{
    public static readonly string[] OtherFormats = [MediaTypes.Html, MediaTypes.Markdown, MediaTypes.Parquet];

    /// <summary>What a sweep has shown</summary>
    /// <remarks>
    /// Arms are compared seed by seed: mean difference with interval, exact sign-flip p adjusted over all comparisons (Holm),
    /// a test of equivalence, and a verdict in words. While the sweep runs, the report covers the seeds that are there and says so.
    /// As <c>text/html</c> it is one page with plots that needs nothing from outside, as <c>text/markdown</c> the same with tables in place
    /// of the plots, and as <c>application/vnd.apache.parquet</c> a row for each cell.
    /// </remarks>
    /// <param name="id">The sweep's id.</param>
    /// <response code="200">The report.</response>
    public static async Task<Results<Ok<SweepReport>, ContentHttpResult, PushStreamHttpResult, ProblemHttpResult>> Handle(Guid id,
        HttpContext http, TrainingDbContext db, DatasetRegistry datasets, JobRules rules, CancellationToken cancellation)
    {
        if (MediaTypes.Choose(http.Request, [MediaTypes.Json, .. OtherFormats]) is not { } mediaType)
            return Problems.NotAcceptable(http.Request, [MediaTypes.Json, .. OtherFormats]);
        await using var snapshot = await db.SnapshotAsync(cancellation);
        if (await db.Sweeps.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id, cancellation) is not { } sweep)
            return GetSweep.NotFound(id);
        http.Response.Headers.Vary = "Accept";
        http.Response.Headers.CacheControl = "no-cache";
        if (!sweep.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        // studies and Parquet look at the layers before training, too; else only a metric of layers may
        var cells = await SweepCells.ReadAsync(db, sweep, cancellation, mediaType != MediaTypes.Parquet && sweep.Study is null
            && sweep.Spec.By.Outcome.HigherIsBetter is not null ? LayerRows.Last : LayerRows.FirstAndLast);
        if (mediaType == MediaTypes.Parquet)
            return RowExport.Write(mediaType, cells.ToAsyncEnumerable(), ReportRows.Of(sweep.Spec), cancellation);
        if (sweep.Study is { } name && StudyCatalog.Find(name) is { ReadsPreflight: true })
            cells = await WithPreflights(db, sweep, cells, rules, datasets, cancellation);
        var report = StudyReports.Of(sweep, cells, GuessOf(sweep.Spec.Base.Dataset, datasets));
        if (mediaType == MediaTypes.Json)
            return TypedResults.Ok(report);
        var title = ReportContent.Title(report);
        var sections = ReportContent.Of(report, await SweepCurves.ReadAsync(db, sweep, SweepCharts.Shown(report), cancellation),
            PictureCharts.Of(sweep.Spec, sweep.Study, cells), $"{http.Request.Scheme}://{http.Request.Host}");
        if (mediaType == MediaTypes.Markdown)
            return TypedResults.Text(ReportMarkdown.Write(title, sections), $"{MediaTypes.Markdown}; charset=utf-8");
        http.Response.Headers.ContentSecurityPolicy = ReportPage.Policy;
        return TypedResults.Text(ReportPage.Write(title, sections, ReportContent.Above(report)), $"{MediaTypes.Html}; charset=utf-8");
    }

    private static async Task<IReadOnlyList<CellResult>> WithPreflights(TrainingDbContext db, Sweep sweep, IReadOnlyList<CellResult> cells,
        JobRules rules, DatasetRegistry datasets, CancellationToken cancellation)
    {
        var typical = cells.Where(cell => cell.Seed == sweep.Spec.Seeds[0] && cell.Candidate < 0).Select(cell => cell.JobId).ToList();
        var jobs = await db.Jobs.Where(job => typical.Contains(job.Id)).Select(job => new { job.Id, job.Spec }).ToListAsync(cancellation);
        var predicted = jobs.ToDictionary(job => job.Id, job => CellPreflight.Of(job.Spec, rules, datasets, cancellation));
        return [.. cells.Select(cell => cell with { Preflight = predicted.GetValueOrDefault(cell.JobId) })];
    }

    private static double? GuessOf(DatasetSpec spec, DatasetRegistry datasets)
    {
        // a report says the same to all who may read it, whosever the data are
        using var all = View.Enter(View.Everything);
        return datasets.Find(spec) is { ClassCounts.Count: > 0 } dataset && dataset.FindObstacle() is null
            ? StudyEvidence.GuessOf(dataset.ClassCounts, Math.Min(spec.MaxTrainExamples ?? int.MaxValue, dataset.TrainRows)) : null;
    }
}
