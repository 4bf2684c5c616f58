using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

/// <summary>What the layers of a job's net did over the run.</summary>
/// <param name="Layers">The dense layers from the input on; the last one is the output layer. Empty until the training begins.</param>
/// <param name="GradientFlow">
/// <c>[step, epoch, value]</c>: log10 of norm(dC/dz_1)/norm(dC/dz_L) over the first and the last hidden layer. Negative where the gradient
/// vanishes on its way back, "-Infinity" where it ends; left out where there is none in either layer.
/// </param>
/// <param name="Downsampled">Whether points were left out to keep to <c>maxPoints</c>.</param>
public sealed record LayerCurves(IReadOnlyList<LayerCurve> Layers, IReadOnlyList<double[]> GradientFlow, bool Downsampled);

/// <summary>One dense layer over the run.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Name">hidden1, hidden2, ... and output.</param>
/// <param name="Units">Number of outputs.</param>
/// <param name="Activation">Canonical name.</param>
/// <param name="Initializer">Canonical name.</param>
/// <param name="Series">
/// Points <c>[step, epoch, value]</c> from step 0 on, by name. Shares of entries: <c>sparsity</c> (h = 0), <c>offRate</c> (z &lt;= 0),
/// <c>saturation</c> (f'(z) below 5 % of the largest f'), <c>saturationAbove95</c> and <c>saturationAbove99</c> (|h| over its bound;
/// bounded activations only). Shares of units: <c>deadFraction</c> (z &lt;= 0 on every row of an activation that then passes no gradient),
/// which is the sum of <c>bornDeadFraction</c> (dead at step 0, too) and <c>diedFraction</c>; <c>negativeLockedFraction</c> (z &lt;= 0 on
/// every row of other activations); of all activations <c>offEveryRowFraction</c> (z &lt;= 0 on every row), <c>revivedFraction</c>
/// (not now, but at an earlier evaluation) and <c>cameBackFraction</c> (revived ones of those that ever were); <c>nearDeadFraction</c>
/// (z &gt; 0 on fewer than 1 % of the rows), <c>dormantFraction</c>, <c>dormantFractionAt0</c>, <c>dormantFractionAt10</c> (mean |h| at
/// most 0.025, 0, 0.1 of the layer's), <c>saturatedUnitFraction</c> (saturated on more than 99 % of the rows; bounded activations only).
/// Of h: <c>meanActivation</c>, <c>rmsActivation</c>, <c>activationVariance</c>, <c>meanAbsActivation</c>, <c>centredness</c>
/// (mean/rms), <c>relativeL1</c> (mean |h| / rms), <c>varianceRatio</c> (variance over that of the hidden layer before),
/// <c>effectiveRank</c> (where asked for; at both ends).
/// Of training: <c>gradientRms</c> (dC/dz), <c>updateRatio</c> (norm(dW)/norm(W) of the step; from the first on), <c>weightRms</c>,
/// <c>slope</c>, <c>slopeMin</c>, <c>slopeMax</c> (prelu only). A value that is not finite is "NaN", "Infinity" or "-Infinity".
/// </param>
/// <param name="Histograms">How its activations are distributed before training and at its end; exact zeros, which are
/// <c>sparsity</c>, are left out.</param>
public sealed record LayerCurve(int Index, string Name, int Units, string Activation, string Initializer,
    IReadOnlyDictionary<string, IReadOnlyList<double[]>> Series, IReadOnlyList<LayerHistogram> Histograms);

/// <summary>Counts of activations in equally wide bins.</summary>
/// <param name="Step">When it was taken.</param>
/// <param name="Low">Lower edge of the first bin.</param>
/// <param name="High">Upper edge of the last bin.</param>
/// <param name="Counts">By bin; the outer ones hold what lies beyond, too.</param>
public sealed record LayerHistogram(long Step, double Low, double High, IReadOnlyList<long> Counts);

public static class GetLayers
{
    private const string VarianceRatio = "varianceRatio";

    /// <summary>Sparsity, dead units, saturation and gradients of a job's layers over time</summary>
    /// <remarks>
    /// Measured on a fixed set of training rows with dropout off, before the first step, every <c>diagnostics.everySteps</c> steps and
    /// after the last. Where early stopping returns to the weights of an earlier step, the last point is of those, at the result's
    /// <c>weightsStep</c>. As <c>text/csv</c>, <c>application/x-ndjson</c> or <c>application/vnd.apache.parquet</c> all rows come
    /// unsampled, with the columns step, epoch, layer, name and one for each series.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="maxPoints">Most points of a series; one with more is thinned out, keeping its first and last
    /// point and its extremes.</param>
    /// <response code="200">The curves of every layer, or all rows as CSV, NDJSON or Parquet.</response>
    public static async Task<Results<Ok<LayerCurves>, PushStreamHttpResult, ProblemHttpResult>> Handle(Guid id,
        [FromQuery, Range(2, Points.Most), DefaultValue(Points.DefaultMax)] int? maxPoints,
        HttpContext http, TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        Points.Check(maxPoints, errors);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        if (RowExport.Choose(http.Request) is not { } mediaType)
            return RowExport.NotAcceptable(http.Request);
        if (await db.Jobs.Where(j => j.Id == id).Select(j => new { j.FinishedAt, j.Layers })
            .SingleOrDefaultAsync(cancellation) is not { } job)
            return Problems.NotFound($"There is no job {id}.");
        if (job.FinishedAt is null)
            http.Response.Headers.RetryAfter = "1";

        var layers = job.Layers ?? [];
        var rows = db.Layers.AsNoTracking().Where(r => r.JobId == id && r.Layer < layers.Count)
            .OrderBy(r => r.Step).ThenBy(r => r.Layer).AsAsyncEnumerable();
        if (mediaType != RowExport.Json)
            return RowExport.Write(mediaType, rows,
            [
                new("step", typeof(long), row => row.Step),
                new("epoch", typeof(double), row => row.Epoch),
                new("layer", typeof(long), row => (long)row.Layer),
                new("name", typeof(string), row => layers[row.Layer].Name),
                .. Measures.OfLayers.Select(measure => new RowField<LayerRow>(measure.Name, typeof(float), row => measure.Value(row))),
            ], cancellation);

        var curves = new Dictionary<(string Name, int Layer), List<double[]>>();
        var flow = new List<double[]>();
        var histograms = new List<(int Layer, LayerHistogram Histogram)>();
        LayerRow? first = null;
        double variance = 0;
        await foreach (var row in rows.WithCancellation(cancellation))
        {
            foreach (var measure in Measures.OfLayers)
                if (measure.Value(row) is { } value)
                    Points.Add(curves, (measure.Name, row.Layer), row.Step, row.Epoch, value);
            if (row.Layer > 0 && row.Layer <= GradientFlow.Last(layers) && variance != 0)
                Points.Add(curves, (VarianceRatio, row.Layer), row.Step, row.Epoch, (float)(row.ActivationVariance / variance));
            variance = row.ActivationVariance;
            if (row.Histogram is { } histogram)
                histograms.Add((row.Layer, new(row.Step, histogram.Low, histogram.High,
                    [.. histogram.Counts.Select(count => (long)count)])));
            if (row.Layer == 0)
                first = row;
            if (row.Layer == GradientFlow.Last(layers) && first is not null
                && GradientFlow.Of(first.GradientRms, row.GradientRms, layers) is { } ratio)
                flow.Add([row.Step, row.Epoch, ratio]);
        }
        var max = maxPoints ?? Points.DefaultMax;
        return TypedResults.Ok(new LayerCurves(
            [.. layers.Select(layer => new LayerCurve(layer.Index, layer.Name, layer.Units, layer.Activation, layer.Initializer,
                Measures.OfLayers.Select(measure => measure.Name).Append(VarianceRatio)
                    .Where(name => curves.ContainsKey((name, layer.Index)))
                    .ToDictionary(name => name, name => Extremes.Keep(curves[(name, layer.Index)], max)),
                [.. histograms.Where(h => h.Layer == layer.Index).Select(h => h.Histogram)]))],
            Extremes.Keep(flow, max),
            curves.Values.Append(flow).Any(points => points.Count > max)));
    }
}
