using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.References;

/// <summary>
/// Mean losses over a batch and their gradients by the output, from the formulas. A target row holds the class, or the numbers.
/// </summary>
public static class ReferenceLoss
{
    /// <summary>
    /// The weighted mean sum_i l_i / sum_i w_{y_i} and its gradient, l_i holding the weights: of PyTorch's CrossEntropyLoss(weight,
    /// label_smoothing) l = -sum_c w_c q_c log p_c, of other losses w_y times the row's loss.
    /// </summary>
    public static (double Loss, double[][] Gradient) Weighted(GoldenLoss loss, double[][] outputs, int[] labels, double[] weights)
    {
        double sum = 0, weight = 0;
        var gradient = outputs.Select(row => new double[row.Length]).ToArray();
        for (var r = 0; r < outputs.Length; r++)
        {
            var (z, y) = (outputs[r], labels[r]);
            weight += weights[y];
            if (loss.Name == "cross_entropy")
            {
                var logSum = z.Max() + Math.Log(z.Sum(v => Math.Exp(v - z.Max())));
                double[] q = [.. z.Select((_, c) =>
                    weights[c] * ((1 - loss.LabelSmoothing) * (c == y ? 1 : 0) + loss.LabelSmoothing / z.Length))];
                for (var c = 0; c < z.Length; c++)
                {
                    sum -= q[c] * (z[c] - logSum);
                    gradient[r][c] = q.Sum() * Math.Exp(z[c] - logSum) - q[c];
                }
                continue;
            }
            double[] target = loss.Name == "binary_cross_entropy" ? [y] : [.. z.Select((_, c) => c == y ? 1.0 : 0)];
            sum += weights[y] * Row(loss, z, target, gradient[r]) / z.Length;
            for (var c = 0; c < z.Length; c++)
                gradient[r][c] *= weights[y] / z.Length;
        }
        return (sum / weight, [.. gradient.Select(row => row.Select(g => g / weight).ToArray())]);
    }

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
