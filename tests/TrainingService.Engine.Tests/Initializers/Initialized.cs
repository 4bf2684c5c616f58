using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
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
        LinearPlan plan = new("", inputs, outputs, InitializerRegistry.Resolve(spec, "", errors)!,
            InitializerRegistry.ResolveBias(bias ?? new() { Name = "zeros" }, "", errors)!,
            ActivationRegistry.Resolve(activation ?? new() { Name = "relu" }, "", errors)!);
        Assert.Empty(errors);
        using Workspace workspace = new(1, 1, 1, capacity: 1, seed, threads: 1, states: 0, storesGradients: false);
        Parameters weight = Parameters.Matrix("weight", outputs, inputs, workspace), biases = Parameters.Vector("bias", outputs, workspace);
        InitializerRegistry.Initialize(plan, seed, layer, weight, biases);
        return (weight.Get(), biases.Get());
    }
}
