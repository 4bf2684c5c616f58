using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;
using Xunit;

namespace TrainingService.Engine.Tests.Initializers;

/// <summary>What an initialiser makes of one layer.</summary>
internal static class Initialized
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
        Initializer.Fill(initializer, biasInitializer, new(inputs, outputs, function), seed, layer, weight, biases);
        return (weight, biases);
    }
}
