using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.References;

/// <summary>
/// Mean losses over a batch and their gradients by the output, from the formulas. A target row holds the class, or the numbers.
/// </summary>
public static class ReferenceLoss
{
    public static (double Loss, double[][] Gradient) Of(GoldenLoss loss, double[][] outputs, double[][] targets)
    {
        var gradient = outputs.Select(row => new double[row.Length]).ToArray();
        var sum = 0.0;
        for (var r = 0; r < outputs.Length; r++)
            sum += Row(loss, outputs[r], targets[r], gradient[r]);
        // Cross-entropy is a mean over rows, the others are means over rows and outputs.
        var count = loss.Name == "cross_entropy" ? outputs.Length : outputs.Sum(row => row.Length);
        return (sum / count, [.. gradient.Select(row => row.Select(g => g / count).ToArray())]);
    }

    private static double Row(GoldenLoss loss, double[] z, double[] target, double[] gradient)
    {
        var logSum = z.Max() + Math.Log(z.Sum(v => Math.Exp(v - z.Max())));
        var sum = 0.0;
        for (var c = 0; c < z.Length; c++)
        {
            var (value, slope) = loss.Name switch
            {
                "cross_entropy" =>
                    CrossEntropy(z[c] - logSum, (1 - loss.LabelSmoothing) * ((int)target[0] == c ? 1 : 0) + loss.LabelSmoothing / z.Length),
                "binary_cross_entropy" => (SpecialFunctions.Softplus(z[c]) - target[c] * z[c], SpecialFunctions.Sigmoid(z[c]) - target[c]),
                "mse" => ((z[c] - target[c]) * (z[c] - target[c]), 2 * (z[c] - target[c])),
                "huber" => Huber(z[c] - target[c], loss.Delta),
                _ => throw new ArgumentException(loss.Name),
            };
            sum += value;
            gradient[c] = slope;
        }
        return sum;
    }

    private static (double, double) CrossEntropy(double logProbability, double q) =>
        (q == 0 ? 0 : -q * logProbability, Math.Exp(logProbability) - q);

    private static (double, double) Huber(double d, double delta) =>
        Math.Abs(d) <= delta ? (d * d / 2, d) : (delta * (Math.Abs(d) - delta / 2), delta * Math.Sign(d));
}
