using TrainingService.Engine.Activations;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Diagnostics;

/// <summary>Measures every layer on the same rows again and again; remembers which units were dead the first time.</summary>
internal sealed unsafe class LayerObserver(Network network, DataSplit split, int[] rows)
{
    private readonly int[][] _active = [.. network.Observed.Select(l => new int[l.Linear.Units])];
    private bool[][]? _bornDead;

    /// <summary>Mean loss over the rows at the last measurement.</summary>
    public double MeanLoss { get; private set; }

    /// <summary>Share of the rows classified correctly at the last measurement; classes only.</summary>
    public double Accuracy { get; private set; }

    /// <summary>A point for each layer.</summary>
    public LayerPoint[] Measure(long step, double epoch)
    {
        var layers = network.Observed;
        var counts = new ActivationCounts[layers.Count];
        var squares = new double[layers.Count];
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
            for (var i = 0; i < layers.Count; i++)
                Count(layers[i], ref counts[i], _active[i]);
            network.AddGradientSquares(squares);
        }
        MeanLoss = loss / rows.Length;
        Accuracy = (double)correct / rows.Length;
        _bornDead ??= [.. _active.Select(active => active.Select(count => count == 0).ToArray())];
        return [.. layers.Select((layer, i) => Point(step, epoch, i, layer, counts[i], squares[i]))];
    }

    private void Count(ObservedLayer layer, ref ActivationCounts counts, int[] active)
    {
        var slopes = layer.Activation?.Slopes is { } learned ? learned.Values : null;
        (layer.Activation?.Function ?? Identity).Count(layer.Z, layer.H, layer.Linear.Units, network.Samples, slopes, layer.Activation?.SlopeStride ?? 0,
            ref counts, active);
    }

    private LayerPoint Point(long step, double epoch, int index, ObservedLayer layer, in ActivationCounts counts, double squares)
    {
        var units = layer.Linear.Units;
        var entries = (double)units * rows.Length;
        int dead = 0, bornDead = 0;
        for (var n = 0; n < units; n++)
            if (_active[index][n] == 0)
            {
                dead++;
                if (_bornDead![index][n])
                    bornDead++;
            }
        var weight = layer.Linear.Weight;
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
            WeightRms: (float)Math.Sqrt(VectorMath.SumOfSquares(weight.Values, weight.Length) / weight.Count),
            UpdateRatio: step == 0 ? null : (float)Math.Sqrt(weight.Norms.Update / weight.Norms.Parameter),
            Slope: layer.Activation?.Slopes is { } slopes ? (float)slopes.Get().Average(s => (double)s) : null);
    }

    /// <summary>Which units were dead the first time, for a run that goes on elsewhere.</summary>
    public void Capture(BinaryWriter writer)
    {
        foreach (var layer in _bornDead!)
            foreach (var dead in layer)
                writer.Write(dead);
    }

    /// <summary>What <see cref="Capture"/> wrote.</summary>
    public void Restore(BinaryReader reader) => _bornDead = [.. _active.Select(layer => layer.Select(_ => reader.ReadBoolean()).ToArray())];

    private static readonly Activation Identity = new Activation<Identity>(default);
}
