using System.Diagnostics;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Diagnostics;

/// <summary>Measures every layer on the same rows again and again, and remembers the lives of units.</summary>
/// <param name="network">At whatever step it is.</param>
/// <param name="split">The training rows.</param>
/// <param name="all">Those that are measured at the ends.</param>
/// <param name="some">Those that are measured in between, some of these or all.</param>
/// <param name="saturatedRows">On more than this share of them a unit must be saturated to count as such.</param>
/// <param name="epoch">Steps of one.</param>
internal sealed unsafe class LayerObserver(Network network, DataSplit split, int[] all, int[] some, double saturatedRows, long epoch)
{
    /// <summary>What counts (2 x 136) and histories (47) hold, and what is told of the units at the end (90).</summary>
    public const int BytesPerUnit = 410;

    /// <summary>What <see cref="Keep"/> adds.</summary>
    public const int KeptBytesPerUnit = 47;

    private const double NearDeadShare = 0.01;

    // those of the last measurement stay until the next one is done: it may be cancelled in its middle
    private ActivationCounts[] _counts = Empty(network), _next = Empty(network);
    private int _measured;
    private readonly UnitHistory?[] _histories =
        [.. network.Observed.Select(l => l.Activation is null ? null : new UnitHistory(l.Linear.Units))];
    // as they were at the weights that early stopping returns to
    private UnitHistory?[] _kept = [];
    private StepNorms[] _keptNorms = [];
    private readonly double[] _squares = new double[network.Observed.Count];

    /// <summary>
    /// Runs while layers are measured; not during the passes at a run's ends that tell the loss of the training rows, too.
    /// </summary>
    public Stopwatch Clock { get; } = new();

    /// <summary>Mean loss over the rows at the last measurement.</summary>
    public double MeanLoss { get; private set; }

    /// <summary>Share of the rows classified correctly at the last measurement; classes only.</summary>
    public double Accuracy { get; private set; }

    /// <summary>Takes note of the step that the network has just done.</summary>
    public void Follow(long step)
    {
        foreach (var (history, bias) in Followed)
            history.Follow(step, bias.Gradient);
    }

    /// <summary>Remembers the lives of the units and the last update's size, to be returned to together with the weights.</summary>
    public void Keep()
    {
        if (_kept.Length == 0)
            _kept = [.. _histories.Select((history, i) => history is null ? null : new UnitHistory(network.Observed[i].Linear.Units))];
        for (var i = 0; i < _kept.Length; i++)
            if (_histories[i] is { } history)
                _kept[i]?.CopyFrom(history);
        _keptNorms = [.. network.Observed.Select(l => l.Linear.Weight.Norms)];
    }

    /// <summary>Goes back to what <see cref="Keep"/> remembered.</summary>
    public void Return()
    {
        for (var i = 0; i < _kept.Length; i++)
        {
            if (_kept[i] is { } kept)
                _histories[i]?.CopyFrom(kept);
            network.Observed[i].Linear.Weight.Norms = _keptNorms[i];
        }
    }

    private (UnitHistory History, Parameters Bias)[] Followed => field ??=
        [.. _histories.Zip(network.Observed)
            .SelectMany(layer => layer.First is { } history && FunctionOf(layer.Second).DiesWhenOff
                ? new[] { (history, BiasOf(layer.Second)) } : [])];

    /// <summary>
    /// A point for each layer; before the first step and after the last one with a histogram, and if it is wanted the effective rank.
    /// </summary>
    public LayerPoint[] Measure(long step, double passed, bool atEnd, bool effectiveRank, CancellationToken cancellation)
    {
        Clock.Start();
        EffectiveRank[] ranks = effectiveRank ? [.. network.Observed.Select(l => new EffectiveRank(l.Linear.Units, all.Length))] : [];
        try
        {
            return Measure(step, passed, atEnd, ranks, cancellation);
        }
        finally
        {
            Clock.Stop();
            foreach (var rank in ranks)
                rank.Dispose();
        }
    }

    private LayerPoint[] Measure(long step, double passed, bool atEnd, EffectiveRank[] ranks, CancellationToken cancellation)
    {
        var (layers, rows) = (network.Observed, atEnd ? all : some);
        var histograms = atEnd ? layers.Select(l => new HistogramCounter(l.Linear.Units, rows.Length)).ToArray() : [];
        double loss = 0, weight = 0;
        var correct = 0;
        Array.Clear(_squares);
        foreach (var counts in _next)
            counts.Clear();
        for (var first = 0; first < rows.Length; first += network.Capacity)
        {
            if (atEnd)
                Clock.Stop();
            network.Load(split, rows.AsSpan(first, Math.Min(network.Capacity, rows.Length - first)));
            network.Forward();
            if (split.Labels.Length > 0)
                correct += network.Correct();
            Clock.Start();
            for (var i = 0; i < layers.Count; i++)
            {
                layers[i].Count(network.Samples, _next[i]);
                if (atEnd)
                    histograms[i].Add(layers[i].H, network.Samples);
                if (ranks.Length > 0)
                    ranks[i].Add(layers[i].H, network.Samples);
            }
            loss += network.AddGradientSquares(_squares);
            weight += network.LossWeight;
        }
        (_counts, _next, _measured) = (_next, _counts, rows.Length);
        MeanLoss = loss / weight;
        Accuracy = (double)correct / rows.Length;
        for (var i = 0; i < layers.Count; i++)
        {
            if (rows.Length < all.Length)
                _histories[i]?.Glance(step, _counts[i].Active, FunctionOf(layers[i]).DiesWhenOff ? epoch : null);
            else if (FunctionOf(layers[i]).DiesWhenOff)
                _histories[i]?.Evaluate(step, _counts[i].Active, Highest(_counts[i]),
                    new(BiasOf(layers[i]).Values, layers[i].Linear.Units));
            else
                _histories[i]?.Evaluate(step, _counts[i].Active, [], []);
        }
        return [.. layers.Select((_, i) => Point(step, passed, i) with
        {
            EffectiveRank = ranks.Length > 0 ? ranks[i].Value(cancellation) : null,
            Histogram = atEnd ? histograms[i].Value : null,
        })];
    }

    /// <summary>The units of a layer as the last measurement found them; none before the first.</summary>
    public UnitPoint[] Units(int layer)
    {
        if (_measured == 0)
            return [];
        var units = new UnitPoint[network.Observed[layer].Linear.Units];
        var counts = _counts[layer];
        double mean = counts.SumOfMagnitudes / units.Length;
        for (var n = 0; n < units.Length; n++)
        {
            var life = FunctionOf(network.Observed[layer]).DiesWhenOff ? _histories[layer]?[n] : null;
            var magnitude = Magnitude(counts, n);
            units[n] = new(n, State(layer, n, magnitude, mean), (float)counts.Active[n] / _measured, (float)(magnitude / _measured),
                life?.BornDead ?? false, life?.DiedAt, life?.RevivedAt, life?.Death);
        }
        return units;
    }

    private UnitState State(int layer, int n, double magnitude, double mean)
    {
        var counts = _counts[layer];
        var function = FunctionOf(network.Observed[layer]);
        return !double.IsFinite(magnitude) ? UnitState.NonFinite
            : network.Observed[layer].Activation is null ? UnitState.Alive
            : counts.Active[n] == 0 && _histories[layer]?.IsOff(n) != false ? !function.DiesWhenOff
                ? UnitState.NegativeLocked : _histories[layer]?[n].BornDead == true ? UnitState.BornDead : UnitState.Dead
            : counts.IsSaturated(function, n, _measured, saturatedRows) ? UnitState.Saturated
            : function.DiesWhenOff && IsNearDead(counts, n) ? UnitState.NearDead
            : magnitude <= 0.025 * mean ? UnitState.Dormant
            : UnitState.Alive;
    }

    private LayerPoint Point(long step, double passed, int index)
    {
        var layer = network.Observed[index];
        var (counts, units, function) = (_counts[index], layer.Linear.Units, FunctionOf(layer));
        var entries = (double)units * _measured;
        int nearDead = 0, saturated = 0;
        var dormant = (Zero: 0, Standard: 0, Tenth: 0);
        var mean = counts.SumOfMagnitudes / units;
        for (var n = 0; n < units; n++)
        {
            nearDead += IsNearDead(counts, n) ? 1 : 0;
            saturated += counts.IsSaturated(function, n, _measured, saturatedRows) ? 1 : 0;
            var magnitude = Magnitude(counts, n);
            dormant.Zero += magnitude <= 0 ? 1 : 0;
            dormant.Standard += magnitude <= 0.025 * mean ? 1 : 0;
            dormant.Tenth += magnitude <= 0.1 * mean ? 1 : 0;
        }
        var lives = _histories[index]?.Counts ?? default;
        var (bornDead, died) = function.DiesWhenOff ? (lives.BornDead, lives.Died) : (0, 0);
        var weight = layer.Linear.Weight;
        var slopes = layer.Activation?.Slopes?.Get();
        return new()
        {
            Step = step,
            Epoch = passed,
            Layer = index,
            Sparsity = (float)(counts.Zeros / entries),
            OffRate = (float)(counts.Off / entries),
            DeadFraction = (float)(bornDead + died) / units,
            BornDeadFraction = (float)bornDead / units,
            DiedFraction = (float)died / units,
            RevivedFraction = (float)lives.Revived / units,
            NearDeadFraction = function.DiesWhenOff ? (float)nearDead / units : 0,
            NegativeLockedFraction = function.DiesWhenOff || layer.Activation is null ? null : (float)(lives.BornDead + lives.Died) / units,
            DormantFraction = (float)dormant.Standard / units,
            DormantFractionAt0 = (float)dormant.Zero / units,
            DormantFractionAt10 = (float)dormant.Tenth / units,
            Saturation = (float)(counts.Saturated / entries),
            SaturationAbove95 = function.Bound is null ? null : (float)(counts.Above95 / entries),
            SaturationAbove99 = function.Bound is null ? null : (float)(counts.Above99 / entries),
            SaturatedUnitFraction = function.Bound is null ? null : (float)saturated / units,
            MeanActivation = (float)(counts.Sum / entries),
            RmsActivation = (float)Math.Sqrt(counts.SumOfSquares / entries),
            MeanAbsActivation = (float)(counts.SumOfMagnitudes / entries),
            GradientRms = (float)Math.Sqrt(_squares[index] / entries),
            WeightRms = (float)Math.Sqrt(VectorMath.SumOfSquares(weight.Values, weight.Length) / weight.Count),
            UpdateRatio = step == 0 ? null : (float)Math.Sqrt(weight.Norms.Update / weight.Norms.Parameter),
            Slope = slopes is null ? null : (float)slopes.Average(s => (double)s),
            SlopeMin = slopes?.Min(),
            SlopeMax = slopes?.Max(),
        };
    }

    private bool IsNearDead(ActivationCounts counts, int n) => counts.Active[n] > 0 && counts.Active[n] < NearDeadShare * _measured;

    private static double Magnitude(ActivationCounts counts, int unit)
    {
        var lanes = Vector512.LoadUnsafe(ref counts.Magnitudes[16 * unit]);
        return VectorMath.Sum(Vector512.WidenLower(lanes) + Vector512.WidenUpper(lanes));
    }

    private static float[] Highest(ActivationCounts counts)
    {
        var highest = new float[counts.Active.Length];
        for (var n = 0; n < highest.Length; n++)
        {
            highest[n] = float.NaN;
            // NaN only where there is nothing else
            foreach (var lane in counts.Highest.AsSpan(16 * n, 16))
                if (lane > highest[n] || float.IsNaN(highest[n]))
                    highest[n] = lane;
        }
        return highest;
    }

    private static ActivationCounts[] Empty(Network network) => [.. network.Observed.Select(l => new ActivationCounts(l.Linear.Units))];

    private static Activation FunctionOf(ObservedLayer layer) => layer.Function;

    /// <summary>What a unit's z is shifted by: the bias, or behind a norm, which undoes that, the norm's own.</summary>
    private static Parameters BiasOf(ObservedLayer layer) => layer.Before.Parameters[1];

    /// <summary>What a run that goes on elsewhere must know of the units' lives.</summary>
    public void Capture(BinaryWriter writer)
    {
        foreach (var history in _histories.Concat(_kept))
            history?.Capture(writer);
        foreach (var norms in _keptNorms)
            foreach (var number in (double[])[norms.Update, norms.Gradient, norms.Parameter])
                writer.Write(number);
    }

    /// <summary>What <see cref="Capture"/> wrote.</summary>
    /// <param name="reader">At the beginning of it.</param>
    /// <param name="kept">Whether <see cref="Keep"/> had been called.</param>
    public void Restore(BinaryReader reader, bool kept)
    {
        if (kept)
            Keep();
        foreach (var history in _histories.Concat(_kept))
            history?.Restore(reader);
        for (var i = 0; i < _keptNorms.Length; i++)
            _keptNorms[i] = new() { Update = reader.ReadDouble(), Gradient = reader.ReadDouble(), Parameter = reader.ReadDouble() };
    }
}
