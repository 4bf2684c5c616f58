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

    /// <summary>Points of a curve, those at its ends included, and how many it may have where early stopping ends it.</summary>
    private const int Points = 10, MostPoints = 200;

    /// <summary>Rows that tell a layer's shares to a few percent, its entries being rows times units.</summary>
    private const int LeastRows = 64;

    /// <summary>
    /// The steps between evaluations of all rows, as few as keep all of them, those at the ends included, within their share. In a run so
    /// short that the ends alone take more, there are none in between.
    /// </summary>
    /// <param name="steps">Of the run.</param>
    /// <param name="batch">Rows of a step.</param>
    /// <param name="rows">Of an evaluation.</param>
    /// <param name="operations">Of one row.</param>
    public static int EverySteps(long steps, int batch, int rows, RowOperations operations)
    {
        var between = Math.Floor(Share * steps * Step(batch, operations) / Evaluation(rows, operations)) - 2;
        return (int)Math.Min(int.MaxValue, Math.Max(Least, Granularity * Math.Ceiling(steps / Math.Max(1, between + 1) / Granularity)));
    }

    /// <summary>
    /// The cadence where the request leaves it open, and the rows of the evaluations between the ends: all where so many give a curve
    /// enough points; else as many points, and the rows that the share then leaves to each, but so few not that they tell nothing.
    /// </summary>
    /// <param name="steps">Of the run.</param>
    /// <param name="least">After which it may stop early; <paramref name="steps"/> if it may not.</param>
    /// <param name="batch">Rows of a step.</param>
    /// <param name="rows">Of an evaluation at the ends.</param>
    /// <param name="operations">Of one row.</param>
    public static (int EverySteps, int Rows) Cadence(long steps, long least, int batch, int rows, RowOperations operations)
    {
        var every = EverySteps(steps, batch, rows, operations);
        // a point before the first step, one after each interval and one after the last step
        var most = Math.Max(1, Math.Max((least - 1) / (Points - 2), steps / MostPoints));
        if (every <= most)
            return (every, rows);
        var between = Math.Max(1, (steps - 1) / most);
        var left = Share * steps * Step(batch, operations) - 2 * Evaluation(rows, operations);
        var each = Math.Clamp(left / between / operations.Evaluation, LeastRows, int.MaxValue);
        return ((int)most, Math.Min(rows, (int)each / Layout.Lanes * Layout.Lanes));
    }

    // samples lie in blocks, full or not
    private static double Evaluation(int rows, RowOperations operations) => Layout.Padded(rows) * operations.Evaluation;

    private static double Step(int batch, RowOperations operations) => Layout.Padded(batch) * operations.Step;
}
