using TrainingService.Engine.Activations;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Diagnostics;

/// <summary>Measures every layer on the same rows again and again; remembers which units were dead the first time.</summary>
internal sealed unsafe class LayerObserver(Network network, DataSplit split, int[] rows)
{
    private readonly int[][] _active = [.. network.Layers.Select(l => new int[l.Plan.Outputs])];
    private bool[][]? _bornDead;

    /// <summary>Mean loss over the rows at the last measurement.</summary>
    public double MeanLoss { get; private set; }

    /// <summary>Share of the rows classified correctly at the last measurement; classes only.</summary>
    public double Accuracy { get; private set; }

    /// <summary>A point for each layer.</summary>
    public LayerPoint[] Measure(long step, double epoch)
    {
        var layers = network.Layers;
        var counts = new ActivationCounts[layers.Length];
        var squares = new double[layers.Length];
        var chunkSquares = new double[layers.Length];
        double loss = 0;
        var correct = 0;
        foreach (var active in _active)
            Array.Clear(active);
        for (var first = 0; first < rows.Length; first += network.Capacity)
        {
            network.Load(split, rows.AsSpan(first, Math.Min(network.Capacity, rows.Length - first)));
            network.Forward();
            loss += network.LossSum();
            if (split.Labels.Length > 0)
                correct += network.Correct();
            for (var i = 0; i < layers.Length; i++)
                layers[i].Activation.Count(layers[i].Z, layers[i].H, layers[i].Plan.Outputs, network.Samples, layers[i].Slopes.Values, layers[i].SlopeStride, ref counts[i], _active[i]);
            network.GradientSquares(chunkSquares);
            for (var i = 0; i < layers.Length; i++)
                squares[i] += chunkSquares[i];
        }
        MeanLoss = loss / rows.Length;
        Accuracy = (double)correct / rows.Length;
        _bornDead ??= [.. _active.Select(active => active.Select(count => count == 0).ToArray())];
        return [.. layers.Select((layer, i) => Point(step, epoch, i, layer, counts[i], squares[i]))];
    }

    private LayerPoint Point(long step, double epoch, int index, DenseLayer layer, in ActivationCounts counts, double squares)
    {
        var units = layer.Plan.Outputs;
        var entries = (double)units * rows.Length;
        int dead = 0, bornDead = 0;
        for (var n = 0; n < units; n++)
            if (_active[index][n] == 0)
            {
                dead++;
                if (_bornDead![index][n])
                    bornDead++;
            }
        var weights = (double)units * layer.Plan.Inputs;
        var slopes = new ReadOnlySpan<float>(layer.Slopes.Values, layer.Plan.Slopes);
        double slopeSum = 0;
        foreach (var slope in slopes)
            slopeSum += slope;
        return new(step, epoch, index,
            Sparsity: (float)(counts.Zeros / entries),
            OffRate: (float)(counts.Off / entries),
            DeadFraction: (float)dead / units,
            BornDeadFraction: (float)bornDead / units,
            DiedFraction: (float)(dead - bornDead) / units,
            Saturation: (float)(counts.Saturated / entries),
            MeanActivation: (float)(counts.Sum / entries),
            RmsActivation: (float)Math.Sqrt(counts.SumOfSquares / entries),
            MeanAbsActivation: (float)(counts.SumOfMagnitudes / entries),
            GradientRms: (float)Math.Sqrt(squares / entries),
            WeightRms: (float)Math.Sqrt(VectorMath.SumOfSquares(layer.Weights.Values, (long)Layout.Tiles(layer.Plan.Inputs) * units * 32) / weights),
            UpdateRatio: step == 0 ? null : (float)Math.Sqrt(layer.LastStep.Update / layer.LastStep.Parameter),
            Slope: slopes.Length == 0 ? null : (float)(slopeSum / slopes.Length));
    }
}
