using TrainingService.Engine.Activations;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.Memory;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Activations;

/// <summary>Sends single numbers through the engine's loops, one unit and as many samples as there are numbers.</summary>
internal sealed unsafe class ActivationHarness(ActivationSpec spec)
{
    private readonly Activation _activation = ActivationRegistry.Bind(spec);
    private readonly float _slope = (float)(spec.Init ?? 0);

    public static ActivationHarness Of(ActivationSpec spec)
    {
        var errors = new List<SpecError>();
        var resolved = ActivationRegistry.Resolve(spec, "", errors);
        Assert.Empty(errors);
        return new(resolved!);
    }

    public static ActivationHarness Of(GoldenFunction function) => Of(GoldenSpecs.Activation(function));

    public double[] Values(IEnumerable<double> x) => Run(x, backward: false);

    public double[] Derivatives(IEnumerable<double> x) => Run(x, backward: true);

    private double[] Run(IEnumerable<double> numbers, bool backward)
    {
        var x = numbers.Select(v => (float)v).ToArray();
        var blocks = Layout.Tiles(x.Length);
        using GuardedBuffer z = new(blocks * 32), h = new(blocks * 32), g = new(blocks * 32), slope = new([_slope]), bias = new(1), slopeGradient = new(1);
        x.CopyTo(z.Values);
        g.Values[..x.Length].Fill(1);
        _activation.Forward(z.Pointer, h.Pointer, 1, blocks, slope.Pointer, 0);
        if (backward)
            _activation.Backward(z.Pointer, h.Pointer, g.Pointer, 1, blocks, slope.Pointer, 0, bias.Pointer, slopeGradient.Pointer);
        foreach (var buffer in new[] { z, h, g, slope, bias, slopeGradient })
            buffer.AssertIntact();
        return [.. (backward ? g : h).Values[..x.Length].ToArray().Select(v => (double)v)];
    }
}
