using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Layers;

/// <summary>
/// What the layers of one network share: the batch at hand, the gradient on its way back, scratch memory, threads and the optimiser.
/// </summary>
internal sealed unsafe class Workspace : IDisposable
{
    private readonly List<FloatBuffer> _buffers = [];
    private readonly FloatBuffer _input, _inputPanels, _made, _panels, _gradient, _next;
    private bool _swapped;

    /// <param name="features">Columns of the data.</param>
    /// <param name="widest">Most units of a layer.</param>
    /// <param name="widestInput">Most inputs of a linear layer behind the first.</param>
    /// <param name="capacity">Most samples of a batch.</param>
    /// <param name="seed">Of weights and noise.</param>
    /// <param name="threads">Of this run.</param>
    /// <param name="states">Numbers that the optimiser keeps per parameter.</param>
    /// <param name="storesGradients">Whether weight gradients are kept until all are known, as clipping needs it.</param>
    /// <param name="cancellation">Ends the building, too, with an <see cref="OperationCanceledException"/>.</param>
    public Workspace(int features, int widest, int widestInput, int capacity, long seed, int threads, int states, bool storesGradients,
        CancellationToken cancellation)
    {
        Cancellation = cancellation;
        Features = features;
        Capacity = Layout.Padded(capacity);
        Seed = seed;
        States = states;
        StoresGradients = storesGradients;
        try
        {
            _input = NewBuffer((long)Capacity * features);
            _inputPanels = NewBuffer((long)Capacity * Layout.Padded(features));
            _made = NewBuffer(32L * features);
            _panels = NewBuffer((long)Capacity * Layout.Padded(widestInput));
            _gradient = NewBuffer((long)Capacity * widest);
            _next = NewBuffer((long)Capacity * widest);
            Team = new(threads);
        }
        catch
        {
            Free();
            throw;
        }
    }

    /// <summary>
    /// A buffer that is freed with the workspace: so nothing is left behind, however far the building of the layers came.
    /// </summary>
    public FloatBuffer NewBuffer(long length)
    {
        Cancellation.ThrowIfCancellationRequested();
        var buffer = new FloatBuffer(length);
        _buffers.Add(buffer);
        return buffer;
    }

    private void Free()
    {
        foreach (var buffer in _buffers)
            buffer.Dispose();
    }

    public int Features { get; }

    /// <summary>Most samples of a batch, a multiple of 32.</summary>
    public int Capacity { get; }

    public long Seed { get; }

    public int States { get; }

    public bool StoresGradients { get; }

    public Team Team { get; }

    /// <summary>Long pieces of work return early when it is cancelled; the caller throws.</summary>
    public CancellationToken Cancellation { get; set; }

    /// <summary>Samples of the batch at hand.</summary>
    public int Samples { get; set; }

    /// <summary>Blocks of 32 samples that it fills.</summary>
    public int Blocks => Layout.Tiles(Samples);

    /// <summary>Of the pass at hand, from 1; 0 when evaluating: no dropout, running statistics.</summary>
    public long Step { get; set; }

    public bool Training => Step > 0;

    /// <summary>Updates the parameters on the way back; null where they shall stay.</summary>
    public Optimizer? Optimizer { get; set; }

    /// <summary>Whether the step at hand sums the squares of gradients and parameters: someone will look at them.</summary>
    public bool Measured { get; set; }

    /// <summary>Where layers add up the squares of dC/dz, if anyone wants to know.</summary>
    public double[]? GradientSquares { get; set; }

    /// <summary>Where they put the same of each row, by layer, if anyone wants to know.</summary>
    public double[][]? GradientRows { get; set; }

    /// <summary>Called with each linear layer that has just computed z; null in training.</summary>
    public Action<Linear>? AfterLinear { get; set; }

    /// <summary>Weight of |h| of one entry in the loss.</summary>
    public float ActivityL1 { get; set; }

    /// <summary>The batch in blocks (features x samples).</summary>
    public float* Input => _input.At(0, Blocks * 32L * Features);

    /// <summary>The batch in panels (samples x features).</summary>
    public float* InputPanels => _inputPanels.At(0, Blocks * 32L * Layout.Padded(Features));

    /// <summary>Scratch for 32 rows (samples x features) that are made for the batch.</summary>
    public float* Made => _made.At(0, 32L * Features);

    /// <summary>Scratch for another layer's input in panels.</summary>
    public float* Panels(int features) => _panels.At(0, Blocks * 32L * Layout.Padded(features));

    /// <summary>Gradient by the output of the layer that is gone through, which has so many units.</summary>
    public float* Gradient(int units) => (_swapped ? _next : _gradient).At(0, Blocks * 32L * units);

    /// <summary>Where the gradient by its so many inputs goes, if not in place.</summary>
    public float* Next(int inputs) => (_swapped ? _gradient : _next).At(0, Blocks * 32L * inputs);

    /// <summary>Makes <see cref="Next"/> the gradient.</summary>
    public void Swap() => _swapped = !_swapped;

    public void Dispose()
    {
        Team.Dispose();
        Free();
    }

    /// <summary>Bytes of the buffers.</summary>
    public static long Bytes(int features, int widest, int widestInput, int capacity) =>
        sizeof(float) * (32L * features
            + (long)Layout.Padded(capacity) * (features + Layout.Padded(features) + Layout.Padded(widestInput) + 2L * widest));
}
