using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Diagnostics;

/// <summary>What the evaluations of the layers cost beside the training.</summary>
internal static class EvaluationCost
{
    /// <summary>
    /// Of the training's arithmetic. An evaluation takes 0.9 (large nets) to 1.4 times (tiny nets with gelu) what its arithmetic alone would make of a step's
    /// time, so this keeps all of them within 5 %.
    /// </summary>
    private const double Share = 0.035;

    private const int Least = 100, Granularity = 50;

    /// <summary>
    /// The steps between evaluations where the request leaves them open: as few as keep all evaluations, those at the ends included, within their share. In a
    /// run so short that the ends alone take more, there are none in between.
    /// </summary>
    /// <param name="steps">Of the run.</param>
    /// <param name="batch">Rows of a step.</param>
    /// <param name="stepOperations">Of one of them.</param>
    /// <param name="rows">Of an evaluation.</param>
    /// <param name="evaluationOperations">Of one of them.</param>
    public static int EverySteps(long steps, int batch, double stepOperations, int rows, double evaluationOperations)
    {
        // samples lie in blocks, full or not
        double evaluation = Layout.Padded(rows) * evaluationOperations, step = Layout.Padded(batch) * stepOperations;
        var between = Math.Floor(Share * steps * step / evaluation) - 2;
        return (int)Math.Min(int.MaxValue, Math.Max(Least, Granularity * Math.Ceiling(steps / Math.Max(1, between + 1) / Granularity)));
    }
}
