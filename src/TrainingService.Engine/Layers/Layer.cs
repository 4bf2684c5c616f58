using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>
/// The indices that layers get for their random streams. Linear layers count by themselves, so that nets with another activation,
/// norm or dropout begin with the same draws.
/// </summary>
internal struct LayerIndices
{
    public int Linear, Noise;
}

/// <summary>Numbers of tensors that lie one behind the other.</summary>
internal ref struct TensorReader(ReadOnlySpan<float> numbers)
{
    private ReadOnlySpan<float> _left = numbers;

    public ReadOnlySpan<float> Next(int count)
    {
        var next = _left[..count];
        _left = _left[count..];
        return next;
    }
}

/// <summary>A step of the network on a batch in blocks (units x samples).</summary>
internal abstract unsafe class Layer(Workspace workspace, int units)
{
    private readonly FloatBuffer _output = workspace.NewBuffer((long)workspace.Capacity * units);

    protected Workspace Workspace { get; } = workspace;

    public int Units { get; } = units;

    /// <summary>Of the batch at hand, in blocks.</summary>
    public float* Output => _output.At(0, Count);

    /// <summary>Which entry of <see cref="Workspace.GradientSquares"/> is this layer's; -1 for none.</summary>
    public int Observed { get; set; } = -1;

    /// <summary>Trained numbers, in the order of their documentation.</summary>
    public virtual IReadOnlyList<Parameters> Parameters => [];

    /// <summary>All that an evaluation needs: parameters and what else training changes.</summary>
    public virtual IEnumerable<FloatBuffer> Learned => Parameters.Select(p => p.Learned);

    /// <summary>Takes over the numbers of its step (see <see cref="LayerPlan.Step"/>), in the order of its tensors.</summary>
    public virtual void Learn(ref TensorReader numbers)
    {
        foreach (var parameters in Parameters)
            parameters.Set(numbers.Next(parameters.Count));
    }

    /// <summary>Writes what <see cref="Learn"/> takes, and leaves what is behind it.</summary>
    public virtual void Tell(ref Span<float> numbers)
    {
        foreach (var parameters in Parameters)
        {
            parameters.CopyTo(numbers);
            numbers = numbers[parameters.Count..];
        }
    }

    /// <summary>Computes <see cref="Output"/> of the workspace's samples.</summary>
    public abstract void Forward(float* input);

    /// <summary>
    /// Turns the workspace's gradient by the output into the one by the input, unless that is not <paramref name="wanted"/>, and hands the
    /// gradients of its own parameters to the optimiser. Padding behind the last sample comes and leaves as 0.
    /// </summary>
    public abstract void Backward(float* input, bool wanted);

    /// <summary>The gradient by the output, of the batch at hand, in blocks.</summary>
    protected float* Gradient => Workspace.Gradient(Units);

    /// <summary>Numbers of the batch at hand, padding included.</summary>
    protected long Count => Workspace.Blocks * 32L * Units;

    /// <summary>Updates a vector of parameters by its stored gradient, or leaves that for later.</summary>
    protected void Update(Parameters parameters)
    {
        if (Workspace.Optimizer is not { } optimizer || Workspace.StoresGradients)
            return;
        parameters.Norms = default;
        parameters.Update(optimizer, parameters.Gradient, 0, (int)parameters.Length, Workspace.Measured, ref parameters.Norms);
    }

    /// <summary>Tells whoever asked the sum of squares of the gradient as it is now, or that of each row.</summary>
    protected void Observe()
    {
        if (Observed >= 0 && Workspace.GradientSquares is { } squares)
            squares[Observed] += VectorMath.SumOfSquares(Gradient, Count);
        if (Observed >= 0 && Workspace.GradientRows is { } rows)
            VectorMath.SumsOfSquares(Gradient, Units, rows[Observed]);
    }
}
