using TrainingService.Engine.Memory;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Diagnostics;

/// <summary>What an evaluation of the layers costs beside the training.</summary>
internal static class EvaluationCost
{
    /// <summary>
    /// Of the training's arithmetic. An evaluation takes 0.9 (large nets) to 1.4 times (tiny nets with gelu) what its arithmetic alone would make of a step's
    /// time, so this keeps it within 5 %.
    /// </summary>
    private const double Share = 0.035;

    private const int Least = 100, Granularity = 50;

    /// <summary>The steps between evaluations where the request leaves them open.</summary>
    public static int EverySteps(RunPlan plan)
    {
        // samples lie in blocks, full or not
        double evaluation = Layout.Padded(plan.EvaluationRows) * plan.EvaluationOperations, step = Layout.Padded(plan.Capacity) * plan.StepOperations;
        return Math.Max(Least, Granularity * (int)Math.Ceiling(evaluation / step / Share / Granularity));
    }
}
