using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;

namespace TrainingService.Engine.Training;

/// <summary>
/// A net that has been trained, to be asked. It runs the layers that trained, so an output has the bits that the run's own evaluation
/// gave, whatever rows it is asked together with. One thread at a time; dispose it (the buffers are native memory).
/// </summary>
public sealed class TrainedNet : IDisposable
{
    private readonly Network _network;
    private readonly int _features, _outputs;
    private readonly int[] _rows;
    private readonly TargetScale _scale;

    /// <param name="plan">Of the run that trained it.</param>
    /// <param name="weights">What <see cref="Trainer.Weights"/> answered.</param>
    /// <param name="scale">The run's <see cref="TrainingResult.TargetScale"/>.</param>
    /// <param name="capacity">Rows that are computed at a time.</param>
    /// <exception cref="ArgumentException">The weights are not as many as the plan's net has.</exception>
    public TrainedNet(RunPlan plan, ReadOnlySpan<float> weights, TargetScale? scale = null, int capacity = 64)
    {
        var classes = plan.Data.Target == TargetKind.Classes;
        var wanted = Count(plan);
        if (weights.Length != wanted)
            throw new ArgumentException($"The net has {wanted} numbers, not {weights.Length}.", nameof(weights));
        (_features, _outputs) = (plan.Data.Features, plan.Layers[^1].Units);
        (Meaning, Columns) = (plan.Meaning, plan.Columns);
        _scale = scale ?? TargetScale.None(plan.Data.Numbers);
        _network = new([.. plan.Layers.Select(l => l.Undrawn)], _features, plan.Training.Loss.Create(classes), 0, capacity, 0);
        _network.Learn(weights);
        _rows = new int[_network.Capacity];
    }

    /// <summary>What its outputs mean.</summary>
    public OutputKind Meaning { get; }

    /// <summary>How its outputs become numbers in the target's unit.</summary>
    public TargetScale Scale => _scale;

    /// <inheritdoc cref="RunPlan.Columns"/>
    public int Columns { get; }

    /// <summary>What such a net does, from the input on.</summary>
    /// <param name="plan">Of the run that trained it.</param>
    /// <param name="weights">What <see cref="Trainer.Weights"/> answered, as little-endian bytes: the tensors are parts of it.</param>
    public static IReadOnlyList<NetStep> Steps(RunPlan plan, ReadOnlyMemory<byte> weights)
    {
        var tensors = new StoredTensors(weights);
        return [.. plan.Layers.Select((layer, i) => layer.Step($"{i}.", tensors))];
    }

    /// <summary>Bytes that such a net holds at most.</summary>
    public static long Bytes(RunPlan plan, int capacity = 64) =>
        Network.Bytes(plan.Layers, plan.Data.Features, 0, capacity, false, false);

    /// <summary>Numbers of all tensors, running statistics included.</summary>
    public static long Count(RunPlan plan) =>
        plan.Layers.SelectMany(l => l.Flat).Sum(l => l is ResidualPlan ? 0 : l.Parameters + l.Running);

    /// <summary>Answers rows.</summary>
    /// <param name="features">(rows, columns) row by row: encoded, imputed and scaled as the training rows were.</param>
    /// <param name="values">Gets (rows, <see cref="Columns"/>): probabilities or scores, or numbers in the target's unit.</param>
    /// <param name="classes">Gets the class that each row is taken for, -1 where an output is NaN; empty for a number target.</param>
    public void Answer(float[] features, Span<double> values, Span<int> classes)
    {
        var rows = features.Length / _features;
        var split = new DataSplit(rows, features, [], []);
        for (var first = 0; first < rows; first += _rows.Length)
        {
            var batch = Run(split, first);
            for (var s = 0; s < batch; s++)
                Interpret(s, values.Slice((first + s) * Columns, Columns));
            if (classes.Length > 0)
                _network.Predict(classes.Slice(first, batch));
        }
    }

    /// <summary>The last layer's outputs as they are, (rows, units) row by row.</summary>
    public float[] Outputs(float[] features)
    {
        var rows = features.Length / _features;
        var (split, outputs) = (new DataSplit(rows, features, [], []), new float[(long)rows * _outputs]);
        for (var first = 0; first < rows; first += _rows.Length)
        {
            var batch = Run(split, first);
            for (var s = 0; s < batch; s++)
                for (var unit = 0; unit < _outputs; unit++)
                    outputs[(long)(first + s) * _outputs + unit] = _network.Output(s, unit);
        }
        return outputs;
    }

    private int Run(DataSplit split, int first)
    {
        var batch = Math.Min(_rows.Length, split.Rows - first);
        for (var s = 0; s < batch; s++)
            _rows[s] = first + s;
        _network.Load(split, _rows.AsSpan(0, batch));
        _network.Forward();
        return batch;
    }

    private void Interpret(int sample, Span<double> values)
    {
        if (Meaning is OutputKind.Logit)
        {
            var p = 1 / (1 + Math.Exp(-(double)_network.Output(sample, 0)));
            (values[0], values[1]) = (1 - p, p);
            return;
        }
        double top = double.NegativeInfinity, sum = 0;
        for (var unit = 0; unit < _outputs; unit++)
        {
            double output = _network.Output(sample, unit);
            values[unit] = Meaning is OutputKind.Numbers ? output * _scale.Deviation + _scale.Means[unit] : output;
            top = Math.Max(top, output);
        }
        if (Meaning is not OutputKind.Logits)
            return;
        foreach (ref var value in values)
            sum += value = Math.Exp(value - top);
        foreach (ref var value in values)
            value /= sum;
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
