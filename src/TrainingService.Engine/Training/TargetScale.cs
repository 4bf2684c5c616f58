using TrainingService.Engine.Data;

namespace TrainingService.Engine.Training;

/// <summary>
/// The shift and scale by which a number target is standardised: y = mean + deviation t, t being what the network learns to give.
/// </summary>
/// <param name="Means">Of each number, over the training rows.</param>
/// <param name="Deviation">Root mean square over the training rows and all numbers of what is left (dividing by their count); 1 where
/// nothing is left.</param>
public sealed record TargetScale(IReadOnlyList<double> Means, double Deviation)
{
    /// <summary>Leaves the target in its own unit.</summary>
    public static TargetScale None(int numbers) => new(new double[numbers], 1);

    /// <summary>Of the training rows; what is not finite is left out, to show where it is learned from.</summary>
    internal static TargetScale Of(DataSplit train, int numbers)
    {
        double[] means = new double[numbers], counts = new double[numbers];
        for (var i = 0; i < train.Values.Length; i++)
            if (float.IsFinite(train.Values[i]))
                (means[i % numbers], counts[i % numbers]) = (means[i % numbers] + train.Values[i], counts[i % numbers] + 1);
        for (var n = 0; n < numbers; n++)
            means[n] /= Math.Max(1, counts[n]);
        double squares = 0;
        for (var i = 0; i < train.Values.Length; i++)
            if (float.IsFinite(train.Values[i]) && train.Values[i] - means[i % numbers] is var left)
                squares += left * left;
        var deviation = Math.Sqrt(squares / Math.Max(1, counts.Sum()));
        return new(means, deviation > 0 ? deviation : 1);
    }

    /// <summary>The same rows with the target that the network learns.</summary>
    internal DataSplit Apply(DataSplit split) =>
        split with { Values = [.. split.Values.Select((value, i) => (float)((value - Means[i % Means.Count]) / Deviation))] };
}
