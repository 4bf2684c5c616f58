using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Reports;

public static class GetJobPlot
{
    public const string MediaType = "image/svg+xml";

    private static readonly string[] Known = ["loss", "accuracy", "sparsity", "gradient-flow", "activations"];

    // Another build may draw the same numbers otherwise.
    private static readonly string Build = $"{typeof(GetJobPlot).Module.ModuleVersionId:n}"[..8];

    /// <summary>A picture of a job's training</summary>
    /// <remarks>
    /// <c>loss</c> and <c>accuracy</c> (R² for a regression) over the epochs on each split; <c>sparsity</c> with the dead units below it,
    /// <c>gradient-flow</c> with each layer's gradient below it, and <c>activations</c> (their mean, size and saturation) over the
    /// epochs for each hidden layer. A job that runs shows what there is; where a value is not finite the curve has a gap and a mark.
    /// The numbers are those of <c>/metrics</c> and <c>/layers</c>.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="plot">loss, accuracy, sparsity, gradient-flow or activations.</param>
    /// <response code="200">An SVG that needs nothing from outside.</response>
    public static async Task<Results<ContentHttpResult, StatusCodeHttpResult, ProblemHttpResult>> Handle(Guid id,
        string plot, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        if (!Known.Contains(plot))
            return Problems.NotFound($"unknown plot '{plot}'; there are {string.Join(", ", Known)}{Names.DidYouMean(plot, Known)}");
        if (await db.Jobs.AsNoTracking().SingleOrDefaultAsync(j => j.Id == id, cancellation) is not { } job)
            return GetJob.NotFound(id);
        var tag = $"\"{job.Version}-{Build}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "no-cache";
        if (!job.IsFinished)
            http.Response.Headers.RetryAfter = "1";
        if (EntityTags.NoneMatch(http.Request, tag))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        return TypedResults.Text(ChartSvg.Draw(await ChartsAsync(job, plot, db, cancellation)), $"{MediaType}; charset=utf-8");
    }

    private static async Task<IReadOnlyList<Chart>> ChartsAsync(Job job, string plot, TrainingDbContext db, CancellationToken cancellation)
    {
        if (plot is "loss" or "accuracy")
        {
            var metrics = await db.Metrics.AsNoTracking().Where(row => row.JobId == job.Id)
                .OrderBy(row => row.Step).ToListAsync(cancellation);
            return [plot == "loss" ? JobCharts.Loss(job, metrics) : JobCharts.Accuracy(job, metrics)];
        }
        var layers = await db.Layers.AsNoTracking().Where(row => row.JobId == job.Id).OrderBy(row => row.Step).ToListAsync(cancellation);
        return plot switch
        {
            "sparsity" => JobCharts.Sparsity(job, layers),
            "gradient-flow" => JobCharts.GradientFlows(job, layers),
            _ => JobCharts.Activations(job, layers),
        };
    }
}
