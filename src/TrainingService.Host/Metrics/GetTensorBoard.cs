using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TensorBoard;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

public static class GetTensorBoard
{
    /// <summary>A job's measurements as TensorBoard's event file</summary>
    /// <remarks>
    /// Put it into a folder of its own and start TensorBoard there. Scalars are called `loss/train`, `accuracy/test`, `sparsity/hidden1`;
    /// histograms of the activations `activations/hidden1`. All rows are there, unsampled; times of day are interpolated over the run.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="200">The event file.</response>
    public static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Handle(Guid id, HttpContext http, TrainingDbContext db,
        TimeProvider clock, CancellationToken cancellation)
    {
        if (await db.Jobs.AsNoTracking().Where(j => j.Id == id)
            .Select(j => new { j.StartedAt, j.CreatedAt, j.FinishedAt, j.Step, j.Layers })
            .SingleOrDefaultAsync(cancellation) is not { } job)
            return GetJob.NotFound(id);
        if (job.FinishedAt is null)
            http.Response.Headers.RetryAfter = "1";
        var began = Seconds(job.StartedAt ?? job.CreatedAt);
        var perStep = Math.Max(0, Seconds(job.FinishedAt ?? clock.GetUtcNow()) - began) / Math.Max(1, job.Step);
        string[] names = [.. (job.Layers ?? []).OrderBy(layer => layer.Index).Select(layer => layer.Name)];
        return TypedResults.Stream(async stream =>
        {
            var file = new EventFile(stream);
            await file.BeginAsync(began, cancellation);
            await foreach (var row in db.Metrics.AsNoTracking().Where(m => m.JobId == id).OrderBy(m => m.Step).ThenBy(m => m.Split)
                .AsAsyncEnumerable().WithCancellation(cancellation))
                await file.WriteAsync(At(row.Step, Measures.OfMetrics.Select(measure =>
                    Scalar($"{measure.Name}/{Json.NameOf(row.Split)}", measure.Value(row)))), cancellation);
            await foreach (var row in db.Layers.AsNoTracking().Where(l => l.JobId == id).OrderBy(l => l.Step).ThenBy(l => l.Layer)
                .AsAsyncEnumerable().WithCancellation(cancellation))
            {
                var name = row.Layer < names.Length ? names[row.Layer] : $"{row.Layer}";
                await file.WriteAsync(At(row.Step, Measures.OfLayers.Select(measure => Scalar($"{measure.Name}/{name}", measure.Value(row)))
                    .Append(Distribution($"activations/{name}", row.Histogram))), cancellation);
            }
        }, "application/octet-stream", $"events.out.tfevents.{(long)began}.{id}");

        Event At(long step, IEnumerable<Summary.Types.Value?> values)
        {
            var summary = new Summary();
            summary.Value.AddRange(values.OfType<Summary.Types.Value>());
            return new() { WallTime = began + step * perStep, Step = step, Summary = summary };
        }
    }

    private static double Seconds(DateTimeOffset time) => time.ToUnixTimeMilliseconds() / 1000.0;

    private static Summary.Types.Value? Scalar(string tag, float? value) =>
        value is { } number ? new() { Tag = tag, SimpleValue = number } : null;

    /// <summary>Its sums are those of the buckets' centres: the numbers themselves are not kept.</summary>
    private static Summary.Types.Value? Distribution(string tag, Histogram? histogram)
    {
        if (histogram is null || histogram.Counts.Count == 0)
            return null;
        var width = ((double)histogram.High - histogram.Low) / histogram.Counts.Count;
        var proto = new HistogramProto { Min = histogram.Low, Max = histogram.High };
        foreach (var (bin, count) in histogram.Counts.Index())
        {
            var centre = histogram.Low + (bin + 0.5) * width;
            proto.Num += count;
            proto.Sum += count * centre;
            proto.SumSquares += count * centre * centre;
            proto.BucketLimit.Add(histogram.Low + (bin + 1) * width);
            proto.Bucket.Add(count);
        }
        return new() { Tag = tag, Histo = proto };
    }
}
