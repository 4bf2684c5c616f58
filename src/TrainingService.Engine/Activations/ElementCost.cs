using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Activations;

/// <summary>
/// An activation's own work, without the matrix products around it: f(z), and the gradient through it, of one layer's numbers that fit
/// the second-level cache. It has no clock: whoever runs it measures.
/// </summary>
public sealed unsafe class ElementCost : IDisposable
{
    private const int Units = 64, Samples = 256;

    private readonly Activation _activation;
    private readonly FloatBuffer _z = new(Elements), _h = new(Elements), _g = new(Elements);
    private readonly FloatBuffer _slopes = new(Units), _slopeGradients = new(Units);

    /// <param name="function">Which one.</param>
    public ElementCost(ActivationFunction function)
    {
        _activation = function.Bind();
        // from -2 to 2, in an order that no branch could learn
        for (var i = 0; i < Elements; i++)
            _z.All[i] = (i * 7919 % 4001 - 2000) / 1000f;
        _slopes.Span(0, Units).Fill((float)(function.Slope?.Initial ?? 0));
    }

    /// <summary>How many numbers each run takes forwards and back.</summary>
    public const int Elements = Units * Samples;

    /// <summary>
    /// Before each run, and not timed: the gradient is 1 again. Else slopes below 1 would multiply down to numbers that are slow.
    /// </summary>
    public void Reset() => _g.Span(0, Elements).Fill(1);

    /// <summary>Once forwards, once back.</summary>
    public void Run()
    {
        var stride = _activation.LearnsSlope ? 1 : 0;
        _activation.Forward(_z.All, _h.All, Units, 0, Samples / Layout.Lanes, _slopes.All, stride, 0);
        _activation.Backward(_z.All, _h.All, _g.All, Units, Samples, 0, Units, _slopes.All, stride, _slopeGradients.All, 0, 0);
    }

    /// <summary>Frees the numbers.</summary>
    public void Dispose()
    {
        foreach (var buffer in (FloatBuffer[])[_z, _h, _g, _slopes, _slopeGradients])
            buffer.Dispose();
    }
}
