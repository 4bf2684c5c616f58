using TrainingService.Engine.Data;

namespace TrainingService.Engine.Training;

/// <summary>
/// Losses before the first step of nets of a job's shape that begin as they should: weights by the initialiser that fits the activation,
/// biases 0, features and target standardised. By chance, and the more the deeper the net, some of them begin far above what guessing has.
/// </summary>
public static class UsualStart
{
    private const int Nets = 50, NetsIfDear = 10;

    /// <summary>Of the draws: no job's.</summary>
    private const long FirstSeed = 0x5EED_057A_0DD5_0000;

    /// <summary>The largest loss of 50 such nets, in the target's unit; of 10 where the net is large.</summary>
    /// <param name="plan">Of the job.</param>
    /// <param name="data">Its rows as they are given.</param>
    /// <param name="cancellation">Looked at as often as in training.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static double Largest(RunPlan plan, TrainingData data, CancellationToken cancellation = default)
    {
        int features = data.Shape.Features, numbers = data.Shape.Numbers;
        var picked = plan.PickEvaluationRows();
        int[] rows = [.. Enumerable.Range(0, picked.Length)];
        var inputs = new float[picked.Length * features];
        data.Train.Features.Read(picked, inputs);
        DataSplit train = new(rows.Length, Standardized(inputs, features),
            data.Train.Labels.Length == 0 ? [] : [.. picked.Select(row => data.Train.Labels[row])],
            data.Train.Values.Length == 0 ? [] : [.. picked.SelectMany(row => new ArraySegment<float>(data.Train.Values, row * numbers, numbers))]);
        var scale = train.Values.Length > 0 ? TargetScale.Of(train, numbers) : null;
        var draws = new PreflightDraws(plan.WithUsualWeights(), data with { Train = scale?.Apply(train) ?? train }, rows, rows);
        var largest = draws.Losses(draws.AreDear ? NetsIfDear : Nets, FirstSeed, cancellation).Max();
        return scale is null ? largest : largest * scale.Deviation * scale.Deviation;
    }

    private static float[] Standardized(float[] values, int features)
    {
        var rows = values.Length / features;
        for (var f = 0; f < features; f++)
        {
            double sum = 0, squares = 0;
            for (var i = f; i < values.Length; i += features)
                (sum, squares) = (sum + values[i], squares + (double)values[i] * values[i]);
            var mean = sum / rows;
            var deviation = Math.Sqrt(Math.Max(0, squares / rows - mean * mean));
            for (var i = f; i < values.Length; i += features)
                values[i] = deviation > 0 ? (float)((values[i] - mean) / deviation) : 0;
        }
        return values;
    }
}
