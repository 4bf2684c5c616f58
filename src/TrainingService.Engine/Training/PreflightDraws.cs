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

    private const int LeastRows = 32;

    private PreflightDraws(int layers, int rows) =>
        (Rms, Gradient, Dead, Rows) = (Table(layers), Table(layers), new int[layers], rows);

    /// <summary>Rows that they were measured on.</summary>
    public int Rows { get; }

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
    /// <param name="rows">How many of them to use.</param>
    /// <param name="nets">How many nets.</param>
    /// <param name="firstSeed">Of the first net.</param>
    /// <param name="cancellation">Looked at as often as in training.</param>
    public static PreflightDraws Measure(RunPlan plan, TrainingData data, int[] sorted, int rows, int nets, long firstSeed,
        CancellationToken cancellation)
    {
        var scaled = plan.Layers.SelectMany(l => l.Linear).ToArray() is var linear
            && linear.Any(l => l.Initializer.ScaledOnBatch(linear.Length));
        int[] chosen = [.. Enumerable.Range(0, rows).Select(i => sorted[(int)((i + 0.5) * sorted.Length / rows)])];
        var capacity = scaled ? Math.Max(rows, Math.Min(sorted.Length, Trainer.ScalingRows)) : rows;
        var evaluation = plan.PickEvaluationRows();
        using var network = new Network(plan.Layers, data.Shape.Features, plan.CreateLoss(), 0, capacity, firstSeed,
            cancellation: cancellation);
        var draws = new PreflightDraws(linear.Length, rows);
        var counts = network.Observed.Select(l => new ActivationCounts(l.Linear.Units)).ToArray();
        var squares = new double[linear.Length];
        for (var net = 0; net < nets; net++)
        {
            network.Draw(firstSeed + net);
            Trainer.ScaleInitialWeights(network, data, evaluation);
            if (scaled || net == 0)
                network.Load(data.Train, chosen);
            network.Forward();
            for (var i = 0; i < linear.Length; i++)
            {
                var entries = (double)rows * linear[i].Units;
                counts[i].Clear();
                LayerObserver.Count(network.Observed[i], rows, counts[i]);
                draws.Rms[i][net] = Math.Sqrt(counts[i].SumOfSquares / entries);
            }
            Array.Clear(squares);
            network.AddGradientSquares(squares);
            for (var i = 0; i < linear.Length; i++)
                draws.Gradient[i][net] = Math.Sqrt(squares[i] / rows / linear[i].Units);
        }
        return draws;
    }

    private static double[][] Table(int layers) => [.. Enumerable.Range(0, layers).Select(_ => new double[Nets])];
}
