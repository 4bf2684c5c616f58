using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

/// <summary>What was predicted of a job's net, beside what its run measured at step 0.</summary>
/// <param name="Predicted">Null until the training begins.</param>
/// <param name="Measured">The layers at step 0, in the order of the prediction; empty until they are measured.</param>
/// <param name="GradientFlow">As measured; null until then, without a hidden layer, or where no gradient arrives.</param>
/// <param name="GradientFlowDifference">Measured less predicted; null where one is missing.</param>
public sealed record PreflightComparison(Preflight? Predicted, IReadOnlyList<PreflightMeasurement> Measured, float? GradientFlow,
    float? GradientFlowDifference);

/// <summary>A layer at step 0. A difference is measured / predicted - 1; null where nothing, or 0, was predicted.</summary>
/// <param name="Index">From 0; the output layer is last.</param>
/// <param name="Name">hidden1, hidden2, ... and output.</param>
/// <param name="Rms">Root mean square of the activation.</param>
/// <param name="RmsDifference">0.1: ten percent above the prediction.</param>
/// <param name="GradientRms">Root mean square of dC/dz, C the loss of one row.</param>
/// <param name="GradientRmsDifference">0.1: ten percent above the prediction.</param>
/// <param name="DeadFraction">Share of the units that were born dead.</param>
public sealed record PreflightMeasurement(int Index, string Name, float Rms,
    float? RmsDifference, float GradientRms, float? GradientRmsDifference, float DeadFraction);

public static class GetPreflight
{
    /// <summary>The pre-flight prediction beside the measurement at step 0</summary>
    /// <remarks>
    /// Mean-field theory predicts what nets of this shape are like before training. One draw of a wide net measures that within a few
    /// percent; narrow and deep ones stray within <c>rmsRange</c> and <c>gradientFlowRange</c>, which hold 95 % of all draws: by at
    /// least 50 draws of the net on the job's rows, or by theory for large nets and in sweeps (<c>basis</c>).
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <response code="200">Prediction and measurement.</response>
    public static async Task<Results<Ok<PreflightComparison>, ProblemHttpResult>> Handle(Guid id, HttpContext http, TrainingDbContext db,
        JobRules rules, DatasetRegistry datasets, CancellationToken cancellation)
    {
        if (await db.Jobs.Where(j => j.Id == id).Select(j => new { j.FinishedAt, j.Layers, j.Preflight, j.Spec, j.SweepId })
            .SingleOrDefaultAsync(cancellation) is not { } job)
            return Problems.NotFound($"There is no job {id}.");
        if (job.FinishedAt is null)
            http.Response.Headers.RetryAfter = "1";
        var predicted = job.Preflight ?? (job is { SweepId: not null, Layers: not null }
            ? CellPreflight.Of(job.Spec, rules, datasets, cancellation) : null);
        var layers = job.Layers ?? [];
        var rows = await db.Layers.AsNoTracking().Where(r => r.JobId == id && r.Step == 0 && r.Layer < layers.Count).OrderBy(r => r.Layer)
            .ToListAsync(cancellation);
        var flow = (float?)GradientFlow.Of(rows, layers);
        return TypedResults.Ok(new PreflightComparison(
            predicted,
            [.. rows.Select(row => Measurement(row, layers[row.Layer].Name, predicted?.Layers[row.Layer]))],
            flow, flow - predicted?.GradientFlow));
    }

    private static PreflightMeasurement Measurement(LayerRow row, string name, PreflightLayer? predicted) => new(row.Layer, name,
        row.RmsActivation, Difference(row.RmsActivation, predicted?.Rms), row.GradientRms,
        Difference(row.GradientRms, predicted?.GradientRms), row.DeadFraction);

    private static float? Difference(float measured, float? predicted) => predicted is null or 0 ? null : measured / predicted - 1;
}
