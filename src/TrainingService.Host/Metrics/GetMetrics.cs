using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

/// <summary>Which of a job's metrics.</summary>
public sealed record MetricFilter
{
    /// <summary>Of <see cref="Measures.OfMetrics"/>; an attribute can't ask it.</summary>
    public const string Name = "(loss|penalty|accuracy|rmse|r2|learningRate|gradientNorm)";

    /// <summary>Integers above it lose digits in JSON.</summary>
    public const double MaxStep = 9_007_199_254_740_991;

    [FromQuery(Name = "names"), RegularExpression($"^{Name}(,{Name})*$")]
    [Description("Only these, separated by commas: loss, penalty, accuracy, rmse, r2, learningRate, gradientNorm.")]
    public string? Names { get; init; }

    [FromQuery(Name = "split"), RegularExpression("^(train|validation|test)(,(train|validation|test))*$")]
    [Description("Only these, separated by commas: train, validation, test.")]
    public string? Split { get; init; }

    [FromQuery(Name = "fromStep"), Range(0, MaxStep), Description("Only from this step on.")]
    public long? FromStep { get; init; }

    [FromQuery(Name = "toStep"), Range(0, MaxStep), Description("Only up to this step, included.")]
    public long? ToStep { get; init; }

    [FromQuery(Name = "maxPoints"), Range(2, Points.Most), DefaultValue(Points.DefaultMax)]
    [Description("Most points of a series; one with more is thinned out, keeping its first and last point and its extremes. "
        + "Rows in other formats are never thinned out.")]
    public int? MaxPoints { get; init; }
}

/// <summary>A job's metrics as curves.</summary>
/// <param name="Series">One for each metric and split that was measured; empty before the first measurement.</param>
public sealed record MetricCurves(IReadOnlyList<MetricSeries> Series);

/// <summary>One metric on one split over the run.</summary>
/// <param name="Name">
/// loss (in the target's unit, without penalty, weighted where classes are), penalty (what activity L1 adds to it in training), accuracy,
/// rmse, r2, learningRate or gradientNorm.
/// </param>
/// <param name="Split">Which rows it was computed on.</param>
/// <param name="Points"><c>[step, epoch, value]</c> in the order of steps; what is not finite is "NaN", "Infinity" or "-Infinity".</param>
/// <param name="Downsampled">Whether points were left out to keep to <c>maxPoints</c>.</param>
public sealed record MetricSeries(string Name, Split Split, IReadOnlyList<double[]> Points, bool Downsampled);

public static class GetMetrics
{
    private static readonly Dictionary<string, Split> Splits =
        Enum.GetValues<Split>().ToDictionary(split => split.ToString().ToLowerInvariant());

    /// <summary>A job's loss, accuracy and gradient over time</summary>
    /// <remarks>
    /// While the job runs, the answer grows about twice a second. As <c>text/csv</c>, <c>application/x-ndjson</c> or
    /// <c>application/vnd.apache.parquet</c> all rows come unsampled, with the columns step, epoch, split, loss, penalty, accuracy, rmse,
    /// r2, learningRate, gradientNorm; what was not measured is empty or absent.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="filter">Which metrics.</param>
    /// <response code="200">The curves, or all rows as CSV, NDJSON or Parquet.</response>
    public static async Task<Results<Ok<MetricCurves>, PushStreamHttpResult, ProblemHttpResult>> Handle(Guid id,
        [AsParameters] MetricFilter filter, HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var measures = Chosen("/names", filter.Names, Measures.OfMetrics.ToDictionary(measure => measure.Name), errors);
        var splits = Chosen("/split", filter.Split, Splits, errors);
        CheckStep("/fromStep", filter.FromStep, errors);
        CheckStep("/toStep", filter.ToStep, errors);
        Points.Check(filter.MaxPoints, errors);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        if (RowExport.Choose(http.Request) is not { } mediaType)
            return RowExport.NotAcceptable(http.Request);
        if (await db.Jobs.Where(j => j.Id == id).Select(j => new { j.FinishedAt }).SingleOrDefaultAsync(cancellation) is not { } job)
            return Problems.NotFound($"There is no job {id}.");
        if (job.FinishedAt is null)
            http.Response.Headers.RetryAfter = "1";

        var (from, to) = (filter.FromStep ?? 0, filter.ToStep ?? long.MaxValue);
        var rows = db.Metrics.AsNoTracking().Where(m => m.JobId == id && m.Step >= from && m.Step <= to && splits.Contains(m.Split))
            .OrderBy(m => m.Step).ThenBy(m => m.Split).AsAsyncEnumerable();
        if (mediaType != RowExport.Json)
            return RowExport.Write(mediaType, rows,
            [
                new("step", typeof(long), row => row.Step),
                new("epoch", typeof(double), row => row.Epoch),
                new("split", typeof(string), row => row.Split.ToString().ToLowerInvariant()),
                .. measures.Select(measure => new RowField<MetricRow>(measure.Name, typeof(float), row => measure.Value(row))),
            ], cancellation);

        var curves = new Dictionary<(string Name, Split Split), List<double[]>>();
        await foreach (var row in rows.WithCancellation(cancellation))
            foreach (var measure in measures)
                if (measure.Value(row) is { } value)
                    Points.Add(curves, (measure.Name, row.Split), row.Step, row.Epoch, value);
        var max = filter.MaxPoints ?? Points.DefaultMax;
        return TypedResults.Ok(new MetricCurves([.. from measure in measures
                                                    from split in splits
                                                    let points = curves.GetValueOrDefault((measure.Name, split))
                                                    where points is not null
                                                    select new MetricSeries(measure.Name, split,
                                                        Extremes.Keep(points, max), points.Count > max)]));
    }

    private static void CheckStep(string pointer, long? step, List<SpecError> errors)
    {
        if (step is < 0 or > (long)MetricFilter.MaxStep)
            errors.Add(new(pointer, $"must be from 0 to {MetricFilter.MaxStep:F0}, not {step}"));
    }

    private static T[] Chosen<T>(string pointer, string? list, Dictionary<string, T> known, List<SpecError> errors)
    {
        if (list is null)
            return [.. known.Values];
        var names = list.Split(',', StringSplitOptions.TrimEntries);
        errors.AddRange(names.Where(name => !known.ContainsKey(name)).Select(name =>
            new SpecError(pointer,
                $"unknown name '{name}'; known are {string.Join(", ", known.Keys)}{Names.DidYouMean(name, known.Keys)}")));
        return [.. known.Where(entry => names.Contains(entry.Key)).Select(entry => entry.Value)];
    }
}
