using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;

namespace TrainingService.Engine.Training;

/// <summary>
/// Nets drawn as a run would draw its own and measured on its rows as step 0 will be: what a new draw is like. Their seeds are no job's, so
/// that equal models on equal rows get equal answers whatever their seed is.
/// </summary>
internal sealed class PreflightDraws
{
    /// <summary>Nets that are measured forwards and backwards.</summary>
    public const int Nets = 50;

    private PreflightDraws(int layers, int nets) =>
        (Rms, Gradient, Dead) = (Table(layers, nets), Table(layers, nets), new int[layers]);

    /// <summary>Root mean square of h by layer and net.</summary>
    public double[][] Rms { get; }

    /// <summary>Root mean square of dC/dz by layer and net.</summary>
    public double[][] Gradient { get; }

    /// <summary>By layer: nets of which a layer up to this one is off in all units on all rows.</summary>
    public int[] Dead { get; }

    /// <summary>Draws and measures.</summary>
    /// <param name="plan">What would be trained.</param>
    /// <param name="data">Of its shape.</param>
    /// <param name="sorted">The rows that the layers are measured on, in the order of their norms.</param>
    /// <param name="most">How many of them to use at most.</param>
    /// <param name="nets">How many nets.</param>
    /// <param name="firstSeed">Of the first net.</param>
    /// <param name="cancellation">Looked at as often as in training.</param>
    public static unsafe PreflightDraws Measure(RunPlan plan, TrainingData data, int[] sorted, int most, int nets, long firstSeed,
        CancellationToken cancellation)
    {
        LinearPlan[] linear = [.. plan.Layers.SelectMany(l => l.Linear)];
        var scaled = linear.Any(l => l.Initializer.ScaledOnBatch(linear.Length));
        var (rows, weights) = Choose(sorted, most);
        var evaluation = plan.PickEvaluationRows();
        using var network = new Network(plan.Layers, data.Shape.Features, plan.CreateLoss(), 0,
            scaled ? Math.Max(rows.Length, Math.Min(sorted.Length, Trainer.ScalingRows)) : rows.Length, firstSeed,
            cancellation: cancellation);
        var draws = new PreflightDraws(linear.Length, nets);
        var squares = new double[linear.Length];
        for (var net = 0; net < nets; net++)
        {
            network.Redraw(firstSeed + net);
            Trainer.ScaleInitialWeights(network, data, evaluation);
            if (scaled || net == 0)
                network.Load(data.Train, rows);
            network.Forward();
            for (var i = 0; i < linear.Length; i++)
                draws.Rms[i][net] = Math.Sqrt(network.ActivationSquares(network.Observed[i], weights) / linear[i].Units);
            Array.Clear(squares);
            network.AddGradientSquares(squares, weights);
            for (var i = 0; i < linear.Length; i++)
                draws.Gradient[i][net] = Math.Sqrt(squares[i] / linear[i].Units);
        }
        return draws;
    }

    /// <summary>
    /// Rows with the shares of all that each stands for: the largest for themselves, others for ever more of their like, up to the k-th for
    /// (k/n)^3 of all. Where small signals vanish, the few largest rows make up the mean square.
    /// </summary>
    private static (int[] Rows, float[] Weights) Choose(int[] sorted, int most)
    {
        var count = Math.Min(sorted.Length, most);
        var (rows, weights) = (new int[count], new float[count]);
        var from = 0;
        for (var k = 0; k < count; k++)
        {
            var to = Math.Max(from + 1, (int)Math.Round(sorted.Length * Math.Pow((k + 1.0) / count, 3)));
            rows[k] = sorted[^((from + to + 1) / 2)];
            weights[k] = (float)(to - from) / sorted.Length;
            from = to;
        }
        return (rows, weights);
    }

    private static double[][] Table(int layers, int nets) => [.. Enumerable.Range(0, layers).Select(_ => new double[nets])];
}
