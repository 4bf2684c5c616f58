using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;
using Xunit;

namespace TrainingService.Engine.Tests.Initializers;

/// <summary>What an initialiser makes of one layer.</summary>
internal static unsafe class Initialized
{
    /// <returns>The weight (out, in) row by row, and the bias.</returns>
    public static (float[] Weight, float[] Bias) Of(InitializerSpec spec, int inputs, int outputs, long seed = 1, int layer = 0,
        ActivationSpec? activation = null, InitializerSpec? bias = null)
    {
        var errors = new List<SpecError>();
        var initializer = InitializerRegistry.Resolve(spec, "", errors)!;
        var biasInitializer = InitializerRegistry.ResolveBias(bias ?? new() { Name = "zeros" }, "", errors)!;
        var function = ActivationRegistry.Resolve(activation ?? new() { Name = "relu" }, "", errors)!;
        Assert.Empty(errors);
        var (weight, biases) = (new float[inputs * outputs], new float[outputs]);
        fixed (float* w = weight, b = biases)
            Initializer.Fill(initializer, biasInitializer, new(inputs, outputs, function), seed, layer,
                new(w, outputs, inputs, panels: false), new(b, 1, outputs, panels: false), TestContext.Current.CancellationToken);
        return (weight, biases);
    }
}
