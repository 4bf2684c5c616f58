using System.Security.Cryptography;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Layers;

/// <summary>
/// The layers and one batch on its way through them: <see cref="Load"/> rows, <see cref="Forward"/>, then either <see cref="Backward"/>, which also updates the
/// parameters, or <see cref="GradientSquares"/>, which changes nothing.
/// </summary>
internal sealed unsafe class Network : IDisposable
{
    private readonly FloatBuffer _input, _inputPanels, _panels, _gradient, _nextGradient;
    private readonly float[] _values;
    private readonly int[] _labels;
    private readonly long _seed;
    private readonly int _features;
    private bool _droppedOut;
    private ulong _step;

    /// <param name="layers">From the input on; the output layer is last.</param>
    /// <param name="loss">On the output layer.</param>
    /// <param name="states">Numbers that the optimiser keeps per parameter.</param>
    /// <param name="capacity">Most samples of a batch.</param>
    /// <param name="seed">Of weights and dropout.</param>
    public Network(IReadOnlyList<DensePlan> layers, Loss loss, int states, int capacity, long seed)
    {
        Capacity = Layout.Padded(capacity);
        Loss = loss;
        var blocks = Capacity / 32;
        _seed = seed;
        _features = layers[0].Inputs;
        Layers = [.. layers.Select((plan, index) => new DenseLayer(plan, index, seed, states, blocks))];
        _input = new((long)blocks * _features * 32);
        _inputPanels = new((long)Layout.Tiles(_features) * Capacity * 32);
        _panels = new(layers.Skip(1).Select(l => (long)Layout.Tiles(l.Inputs) * Capacity * 32).DefaultIfEmpty().Max());
        var widest = (long)blocks * layers.Max(l => l.Outputs) * 32;
        _gradient = new(widest);
        _nextGradient = new(widest);
        _labels = new int[Capacity];
        _values = new float[Capacity * layers[^1].Outputs];
    }

    public DenseLayer[] Layers { get; }

    public Loss Loss { get; }

    /// <summary>Most samples of a batch, a multiple of 32.</summary>
    public int Capacity { get; }

    /// <summary>Samples of the batch that was loaded last.</summary>
    public int Samples { get; private set; }

    private int Blocks => Layout.Tiles(Samples);

    private DenseLayer Output => Layers[^1];

    /// <summary>
    /// Bytes that a network of these layers holds: parameters and states, four numbers per activation (z, h and two gradients), the input twice, one transposed input.
    /// </summary>
    public static long Bytes(IReadOnlyList<DensePlan> layers, int states, int capacity)
    {
        var samples = (long)Layout.Padded(capacity);
        var parameters = layers.Sum(l => (long)Layout.Padded(l.Inputs) * l.Outputs + Layout.Padded(l.Outputs) + Layout.Padded(l.Slopes)) * (1 + states);
        var activations = samples * (layers.Sum(l => 2L * l.Outputs + (l.Dropout > 0 ? l.Inputs : 0)) + 2L * layers.Max(l => l.Outputs));
        var inputs = samples * (layers[0].Inputs + Layout.Padded(layers[0].Inputs) + layers.Skip(1).Select(l => (long)Layout.Padded(l.Inputs)).DefaultIfEmpty().Max());
        return sizeof(float) * (parameters + activations + inputs);
    }

    /// <summary>Gathers rows of a split as the batch.</summary>
    public void Load(DataSplit split, ReadOnlySpan<int> rows)
    {
        Samples = rows.Length;
        var panelRows = Blocks * 32;
        var panelCount = Layout.Tiles(_features);
        for (var s = 0; s < panelRows; s++)
        {
            var row = s < rows.Length ? split.Features.AsSpan((int)((long)rows[s] * _features), _features) : default;
            for (var q = 0; q < panelCount; q++)
            {
                var target = new Span<float>(_inputPanels.Pointer + ((long)q * panelRows + s) * 32, 32);
                var length = Math.Min(32, row.Length - q * 32);
                if (length < 32)
                    target.Clear();
                if (length > 0)
                    row.Slice(q * 32, length).CopyTo(target);
            }
        }
        Transpose.PanelsToBlocks(_inputPanels.Pointer, _input.Pointer, _features, Blocks);

        var numbers = split.Values.Length / Math.Max(1, split.Rows);
        for (var s = 0; s < rows.Length; s++)
            if (split.Labels.Length > 0)
                _labels[s] = split.Labels[rows[s]];
            else
                split.Values.AsSpan(rows[s] * numbers, numbers).CopyTo(_values.AsSpan(s * numbers));
    }

    /// <summary>Computes all layers' z and h. <paramref name="step"/> (from 1) selects the dropout masks; 0 leaves dropout out.</summary>
    public void Forward(long step = 0)
    {
        _step = (ulong)step;
        _droppedOut = step > 0;
        var input = _input.Pointer;
        for (var i = 0; i < Layers.Length; i++)
        {
            var layer = Layers[i];
            if (_droppedOut && layer.Plan.Dropout > 0)
            {
                Dropout.Apply(input, layer.Dropped, layer.Plan.Inputs, Blocks, layer.Plan.Dropout, DropoutKey(i));
                input = layer.Dropped;
                if (i == 0)
                    Transpose.BlocksToPanels(input, _inputPanels.Pointer, _features, Blocks);
            }
            MatrixProduct.Forward(layer.Weights.Values, layer.Bias.Values, input, layer.Z, layer.Plan.Inputs, layer.Plan.Outputs, Blocks);
            layer.Activation.Forward(layer.Z, layer.H, layer.Plan.Outputs, Blocks, layer.Slopes.Values, layer.SlopeStride);
            input = layer.H;
        }
    }

    /// <summary>Sum of the losses of the batch's rows.</summary>
    public double LossSum()
    {
        fixed (int* labels = _labels)
        fixed (float* values = _values)
            return Loss.Sum(Output.H, Output.Plan.Outputs, Samples, new(labels, values));
    }

    /// <summary>Rows of the batch that are classified correctly; classes only.</summary>
    public int Correct()
    {
        fixed (int* labels = _labels)
            return Loss.Correct(Output.H, Output.Plan.Outputs, Samples, new(labels, null));
    }

    /// <summary>The outputs of the batch, (samples, outputs) row by row.</summary>
    public float[] Outputs()
    {
        var result = new float[Samples * Output.Plan.Outputs];
        for (var s = 0; s < Samples; s++)
            for (var c = 0; c < Output.Plan.Outputs; c++)
                result[s * Output.Plan.Outputs + c] = Output.H[Layout.Block(c, s, Output.Plan.Outputs)];
        return result;
    }

    /// <summary>Brings the gradient of the batch's mean loss back and updates every layer on the way. Answers the sum of squares of all gradients.</summary>
    public double Backward(Optimizer optimizer) => Descend(1f / Samples, optimizer, []);

    /// <summary>Sums of squares over rows and units of dC/dz per layer, C the loss of one row; changes no parameter.</summary>
    public void GradientSquares(Span<double> squares) => Descend(1, null, squares);

    private double Descend(float scale, Optimizer? optimizer, Span<double> squares)
    {
        float* gradient = _gradient.Pointer, next = _nextGradient.Pointer;
        fixed (int* labels = _labels)
        fixed (float* values = _values)
            Loss.Gradient(Output.H, gradient, Output.Plan.Outputs, Samples, new(labels, values), scale);
        var total = 0.0;
        for (var i = Layers.Length - 1; i >= 0; i--)
        {
            var layer = Layers[i];
            layer.Activation.Backward(layer.Z, layer.H, gradient, layer.Plan.Outputs, Blocks, layer.Slopes.Values, layer.SlopeStride, layer.BiasGradient, layer.SlopeGradient);
            if (squares.Length > 0)
                squares[i] = VectorMath.SumOfSquares(gradient, Blocks * 32L * layer.Plan.Outputs);
            if (i > 0)
                MatrixProduct.InputGradient(layer.Weights.Values, gradient, next, layer.Plan.Inputs, layer.Plan.Outputs, Blocks);
            if (optimizer is not null)
                total += Update(i, gradient, optimizer);
            if (i > 0 && _droppedOut && layer.Plan.Dropout > 0)
                Dropout.Apply(next, next, layer.Plan.Inputs, Blocks, layer.Plan.Dropout, DropoutKey(i));
            var free = gradient;
            gradient = next;
            next = free;
        }
        return total;
    }

    /// <summary>False if the last step made a weight infinite or NaN, or nearly so.</summary>
    public bool UpdatesAreFinite => Layers.All(l => double.IsFinite(l.LastStep.Update));

    /// <summary>Computes the weight gradient a tile at a time and hands it to the optimiser while it is in the cache.</summary>
    private double Update(int index, float* gradient, Optimizer optimizer)
    {
        var layer = Layers[index];
        int inputs = layer.Plan.Inputs, outputs = layer.Plan.Outputs;
        var panels = _inputPanels.Pointer;
        if (index > 0)
        {
            panels = _panels.Pointer;
            Transpose.BlocksToPanels(_droppedOut && layer.Plan.Dropout > 0 ? layer.Dropped : Layers[index - 1].H, panels, inputs, Blocks);
        }
        var weightNorms = default(StepNorms);
        var tile = stackalloc float[Tile.LargestRows * 32 + 16];
        tile = (float*)(((nint)tile + 63) & ~63);
        for (var q = 0; q < Layout.Tiles(inputs); q++)
            for (var n = 0; n < outputs;)
            {
                var rows = MatrixProduct.WeightGradient(gradient, panels + (long)q * Blocks * 1024, tile, n, outputs, Blocks);
                var at = ((long)q * outputs + n) * 32;
                optimizer.Apply(tile, layer.Weights.Values + at, layer.Weights.First + at, layer.Weights.Second + at, rows * 32, ref weightNorms);
                n += rows;
            }
        layer.LastStep = weightNorms;
        var norms = weightNorms;
        optimizer.Apply(layer.BiasGradient, layer.Bias.Values, layer.Bias.First, layer.Bias.Second, Layout.Padded(outputs), ref norms);
        if (layer.Plan.Slopes > 0)
            optimizer.Apply(layer.SlopeGradient, layer.Slopes.Values, layer.Slopes.First, layer.Slopes.Second, Layout.Padded(layer.Plan.Slopes), ref norms);
        return norms.Gradient;
    }

    private ulong DropoutKey(int layer) => RandomStream.Mix(RandomStream.Mix(RandomStream.Mix((ulong)_seed + ((ulong)StreamPurpose.Dropout << 56)) + (ulong)layer) + _step);

    /// <summary>
    /// The name of the first layer with a z of the batch, a weight, a bias or a slope that is not finite; null if there is none.
    /// </summary>
    public string? FirstNonFinite()
    {
        foreach (var layer in Layers)
        {
            var plan = layer.Plan;
            for (var s = 0; s < Samples; s++)
                for (var n = 0; n < plan.Outputs; n++)
                    if (!float.IsFinite(layer.Z[Layout.Block(n, s, plan.Outputs)]))
                        return plan.Name;
            foreach (var value in layer.GetWeight())
                if (!float.IsFinite(value))
                    return plan.Name;
            for (var n = 0; n < plan.Outputs; n++)
                if (!float.IsFinite(layer.Bias.Values[n]))
                    return plan.Name;
            for (var n = 0; n < plan.Slopes; n++)
                if (!float.IsFinite(layer.Slopes.Values[n]))
                    return plan.Name;
        }
        return null;
    }

    /// <summary>SHA-256 over all parameters as little-endian float32, layer by layer: weight (out, in) row by row, bias, slopes.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var layer in Layers)
        {
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(layer.GetWeight()));
            hash.AppendData(new ReadOnlySpan<byte>(layer.Bias.Values, layer.Plan.Outputs * sizeof(float)));
            hash.AppendData(new ReadOnlySpan<byte>(layer.Slopes.Values, layer.Plan.Slopes * sizeof(float)));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        foreach (var layer in Layers)
            layer.Dispose();
        _input.Dispose();
        _inputPanels.Dispose();
        _panels.Dispose();
        _gradient.Dispose();
        _nextGradient.Dispose();
    }
}
