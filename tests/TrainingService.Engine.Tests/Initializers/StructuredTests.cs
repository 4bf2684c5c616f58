using TrainingService.Engine.Data;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Tests.Training;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Initializers;

/// <summary>Initialisers that are more than a distribution.</summary>
public class StructuredTests
{
    [Theory, InlineData(1, 1), InlineData(7, 7), InlineData(40, 130),
        InlineData(130, 40), InlineData(1, 9), InlineData(9, 1), InlineData(257, 256)]
    public void Orthogonal_rows_or_columns_are_orthonormal_times_gain(int outputs, int inputs)
    {
        foreach (var gain in new[] { 1, 2.5 })
        {
            var weight = Initialized.Of(new() { Name = "orthogonal", Gain = gain }, inputs, outputs).Weight;
            int count = Math.Min(inputs, outputs), length = Math.Max(inputs, outputs);
            double At(int vector, int k) => outputs <= inputs ? weight[vector * inputs + k] : weight[k * inputs + vector];
            for (var a = 0; a < count; a++)
                for (var b = 0; b <= a; b++)
                    Assert.Equal(a == b ? gain * gain : 0, Enumerable.Range(0, length).Sum(k => At(a, k) * At(b, k)), 1e-5 * gain * gain);
        }
    }

    [Fact]
    public void Orthogonal_matrices_favour_no_direction()
    {
        // a QR decomposition without its signs made unique has a diagonal that leans to one side
        var diagonals = Enumerable.Range(0, 500)
            .SelectMany(seed => Initialized.Of(new() { Name = "orthogonal" }, 4, 4, seed).Weight.Where((_, i) => i % 5 == 0)).ToArray();
        Assert.Equal(0, diagonals.Average(), 0.06);
        Assert.Equal(0.25, diagonals.Average(v => v * v), 0.03);
    }

    [Theory, InlineData(0.1, 30, 3), InlineData(0.5, 31, 16), InlineData(0, 20, 0), InlineData(0.99, 10, 10)]
    public void Sparse_columns_all_have_the_same_share_of_zeros(double sparsity, int outputs, int zeros)
    {
        const int inputs = 400;
        var weight = Initialized.Of(new() { Name = "sparse", Sparsity = sparsity, Std = 0.3 }, inputs, outputs).Weight;
        var rows = new int[outputs];
        for (var column = 0; column < inputs; column++)
        {
            var empty = Enumerable.Range(0, outputs).Where(row => weight[row * inputs + column] == 0).ToArray();
            Assert.Equal(zeros, empty.Length);
            foreach (var row in empty)
                rows[row]++;
        }
        // the rows are drawn evenly
        var expected = inputs * zeros / (double)outputs;
        Assert.All(rows, r => Assert.InRange(r, expected - 5 * Math.Sqrt(expected + 1), expected + 5 * Math.Sqrt(expected + 1)));
        if (zeros < outputs)
            Assert.Equal(0.3, Math.Sqrt(weight.Where(w => w != 0).Average(w => (double)w * w)), 0.01);
    }

    [Fact]
    public void Rai_puts_one_beta_number_into_every_row_of_weight_and_bias()
    {
        const int inputs = 900, outputs = 1800;
        InitializerSpec rai = new() { Name = "rai" };
        var (weight, bias) = Initialized.Of(rai, inputs, outputs, bias: rai);
        var deviation = 0.6007 / Math.Sqrt(inputs);
        var places = new List<int>();
        var large = new List<double>();
        var rest = new List<double>();
        for (var row = 0; row < outputs; row++)
        {
            var numbers = weight.Skip(row * inputs).Take(inputs).Append(bias[row]).Select(v => (double)v).ToArray();
            var most = Array.IndexOf(numbers, numbers.Max());
            Assert.True(numbers[most] > 0);
            // nothing else is far out
            Assert.DoesNotContain(numbers.Where((_, i) => i != most), v => Math.Abs(v) > 6 * deviation);
            places.Add(most);
            large.Add(numbers[most]);
            rest.AddRange(numbers.Where((_, i) => i != most));
        }
        Assert.Equal(deviation, Math.Sqrt(rest.Average(v => v * v)), 0.01 * deviation);
        // Beta(2, 1): its square is uniform
        for (var share = 0.2; share < 0.95; share += 0.1)
            Assert.Equal(share, large.Count(v => v * v < share) / (double)outputs, 0.05);
        Assert.Equal(inputs / 2.0, places.Average(), 0.06 * inputs);
        Assert.True(places.Distinct().Count() > 500);
    }

    [Fact]
    public void Rai_chooses_a_weight_or_the_bias_with_equal_chance()
    {
        InitializerSpec rai = new() { Name = "rai" };
        var (weight, bias) = Initialized.Of(rai, 3, 20_000, bias: rai);
        // one of four numbers has Beta(2, 1)'s mean, the others 0
        for (var column = 0; column < 3; column++)
            Assert.Equal(2.0 / 3 / 4, weight.Where((_, i) => i % 3 == column).Average(), 0.015);
        Assert.Equal(2.0 / 3 / 4, bias.Average(), 0.015);
    }

    [Fact]
    public void Rai_brings_its_own_bias()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, new() { HiddenLayers = [20], Initializer = new() { Name = "rai" } });
        Assert.Equal("rai", plan.Model.BiasInitializer!.Name);
        using var trainer = new Trainer(plan, data);
        Assert.All(trainer.Network.Observed[0].Linear.Bias.Get(), b => Assert.NotEqual(0, b));
    }

    [Theory]
    [InlineData("relu", 1.4142), InlineData("tanh", 1.5925), InlineData("sigmoid", 1.8462),
        InlineData("softsign", 2.3375), InlineData("gelu", 1.5335),
        InlineData("hard_silu", 1.7367)]
    [InlineData("identity", 1)]
    public void Auto_takes_the_gain_of_the_activation_behind_the_layer(string activation, double gain)
    {
        var data = Runs.Blobs(features: 400);
        foreach (var normalization in new[] { "none", "batch_norm" })
        {
            var plan = Runs.Plan(data, new()
            {
                HiddenLayers = [500],
                Activation = new() { Name = activation },
                Initializer = new() { Name = "auto" },
                Normalization = normalization
            });
            using var trainer = new Trainer(plan, data);
            var weight = trainer.Network.Observed[0].Linear.Weight.Get();
            Assert.Equal(gain / 20, Math.Sqrt(weight.Average(w => (double)w * w)), 0.01 * gain / 20);
        }
    }

    /// <summary>The variance of z over rows and units on the batch that was looked at; and auto in deep nets does the same.</summary>
    [Theory]
    [InlineData("lsuv", 3, "relu"), InlineData("lsuv", 3, "sigmoid"), InlineData("lsuv", 20, "tanh"), InlineData("auto", 20, "gelu"),
        InlineData("auto", 30, "hard_silu")]
    public void Lsuv_gives_every_dense_layer_unit_variance(string initializer, int depth, string activation)
    {
        var data = Runs.Blobs(train: 200);
        var plan = Runs.Plan(data, new()
        {
            HiddenLayers = [.. Enumerable.Repeat(40, depth)],
            Activation = new() { Name = activation },
            Initializer = new() { Name = initializer }
        });
        AssertUnitVariance(plan, data);
    }

    [Fact]
    public void Lsuv_looks_into_residual_blocks_and_past_norms()
    {
        var data = Runs.Blobs(train: 200);
        LayerSpec dense = new() { Type = "dense", Units = 24 };
        ModelSpec model = new()
        {
            Layers = [dense,
                new() { Type = "residual", Layers = [new() { Type = "layer_norm" }, dense, new() { Type = "dropout", Rate = 0.4 }, dense] },
                new() { Type = "batch_norm" }, dense],
            Initializer = new() { Name = "lsuv" },
            Activation = new() { Name = "elu" },
        };
        AssertUnitVariance(Runs.Plan(data, model), data);
    }

    [Fact]
    public void Lsuv_scales_only_its_own_layers()
    {
        var data = Runs.Blobs();
        LayerSpec dense = new() { Type = "dense", Units = 24 };
        var plan = Runs.Plan(data, new()
        {
            Layers = [dense with { Initializer = new() { Name = "lsuv" } },
            dense with { Initializer = new() { Name = "constant", Value = 0.5 } }]
        });
        using var trainer = new Trainer(plan, data);
        Assert.All(trainer.Network.Observed[1].Linear.Weight.Get(), w => Assert.Equal(0.5f, w));
    }

    public static TheoryData<string> Random =>
        ["orthogonal", "sparse", "rai", "lsuv", "auto", "standard", "torch_default", "kaiming_normal"];

    [Theory, MemberData(nameof(Random))]
    public void Equal_seeds_give_equal_bits_and_layers_share_nothing(string name)
    {
        InitializerSpec spec = new() { Name = name };
        var weight = Initialized.Of(spec, 60, 60, 5).Weight;
        Assert.Equal(weight, Initialized.Of(spec, 60, 60, 5).Weight);
        foreach (var (seed, layer) in new[] { (6L, 0), (5, 1) })
        {
            var other = Initialized.Of(spec, 60, 60, seed, layer).Weight;
            var correlation = weight.Zip(other).Sum(p => (double)p.First * p.Second)
                / Math.Sqrt(weight.Sum(w => (double)w * w) * other.Sum(w => (double)w * w));
            Assert.InRange(correlation, -0.1, 0.1);
        }
    }

    /// <summary>So that arms of a comparison start alike.</summary>
    [Fact]
    public void Draws_are_the_same_whatever_stands_between_the_dense_layers()
    {
        var data = Runs.Blobs();
        ModelSpec plain =
            new() { HiddenLayers = [20, 12], Initializer = new() { Name = "xavier_normal" }, BiasInitializer = new() { Name = "normal" } };
        var expected = Weights(plain);
        Assert.NotEqual(expected[0], expected[1]);
        LayerSpec first = new() { Type = "dense", Units = 20 }, second = new() { Type = "dense", Units = 12 };
        foreach (var model in new[]
        {
            plain with { Activation = new() { Name = "rrelu" } }, plain with { Activation = new() { Name = "prelu", Shared = false } },
            plain with { Dropout = 0.5 },
            plain with { Normalization = "batch_norm" }, plain with { Normalization = "layer_norm", Dropout = 0.1 },
            plain with
            {
                HiddenLayers = null,
                Layers = [new() { Type = "dropout", Rate = 0.2 }, first,
                    new() { Type = "activation" }, new() { Type = "layer_norm" }, second],
            },
        })
            Assert.Equal(expected, Weights(model));

        List<float[]> Weights(ModelSpec model)
        {
            using var trainer = new Trainer(Runs.Plan(data, model), data);
            return [.. trainer.Network.Observed.SelectMany(o => new[] { o.Linear.Weight.Get(), o.Linear.Bias.Get() })];
        }
    }

    private static void AssertUnitVariance(RunPlan plan, TrainingData data)
    {
        using var trainer = new Trainer(plan, data);
        var (layers, parameters) = Exported.Of(plan, trainer);
        var reference = References.ReferenceNetwork.Of(layers, parameters, new("cross_entropy"));
        reference.Forward(Exported.Rows(data.Train, data.Shape).Inputs, training: false);
        var dense = References.ReferenceNetwork.Flat(reference.Layers).OfType<References.ReferenceDense>().ToArray();
        Assert.Equal(plan.Layers.Count(l => l is LinearPlan)
            + plan.Layers.OfType<ResidualPlan>().Sum(r => r.Branch.Count(l => l is LinearPlan)), dense.Length);
        Assert.All(dense, layer =>
        {
            double[] z = [.. layer.Z.SelectMany(row => row)];
            Assert.Equal(1, z.Average(v => v * v) - Math.Pow(z.Average(), 2), 0.02);
        });
    }
}
