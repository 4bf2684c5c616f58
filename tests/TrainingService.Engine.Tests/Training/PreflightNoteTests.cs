using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>Pairs that theory knows not to fit are named, with the layers that have them.</summary>
public class PreflightNoteTests
{
    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 8 };

    [Fact]
    public void Alpha_dropout_is_selus_and_dropout_is_not()
    {
        var note = Assert.Single(Notes(new() { Layers = [Dense, new() { Type = "alpha_dropout", Rate = 0.1 }, Dense] }));
        Assert.Equal(["hidden1"], note.Layers);
        Assert.Contains("behind relu", note.Text, StringComparison.Ordinal);
        ModelSpec selu = new() { Activation = new() { Name = "selu" }, Initializer = new() { Name = "lecun_normal" } };
        Assert.Empty(Notes(selu with { Layers = [Dense, new() { Type = "alpha_dropout", Rate = 0.1 }] }));
        // in the short form dropout behind selu is the alpha kind
        Assert.Empty(Notes(selu with { HiddenLayers = [8, 8], Dropout = 0.1 }));
        LayerSpec plain = new() { Type = "dropout", Rate = 0.1 };
        note = Assert.Single(Notes(selu with { Layers = [Dense, plain, Dense, plain] }));
        Assert.Equal(["hidden1", "hidden2"], note.Layers);
        Assert.Contains("alpha_dropout suits it", note.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sigmoid", "auto", 2, "No gain preserves both directions: activations keep their size at 1.85, gradients at 4.72")]
    [InlineData("softplus", "auto", 2, "No gain preserves both directions: activations keep their size at 1.04, gradients at 1.85")]
    [InlineData("selu", "kaiming_normal", 2, "draws 0.562 times that, by PyTorch's gain of 3/4")]
    [InlineData("gelu", "kaiming_normal", 15, "is unstable")]
    [InlineData("mish", "xavier_normal", 20, "is unstable")]
    [InlineData("relu", "xavier_normal", 30, "to 0.5 of its mean square in each of 3")]
    [InlineData("tanh", "torch_default", 5, "of its mean square in each of")]
    public void A_pair_that_does_not_fit_is_named(string activation, string initializer, int depth, string part) =>
        Assert.Contains(Notes(Net(activation, initializer, depth)),
            note => note.Text.Contains(part, StringComparison.Ordinal) && note.Layers.Count >= depth - 1);

    [Theory]
    [InlineData("relu", "kaiming_normal", 30), InlineData("relu", "auto", 30), InlineData("gelu", "kaiming_normal", 14)]
    [InlineData("gelu", "auto", 30), InlineData("tanh", "auto", 30), InlineData("selu", "lecun_normal", 30), InlineData("relu", "lsuv", 30)]
    [InlineData("relu", "xavier_normal", 2), InlineData("sigmoid", "xavier_normal", 1), InlineData("tanh", "kaiming_normal", 3)]
    public void A_pair_that_fits_gets_no_note(string activation, string initializer, int depth) =>
        Assert.Empty(Notes(Net(activation, initializer, depth)));

    [Fact]
    public void A_norm_makes_the_scale_of_the_weights_irrelevant() =>
        Assert.Empty(Notes(Net("relu", "xavier_normal", 30) with { Normalization = "batch_norm" }));

    private static ModelSpec Net(string activation, string initializer, int depth) => new()
    {
        HiddenLayers = [.. Enumerable.Repeat(8, depth)],
        Activation = new() { Name = activation },
        Initializer = new() { Name = initializer },
    };

    private static IReadOnlyList<PreflightNote> Notes(ModelSpec model)
    {
        var data = Runs.Blobs(features: 8);
        return Preflight.Theory(Runs.Plan(data, model), data).Notes ?? [];
    }
}
