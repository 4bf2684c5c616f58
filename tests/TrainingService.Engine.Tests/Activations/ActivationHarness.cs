using TrainingService.Engine.Activations;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.Memory;

namespace TrainingService.Engine.Tests.Activations;

/// <summary>Sends single numbers through the engine's loops, evaluating.</summary>
internal sealed unsafe class ActivationHarness(ActivationFunction function)
{
    private readonly Activation _activation = function.Bind();
    private readonly float _slope = (float)(function.Slope?.Initial ?? 0);

    public static ActivationHarness Of(ActivationSpec spec)
    {
        var errors = new List<SpecError>();
        return new(ActivationRegistry.Resolve(spec, "", errors) ?? throw new ArgumentException(errors[0].Message));
    }

    public static ActivationHarness Of(GoldenFunction function) => Of(GoldenSpecs.Activation(function));

    public double[] Values(IEnumerable<double> x) => Run(x).Values;

    public double[] Derivatives(IEnumerable<double> x) => Run(x).Derivatives;

    /// <summary>Of a learned slope: a unit for each number.</summary>
    public double[] SlopeDerivatives(IEnumerable<double> x) => [.. x.Select(v => Run([v]).SlopeDerivative)];

    /// <summary>One unit and as many samples as there are numbers.</summary>
    private (double[] Values, double[] Derivatives, double SlopeDerivative) Run(IEnumerable<double> numbers)
    {
        var x = numbers.Select(v => (float)v).ToArray();
        var blocks = Layout.Tiles(x.Length);
        using GuardedBuffer z = new(blocks * 32), h = new(blocks * 32), g = new(blocks * 32), slope = new([_slope]), slopeGradient = new(1);
        x.CopyTo(z.Values);
        g.Values[..x.Length].Fill(1);
        _activation.Forward(z.Pointer, h.Pointer, 1, 0, blocks, slope.Pointer, 0, 0);
        _activation.Backward(z.Pointer, h.Pointer, g.Pointer, 1, x.Length, 0, 1, slope.Pointer, 0, slopeGradient.Pointer, 0, 0);
        foreach (var buffer in new[] { z, h, g, slope, slopeGradient })
            buffer.AssertIntact();
        return (Doubles(h), Doubles(g), slopeGradient.Values[0]);

        double[] Doubles(GuardedBuffer buffer) => [.. buffer.Values[..x.Length].ToArray().Select(v => (double)v)];
    }
}
