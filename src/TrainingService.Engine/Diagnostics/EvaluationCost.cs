using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Diagnostics;

/// <summary>What the evaluations of the layers cost beside the training.</summary>
internal static class EvaluationCost
{
    /// <summary>
    /// Of the training's arithmetic. An evaluation takes 0.9 (large nets) to 1.4 times (tiny nets with gelu) what its arithmetic alone
    /// would make of a step's time, so this keeps all of them within 5 %.
    /// </summary>
    private const double Share = 0.035;

    private const int Least = 100, Granularity = 50;

    /// <summary>
    /// The steps between evaluations where the request leaves them open: as few as keep all evaluations, those at the ends included,
    /// within their share. In a run so short that the ends alone take more, there are none in between.
    /// </summary>
    /// <param name="steps">Of the run.</param>
    /// <param name="batch">Rows of a step.</param>
    /// <param name="rows">Of an evaluation.</param>
    /// <param name="operations">Of one row.</param>
    public static int EverySteps(long steps, int batch, int rows, RowOperations operations)
    {
        // samples lie in blocks, full or not
        double evaluation = Layout.Padded(rows) * operations.Evaluation, step = Layout.Padded(batch) * operations.Step;
        var between = Math.Floor(Share * steps * step / evaluation) - 2;
        return (int)Math.Min(int.MaxValue, Math.Max(Least, Granularity * Math.Ceiling(steps / Math.Max(1, between + 1) / Granularity)));
    }
}
