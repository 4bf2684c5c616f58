using System.Security.Cryptography;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Layers;

/// <summary>A linear layer with the activation behind it: what diagnostics call a layer.</summary>
/// <param name="Linear">Its weights.</param>
/// <param name="Activation">Null where the linear output is passed on as it is.</param>
/// <param name="Before">The layer whose output the activation reads: the linear one or a norm.</param>
internal sealed unsafe record ObservedLayer(Linear Linear, ActivationLayer? Activation, Layer Before)
{
    /// <summary>What the activation reads, in blocks.</summary>
    public float* Z => Before.Output;

    /// <summary>What it answers.</summary>
    public float* H => Activation is null ? Linear.Output : Activation.Output;

    /// <summary>The activation; the identity where there is none.</summary>
    public Activation Function => Activation?.Function ?? Identity;

    private static readonly Activation Identity = new Activation<Identity>(default);

    /// <summary>Adds what can be counted of the batch's first rows.</summary>
    public void Count(int samples, ActivationCounts counts) => Function.Count(Z, H, Linear.Units, samples,
        Activation?.Slopes is { } learned ? learned.Values : null, Activation?.SlopeStride ?? 0, counts);
}

/// <summary>
/// The layers and one batch on its way through them: <see cref="Load"/> rows, <see cref="Forward"/>, then either <see cref="Backward"/>,
/// which also updates the parameters, or <see cref="AddGradientSquares"/>, which changes nothing.
/// </summary>
internal sealed unsafe class Network : IDisposable
{
    private readonly Workspace _workspace;
    private readonly Sequence _sequence;
    private readonly ActivationLayer[] _activations;
    private readonly FloatBuffer[] _learned;
    private readonly int _outputs;
    private readonly int[] _labels;
    private float[] _values = [];
    private float* _output;

    /// <param name="layers">From the input on; the output layer is last.</param>
    /// <param name="features">Columns of the data.</param>
    /// <param name="loss">On the last layer's output.</param>
    /// <param name="states">Numbers that the optimiser keeps per parameter.</param>
    /// <param name="capacity">Most samples of a batch.</param>
    /// <param name="seed">Of weights and noise.</param>
    /// <param name="threads">Of this run.</param>
    /// <param name="storesGradients">Whether weight gradients are kept until all are known.</param>
    /// <param name="cancellation">Of the building, and until it is set anew of what follows.</param>
    /// <exception cref="OperationCanceledException">What was built by then is freed.</exception>
    public Network(IReadOnlyList<LayerPlan> layers, int features, Loss loss, int states, int capacity,
        long seed, int threads = 1, bool storesGradients = false, CancellationToken cancellation = default)
    {
        Loss = loss;
        var widestInput = Widest(layers, l => l is LinearPlan linear ? linear.Inputs : 0);
        _workspace = new(features, Widest(layers, l => l.Units), widestInput,
            capacity, seed, threads, states, storesGradients, cancellation);
        try
        {
            var first = default(LayerIndices);
            _sequence = Sequence.Create(layers, _workspace, ref first);
        }
        catch
        {
            Dispose();
            throw;
        }
        _outputs = layers[^1].Units;
        _labels = new int[Capacity];
        Parameters = [.. _sequence.Layers.SelectMany(l => l.Parameters)];
        _learned = [.. _sequence.Layers.SelectMany(l => l.Learned)];
        Observed = Observe(_sequence);
        _activations = [.. Flat(_sequence).OfType<ActivationLayer>()];
        for (var i = 0; i < Observed.Count; i++)
            (Observed[i].Activation ?? (Layer)Observed[i].Linear).Observed = i;
    }

    public Loss Loss { get; }

    /// <summary>Draws other weights and biases from the same distributions; all else stays.</summary>
    public void Redraw(long seed)
    {
        foreach (var layer in Observed)
            layer.Linear.Redraw(seed);
    }

    /// <summary>In the order of the layers: weight, bias; slopes; gamma, beta.</summary>
    public Parameters[] Parameters { get; }

    /// <summary>The linear layers in order; the output layer is last.</summary>
    public IReadOnlyList<ObservedLayer> Observed { get; }

    public IReadOnlyList<Layer> Layers => _sequence.Layers;

    /// <summary>Most samples of a batch, a multiple of 32.</summary>
    public int Capacity => _workspace.Capacity;

    /// <summary>Samples of the batch that was loaded last.</summary>
    public int Samples => _workspace.Samples;

    /// <summary>Ends a pass in the middle with an <see cref="OperationCanceledException"/>.</summary>
    public CancellationToken Cancellation
    {
        set => _workspace.Cancellation = value;
    }

    /// <summary>Weight of the mean over rows of the sum of |h| in the loss.</summary>
    public double ActivityL1 { get; init; }

    /// <summary>
    /// Bytes that a network of these layers holds at most: at the end of its building or, where a layer needs much
    /// scratch memory, on the way there.
    /// </summary>
    /// <param name="layers">From the input on; the output layer is last.</param>
    /// <param name="features">Columns of the data.</param>
    /// <param name="states">Numbers that the optimiser keeps per parameter.</param>
    /// <param name="capacity">Most samples of a batch.</param>
    /// <param name="storesGradients">Whether weight gradients are kept until all are known.</param>
    /// <param name="snapshot">Whether there is a <see cref="NewSnapshot"/>.</param>
    public static long Bytes(IReadOnlyList<LayerPlan> layers, int features, int states, int capacity, bool storesGradients, bool snapshot)
    {
        var held = Workspace.Bytes(features, Widest(layers, l => l.Units),
            Widest(layers, l => l is LinearPlan linear ? linear.Inputs : 0), capacity);
        var most = held;
        foreach (var layer in layers.SelectMany(l => l.Flat))
        {
            held += sizeof(float) * (layer.PaddedMatrices * (1 + states + (storesGradients ? 1 : 0)) + layer.PaddedVectors * (2 + states)
                + Layout.Padded(capacity) * layer.Kept + layer.Own);
            most = Math.Max(most, held + sizeof(float) * layer.Scratch);
        }
        return Math.Max(most, held
            + (snapshot ? sizeof(float) * layers.SelectMany(l => l.Flat).Sum(l => l.PaddedMatrices + l.PaddedVectors + l.Running) : 0));
    }

    /// <summary>Gathers rows of a split as the batch.</summary>
    public void Load(DataSplit split, ReadOnlySpan<int> rows)
    {
        _workspace.Samples = rows.Length;
        if (split.Features is FloatRows inMemory)
            fixed (float* features = inMemory.All())
            fixed (int* indices = rows)
                Gather.Batch(features, indices, rows.Length, _workspace.Features,
                    _workspace.InputPanels, _workspace.Input, _workspace.Blocks);
        else
            Gather.Batch(split.Features, rows, _workspace.Made, _workspace.InputPanels, _workspace.Input, _workspace.Blocks);
        var (labels, numbers) = (split.Labels, split.Values.Length / Math.Max(1, split.Rows));
        if (labels.Length > 0)
            for (var s = 0; s < rows.Length; s++)
                _labels[s] = labels[rows[s]];
        else
        {
            if (_values.Length == 0)
                _values = new float[Capacity * numbers];
            for (var s = 0; s < rows.Length; s++)
                split.Values.AsSpan(rows[s] * numbers, numbers).CopyTo(_values.AsSpan(s * numbers));
        }
    }

    /// <summary>
    /// Computes all layers. <paramref name="step"/> (from 1) selects the noise of dropout and random slopes; 0 evaluates.
    /// </summary>
    public void Forward(long step = 0)
    {
        _workspace.Step = step;
        _output = _sequence.Forward(_workspace.Input);
    }

    /// <summary>Sum of the losses of the batch's rows.</summary>
    public double LossSum() => LossSum(null, 0);

    private double LossSum(float* gradient, float scale)
    {
        fixed (int* labels = _labels)
        fixed (float* values = _values)
            return Loss.Sum(_output, _outputs, Samples, new(labels, values), gradient, scale);
    }

    /// <summary>What that sum is divided by to be a mean: the batch's rows, or the sum of their classes' weights.</summary>
    public double LossWeight
    {
        get
        {
            fixed (int* labels = _labels)
                return Loss.Weight(Samples, new(labels, null));
        }
    }

    private float LossScale
    {
        get
        {
            fixed (int* labels = _labels)
                return Loss.Scale(Samples, new(labels, null));
        }
    }

    /// <summary>The class that each row of the batch is taken for; -1 where an output is NaN.</summary>
    public void Predict(Span<int> classes) => Loss.Predict(_output, _outputs, Samples, classes);

    /// <summary>What activity L1 adds to the sum of the rows' losses.</summary>
    public double PenaltySum()
    {
        if (ActivityL1 == 0)
            return 0;
        double sum = 0;
        foreach (var activation in _activations)
            sum += Reduction.SumMagnitudes(activation.Output, activation.Units, Samples);
        return ActivityL1 * sum;
    }

    /// <summary>Rows of the batch that are classified correctly; classes only.</summary>
    public int Correct()
    {
        fixed (int* labels = _labels)
            return Loss.Correct(_output, _outputs, Samples, new(labels, null));
    }

    /// <summary>One output of the batch.</summary>
    public float Output(int sample, int unit) => _output[Layout.Block(unit, sample, _outputs)];

    /// <summary>
    /// Brings the gradient of the batch's mean loss (and activity penalty) back and updates every parameter on the way, or at the end if it
    /// is to be clipped. Answers the sum of the losses of the batch's rows.
    /// </summary>
    /// <param name="optimizer">With the step's numbers.</param>
    /// <param name="clipNorm">Most that the gradient's 2-norm may be; only where gradients are stored.</param>
    /// <param name="measured">Whether the norms of gradients and parameters will be asked for.</param>
    public double Backward(Optimizer optimizer, double? clipNorm = null, bool measured = true)
    {
        _workspace.ActivityL1 = (float)(ActivityL1 / Samples);
        _workspace.Optimizer = optimizer;
        _workspace.Measured = measured;
        var loss = Descend(LossScale);
        _workspace.Optimizer = null;
        if (_workspace.StoresGradients)
            UpdateAll(optimizer, clipNorm);
        else
            GradientNorm = measured ? SumOfNorms() : double.NaN;
        return loss;
    }

    /// <summary>The 2-norm of the whole gradient of the last step, before clipping; NaN if that step was not measured.</summary>
    public double GradientNorm { get; private set; }

    private double SumOfNorms()
    {
        var squares = 0.0;
        foreach (var parameters in Parameters)
            squares += parameters.Norms.Gradient;
        return Math.Sqrt(squares);
    }

    private void UpdateAll(Optimizer optimizer, double? clipNorm)
    {
        var squares = 0.0;
        foreach (var parameters in Parameters)
            squares += VectorMath.SumOfSquares(parameters.Gradient, parameters.Length);
        GradientNorm = Math.Sqrt(squares);
        foreach (var p in Parameters)
        {
            if (GradientNorm > clipNorm)
                Reduction.Scale(p.Gradient, (float)(clipNorm.Value / (GradientNorm + 1e-6)), p.Length);
            p.Norms = default;
            p.Update(optimizer, p.Gradient, 0, (int)p.Length, _workspace.Measured, ref p.Norms);
        }
    }

    /// <summary>False if the last step made a parameter infinite or NaN, or nearly so.</summary>
    public bool UpdatesAreFinite
    {
        get
        {
            foreach (var parameters in Parameters)
                if (!double.IsFinite(parameters.Norms.Update))
                    return false;
            return true;
        }
    }

    /// <summary>
    /// Adds the sums of squares over rows and units of dC/dz, C the loss of one row without penalty, per observed layer; answers the sum
    /// of losses.
    /// </summary>
    public double AddGradientSquares(double[] squares)
    {
        _workspace.ActivityL1 = 0;
        _workspace.GradientSquares = squares;
        var loss = Descend(1);
        _workspace.GradientSquares = null;
        return loss;
    }

    /// <summary>
    /// Sums over the units of h^2 and of (dC/dz)^2, C the loss of one row without penalty: of each observed layer and row.
    /// </summary>
    public void RowSquares(double[][] activations, double[][] gradients)
    {
        for (var i = 0; i < Observed.Count; i++)
            VectorMath.SumsOfSquares(Observed[i].H, Observed[i].Linear.Units, activations[i]);
        _workspace.ActivityL1 = 0;
        _workspace.GradientRows = gradients;
        Descend(1);
        _workspace.GradientRows = null;
    }

    private double Descend(float scale)
    {
        var loss = LossSum(_workspace.Gradient(_outputs), scale);
        _sequence.Backward(_workspace.Input, wanted: false);
        return loss;
    }

    /// <summary>Whether none of the layer's units has z &gt; 0 on any row of the batch.</summary>
    public bool IsOff(ObservedLayer layer)
    {
        for (var s = 0; s < Samples; s++)
            for (var unit = 0; unit < layer.Linear.Units; unit++)
                if (!(layer.Z[Layout.Block(unit, s, layer.Linear.Units)] <= 0))
                    return false;
        return true;
    }

    /// <summary>
    /// Scales the weights of the linear layers that <paramref name="which"/> selects, from the input on, until z has variance 1 over the
    /// rows given (Mishkin &amp; Matas 2016, algorithm 1: at most 10 times, to 1 %).
    /// </summary>
    /// <exception cref="OperationCanceledException">Within one layer's pass or scaling.</exception>
    public void ScaleToUnitVariance(Func<LinearPlan, bool> which, DataSplit split, ReadOnlySpan<int> rows)
    {
        if (rows.Length > Capacity)
        {
            var all = rows.ToArray();
            foreach (var layer in Observed)
                Scale(layer.Linear, () => Variance(layer.Linear, split, all), () => { });
            return;
        }
        // one batch keeps what a layer reads, so that each is scaled where a single pass comes by: to the same numbers
        Load(split, rows);
        _workspace.AfterLinear =
            layer => Scale(layer, () => Variance(layer, Count(layer, new(layer.Units)), Samples), layer.ForwardAgain);
        try
        {
            Forward();
        }
        finally
        {
            _workspace.AfterLinear = null;
        }

        void Scale(Linear layer, Func<double> measure, Action scaled)
        {
            for (var attempt = 0; attempt < 10 && which(layer.Plan); attempt++)
            {
                var variance = measure();
                if (!(variance > 0) || !double.IsFinite(variance) || Math.Abs(variance - 1) < 0.01)
                    break;
                layer.Weight.Divide(Math.Sqrt(variance));
                scaled();
            }
        }
    }

    private double Variance(Linear layer, DataSplit split, int[] rows)
    {
        var counts = new Activations.ActivationCounts(layer.Units);
        for (var first = 0; first < rows.Length; first += Capacity)
        {
            Load(split, rows.AsSpan(first, Math.Min(Capacity, rows.Length - first)));
            Forward();
            Count(layer, counts);
        }
        return Variance(layer, counts, rows.Length);
    }

    private Activations.ActivationCounts Count(Linear layer, Activations.ActivationCounts counts)
    {
        Identity.Count(layer.Output, layer.Output, layer.Units, Samples, null, 0, counts);
        return counts;
    }

    private static double Variance(Linear layer, Activations.ActivationCounts counts, int rows)
    {
        var entries = (double)rows * layer.Units;
        var mean = counts.Sum / entries;
        return counts.SumOfSquares / entries - mean * mean;
    }

    /// <summary>
    /// The name of the first layer with a z or h of the batch that is not finite, or else with such a parameter (the step's update has
    /// spread by now what began in one layer); null if there is none.
    /// </summary>
    public string? FirstNonFinite()
    {
        foreach (var layer in Observed)
            for (var s = 0; s < Samples; s++)
                for (var n = 0; n < layer.Linear.Units; n++)
                {
                    var at = Layout.Block(n, s, layer.Linear.Units);
                    if (!float.IsFinite(layer.Z[at]) || !float.IsFinite(layer.H[at]))
                        return layer.Linear.Plan.Name;
                }
        foreach (var layer in Observed)
            foreach (var parameters in layer.Linear.Parameters.Concat(layer.Before.Parameters).Concat(layer.Activation?.Parameters ?? []))
                if (!parameters.AreFinite)
                    return layer.Linear.Plan.Name;
        return null;
    }

    /// <summary>SHA-256 over all parameters as little-endian float32, in order; matrices (out, in) row by row.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var parameters in Parameters)
            parameters.AppendTo(hash);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Takes over the tensors of a network of the same layers, one behind the other.</summary>
    public void Learn(ReadOnlySpan<float> numbers)
    {
        var reader = new TensorReader(numbers);
        _sequence.Learn(ref reader);
    }

    /// <summary>Writes what <see cref="Learn"/> takes.</summary>
    public void Tell(Span<float> numbers) => _sequence.Tell(ref numbers);

    /// <summary>Room for what <see cref="CopyTo"/> copies; freed with the network.</summary>
    public FloatBuffer NewSnapshot() => _workspace.NewBuffer(_learned.Sum(b => b.Length));

    /// <summary>Copies parameters and running statistics.</summary>
    public void CopyTo(FloatBuffer snapshot)
    {
        var at = 0L;
        foreach (var buffer in _learned)
        {
            buffer.CopyTo(snapshot.At(at, buffer.Length));
            at += buffer.Length;
        }
    }

    /// <summary>Copies back what <see cref="CopyTo"/> copied; the optimiser's states stay as they are.</summary>
    public void CopyFrom(FloatBuffer snapshot)
    {
        var at = 0L;
        foreach (var buffer in _learned)
        {
            buffer.CopyFrom(snapshot.At(at, buffer.Length));
            at += buffer.Length;
        }
    }

    /// <summary>Parameters, running statistics and optimiser states, as they lie in memory.</summary>
    public void Capture(BinaryWriter writer)
    {
        foreach (var buffer in State)
            buffer.Capture(writer);
    }

    /// <summary>What <see cref="Capture"/> wrote, of a network of the same layers.</summary>
    public void Restore(BinaryReader reader)
    {
        foreach (var buffer in State)
            buffer.Restore(reader);
    }

    private IEnumerable<FloatBuffer> State => _learned.Concat(Parameters.SelectMany(p => p.States));

    public void Dispose() => _workspace.Dispose();

    private static readonly Activations.Activation<Activations.Identity> Identity = new(default);

    private static int Widest(IReadOnlyList<LayerPlan> layers, Func<LayerPlan, int> width) =>
        layers.Select(l => l is ResidualPlan residual ? Math.Max(residual.Units, Widest(residual.Branch, width)) : width(l))
            .DefaultIfEmpty().Max();

    private static IEnumerable<Layer> Flat(Sequence sequence) =>
        sequence.Layers.SelectMany(l => l is Residual residual ? Flat(residual.Branch) : [l]);

    private static List<ObservedLayer> Observe(Sequence sequence)
    {
        var result = new List<ObservedLayer>();
        for (var i = 0; i < sequence.Layers.Count; i++)
            switch (sequence.Layers[i])
            {
                case Linear linear:
                    // an activation belongs to the linear layer in front of it, with nothing but a norm between them
                    var next = i + 1;
                    if (next < sequence.Layers.Count && sequence.Layers[next] is Norm)
                        next++;
                    var activation = next < sequence.Layers.Count ? sequence.Layers[next] as ActivationLayer : null;
                    result.Add(new(linear, activation, activation is null ? linear : sequence.Layers[next - 1]));
                    break;
                case Residual residual:
                    result.AddRange(Observe(residual.Branch));
                    break;
            }
        return result;
    }
}
