using TrainingService.Engine.Diagnostics;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

public sealed class GradientFlowTests
{
    private static readonly LayerInfo[] Net =
        [new(0, "hidden1", 16, "relu", "auto"), new(1, "hidden2", 9, "relu", "auto"),
            new(2, "hidden3", 4, "relu", "auto"), new(3, "output", 10, "identity", "auto")];

    [Theory]
    // norms over all units: 4 times the first root mean square, twice the last one
    [InlineData(0.01f, 2, -2.0)]
    [InlineData(1, 0.02f, 2.0)]
    [InlineData(1, 2, 0.0)]
    [InlineData(0, 1, double.NegativeInfinity)]
    [InlineData(1, 0, double.PositiveInfinity)]
    [InlineData(0, 0, null)]
    [InlineData(float.PositiveInfinity, 1, double.NaN)]
    [InlineData(1, float.PositiveInfinity, double.NaN)]
    [InlineData(float.NaN, 0, double.NaN)]
    public void It_is_negative_where_the_first_hidden_layer_gets_less_than_the_last(float first, float last, double? expected)
    {
        var points = Net.Select((layer, i) =>
            new LayerPoint { Step = 0, Epoch = 0, Layer = i, GradientRms = i switch { 0 => first, 2 => last, _ => 7 } }).ToList();
        if (expected is { } value)
            Assert.Equal(value, GradientFlow.Of(points, Net)!.Value, 6);
        else
            Assert.Null(GradientFlow.Of(points, Net));
    }

    [Fact]
    public void There_is_none_without_a_hidden_layer_or_before_it_is_measured()
    {
        var point = new LayerPoint { Step = 0, Epoch = 0, Layer = 0, GradientRms = 1 };
        Assert.Null(GradientFlow.Of([point], Net));
        Assert.Null(GradientFlow.Of([point], [Net[^1]]));
    }
}
