using TrainingService.Engine.Memory;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Tests.Golden;
using Xunit;

namespace TrainingService.Engine.Tests.Layers;

[Trait("Category", "Kernel")]
public class DropoutLayerTests
{
    private const int Units = 100, Rows = 1000;

    /// <summary>On standard normal z, selu answers mean 0 and variance 1: alpha dropout must leave them, plain dropout does not.</summary>
    [Theory, InlineData(0.05), InlineData(0.3), InlineData(0.5), InlineData(0.9)]
    public void Alpha_dropout_keeps_mean_and_variance_of_a_selu_layer(double rate)
    {
        var (mean, variance, dropped) = Moments("alpha_dropout", rate);
        Assert.Equal(0, mean, 0.03);
        Assert.Equal(1, variance, 0.05);
        Assert.Equal(rate, dropped, 0.01);
        Assert.False(Math.Abs(Moments("dropout", rate).Variance - 1) < 0.04);
    }

    private static unsafe (double Mean, double Variance, double Dropped) Moments(string type, double rate)
    {
        GoldenLayer[] layers =
        [
            new() { Type = "activation", Name = "a", Units = Units, Function = new() { Name = "selu" } },
            new() { Type = type, Name = "b", Units = Units, Rate = rate },
            new() { Type = "dense", Name = "c", In = Units, Out = 1 },
        ];
        var random = new RandomStream(3, StreamPurpose.Weights, 0);
        using var engine = new EngineNetwork(layers, new("mse"), null, Rows);
        engine.Load([.. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, Units).Select(_ => random.Normals().Item1).ToArray())],
            [.. Enumerable.Range(0, Rows).Select(_ => new double[1])]);
        engine.Inner.Forward(1);
        var values = new List<double>();
        for (var s = 0; s < Rows; s++)
            for (var u = 0; u < Units; u++)
                values.Add(engine.Inner.Layers[1].Output[Layout.Block(u, s, Units)]);
        var mean = values.Average();
        var droppedValue = values.GroupBy(v => v).MaxBy(g => g.Count())!;
        return (mean, values.Average(v => (v - mean) * (v - mean)), droppedValue.Count() / (double)values.Count);
    }
}
