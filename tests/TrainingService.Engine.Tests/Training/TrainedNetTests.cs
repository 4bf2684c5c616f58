using System.Runtime.InteropServices;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>A net that was trained elsewhere answers with the bits of the one that trained.</summary>
public class TrainedNetTests
{
    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 12 };

    private static readonly ModelSpec Everything = new()
    {
        Layers =
        [
            Dense, new() { Type = "batch_norm" },
            new()
            {
                Type = "residual",
                Layers = [Dense, new() { Type = "batch_norm" }, new() { Type = "alpha_dropout", Rate = 0.2 }, Dense],
            },
            new() { Type = "layer_norm" }, Dense with { Units = 37, Activation = new() { Name = "prelu", Shared = false } },
            new() { Type = "dropout", Rate = 0.3 }, Dense with { Activation = new() { Name = "prelu" } },
        ],
        Activation = new() { Name = "rrelu" },
        Initializer = new() { Name = "orthogonal" },
    };

    [Theory, InlineData(1), InlineData(32), InlineData(100)]
    public void It_answers_with_the_same_bits(int capacity)
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, Everything, new() { Epochs = 3, BatchSize = 16, EarlyStopping = new() { Patience = 1 } }, new());
        using var trainer = new Trainer(plan, data);
        var result = trainer.Run(CancellationToken.None);
        using var net = new TrainedNet(plan, trainer.Weights(), result.TargetScale, capacity);
        Assert.Equal(TrainedNet.Count(plan), trainer.Weights().Length);

        var test = data.Validation!;
        var outputs = net.Outputs(test.Features.All());
        var units = outputs.Length / test.Rows;
        var correct = 0;
        for (var first = 0; first < test.Rows; first += 16)
        {
            int[] rows = [.. Enumerable.Range(first, Math.Min(16, test.Rows - first))];
            trainer.Network.Load(test, rows);
            trainer.Network.Forward();
            correct += trainer.Network.Correct();
            foreach (var row in rows)
                for (var unit = 0; unit < units; unit++)
                    Assert.Equal(BitConverter.SingleToInt32Bits(trainer.Network.Output(row - first, unit)),
                        BitConverter.SingleToInt32Bits(outputs[row * units + unit]));
        }
        var (values, classes) = (new double[test.Rows * net.Columns], new int[test.Rows]);
        net.Answer(test.Features.All(), values, classes);
        Assert.Equal(correct, classes.Zip(test.Labels).Count(pair => pair.First == pair.Second));
        Assert.All(values.Chunk(net.Columns), row => Assert.Equal(1, row.Sum(), 1e-12));
        // a row's answer does not depend on those beside it
        var features = plan.Data.Features;
        Assert.Equal(outputs[(5 * units)..(6 * units)], net.Outputs(test.Features.All()[(5 * features)..(6 * features)]));
    }

    [Fact]
    public void It_says_what_its_outputs_mean()
    {
        Assert.Equal(OutputKind.Logits, new CrossEntropyPlan(0).Means(classes: true));
        Assert.Equal(OutputKind.Logit, new BinaryCrossEntropyPlan().Means(classes: true));
        Assert.Equal(OutputKind.Scores, new MeanSquaredErrorPlan().Means(classes: true));
        Assert.Equal(OutputKind.Numbers, new HuberPlan(1).Means(classes: false));
    }

    [Fact]
    public void Tensors_have_the_names_of_a_sequence_of_the_same_layers()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, Everything, new() { Epochs = 1 }, new());
        using var trainer = new Trainer(plan, data);
        byte[] weights = [.. MemoryMarshal.AsBytes<float>(trainer.Weights())];
        Tensor[] tensors = [.. TrainedNet.Steps(plan, weights).SelectMany(step => step.Tensors)];
        var names = tensors.Select(tensor => tensor.Name).ToList();
        Assert.Equal(names.Distinct(), names);
        Assert.Equal("0.weight", names[0]);
        Assert.Contains("2.running_var", names);
        Assert.Contains("3.branch.0.weight", names);
        Assert.All(tensors, tensor => Assert.Equal(tensor.Shape.Aggregate(1, (product, n) => product * n), tensor.Values.Length));
        // one behind the other, in the memory that was given
        var at = 0;
        foreach (var tensor in tensors)
        {
            Assert.True(MemoryMarshal.TryGetArray(tensor.Bytes, out var part));
            Assert.Equal((weights, at), (part.Array, part.Offset));
            at += part.Count;
        }
        Assert.Equal(weights.Length, at);
        // by their names, as they lie in the layers
        var network = trainer.Network;
        Assert.Equal(network.Observed[0].Linear.Weight.Get(), tensors.Single(t => t.Name == "0.weight").Values.ToArray());
        Assert.Equal(network.Observed[^1].Linear.Bias.Get(), tensors[^1].Values.ToArray());
        var norm = network.Layers.OfType<BatchNorm>().First();
        Assert.Equal(norm.RunningVariance.ToArray(), tensors.Single(t => t.Name == "2.running_var").Values.ToArray());
        var slopes = network.Layers.OfType<ActivationLayer>().First(layer => layer.SlopeStride == 1).Slopes;
        Assert.Equal(slopes?.Get(), tensors.First(t => t.Name.EndsWith("weight", StringComparison.Ordinal) && t.Shape is [37]
            && !names.Contains(t.Name.Replace("weight", "bias", StringComparison.Ordinal))).Values.ToArray());
    }

    [Fact]
    public void Weights_of_another_net_are_refused()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, Everything, new() { Epochs = 1 }, new());
        using var trainer = new Trainer(plan, data);
        Assert.Throws<ArgumentException>(() => new TrainedNet(plan, trainer.Weights().AsSpan(1)));
    }
}
