using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>Theory beside what the engine measures at step 0, and beside closed forms.</summary>
public class PreflightTests
{
    public static TheoryData<string> Activations => [.. ActivationRegistry.All.Select(a => a.Name)];

    /// <summary>With parameters in whose range a net is neither dead nor infinite.</summary>
    private static readonly InitializerSpec[] Initializers = [.. InitializerRegistry.All.Select(i => i.Name switch
    {
        "constant" => new InitializerSpec { Name = "constant", Value = 0.01 },
        "normal" or "truncated_normal" => new() { Name = i.Name, Std = 0.06 },
        "sparse" => new() { Name = "sparse", Std = 0.08, Sparsity = 0.3 },
        "uniform" => new() { Name = "uniform", Min = -0.1, Max = 0.1 },
        _ => new() { Name = i.Name },
    })];

    [Theory, MemberData(nameof(Activations))]
    public void Wide_nets_measure_what_is_predicted(string activation)
    {
        var data = Rows();
        // where a small signal vanishes in a flat middle, all depends on the few largest sums, of which these nets have too few
        string[] left = activation.EndsWith("shrink", StringComparison.Ordinal) ? ["auto", "kaiming_normal", "kaiming_uniform", "lsuv"]
            : [.. Initializers.Select(i => i.Name).Except(["constant", "ones", "zeros", "rai"])];
        foreach (var initializer in Initializers.Where(i => left.Contains(i.Name)))
        {
            // lsuv sets its scale by what it measures: of ten outputs, the draw decides
            var gradient = initializer.Name == "lsuv" ? 0.25 : 0.12;
            Compare(data, Wide(activation) with { Initializer = initializer }, rms: 0.06, gradient);
        }
    }

    [Theory, InlineData("relu"), InlineData("gelu"), InlineData("tanh"), InlineData("softplus")]
    public void Weights_with_a_mean_are_predicted_roughly_and_say_so(string activation)
    {
        var data = Rows();
        foreach (var initializer in (InitializerSpec[])[new() { Name = "rai" }, new() { Name = "normal", Mean = 0.003, Std = 0.06 }])
        {
            var preflight = Compare(data, Wide(activation) with { Initializer = initializer }, 0.15, 0.4);
            Assert.All(preflight.Layers, layer => Assert.Contains("approximate", layer.Note, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Equal_weights_make_units_equal_and_are_predicted_exactly()
    {
        var data = Runs.Numbers(train: 30);
        foreach (var initializer in (InitializerSpec[])[new() { Name = "constant", Value = 0.3 }, new() { Name = "ones" }])
            foreach (var activation in (string[])["relu", "tanh", "gelu", "softplus"])
                Compare(data,
                    new() { HiddenLayers = [5, 3], Activation = new() { Name = activation }, Initializer = initializer }, 0.001, 0.001);
    }

    [Fact]
    public void Zero_weights_pass_no_gradient()
    {
        var preflight = Predict(Rows(), new() { HiddenLayers = [16, 16], Initializer = new() { Name = "zeros" } });
        Assert.Equal((0, 0, 1), (preflight.Layers[1].Rms, preflight.Layers[1].GradientRms, preflight.Layers[1].BornDeadProbability));
        Assert.Null(preflight.GradientFlow);
    }

    [Theory]
    [InlineData("batch_norm", 0.0), InlineData("layer_norm", 0.0), InlineData("none", 0.5), InlineData("batch_norm", 0.3)]
    public void Norms_and_dropout_measure_what_is_predicted(string normalization, double dropout)
    {
        foreach (var activation in (string[])["relu", "tanh", "selu"])
            Compare(Rows(), Wide(activation) with { Normalization = normalization, Dropout = dropout }, 0.06, 0.12);
    }

    [Fact]
    public void Biases_count()
    {
        foreach (var bias in (InitializerSpec[])[new() { Name = "constant", Value = 0.5 },
            new() { Name = "normal", Std = 0.7 }, new() { Name = "uniform" }])
            foreach (var activation in (string[])["relu", "tanh", "sigmoid"])
                Compare(Rows(), Wide(activation) with { BiasInitializer = bias }, 0.06, 0.12);
    }

    [Fact]
    public void Residual_blocks_add_up()
    {
        LayerSpec dense = new() { Type = "dense", Units = 256 }, linear = dense with { Activation = new() { Name = "identity" } };
        LayerSpec post = new() { Type = "residual", Layers = [dense, linear] }, bent = new() { Type = "residual", Layers = [dense] };
        LayerSpec before = new() { Type = "residual", Layers = [new() { Type = "layer_norm" }, dense, linear] };
        foreach (var block in (LayerSpec[])[post, bent, before])
        {
            var preflight = Compare(Rows(), new() { Layers = [dense, block, block] }, 0.08, 0.15);
            Assert.Null(preflight.Layers[1].BornDeadProbability);
            Assert.Contains("straight way", preflight.Layers[1].Note, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_acts_on_an_unknown_distribution_is_not_predicted_and_says_why()
    {
        LayerSpec dense = new() { Type = "dense", Units = 32 }, again = new() { Type = "activation", Activation = new() { Name = "tanh" } };
        var preflight = Predict(Rows(), new() { Layers = [dense, again, dense] });
        Assert.NotNull(preflight.Layers[0].Rms);
        Assert.Null(preflight.Layers[0].GradientRms);
        Assert.Null(preflight.Layers[1].Rms);
        Assert.Null(preflight.GradientFlow);
        Assert.All(preflight.Layers, layer => Assert.Contains("tanh acts on numbers", layer.Note, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_entry_of_the_catalogue_gets_a_number_or_a_reason()
    {
        var data = Rows(100, 8);
        foreach (var activation in ActivationRegistry.All)
            foreach (var initializer in Initializers)
                foreach (var layer in Predict(data, Wide(activation.Name) with { HiddenLayers = [6, 4], Initializer = initializer }).Layers)
                {
                    Assert.True(float.IsFinite(layer.Rms!.Value) && float.IsFinite(layer.GradientRms!.Value),
                        $"{activation.Name} {initializer.Name} {layer}");
                    Assert.True(layer.BornDeadProbability is >= 0 and <= 1 || layer.Note is not null,
                        $"{activation.Name} {initializer.Name} {layer}");
                }
    }

    [Fact]
    public void Xavier_loses_half_the_gradients_power_in_each_square_layer_of_rectifiers()
    {
        foreach (var depth in (int[])[2, 5, 30])
        {
            var preflight = Predict(Rows(), Rectifiers(depth, "xavier_normal"));
            Assert.Equal(-0.1505 * (depth - 1), preflight.GradientFlow!.Value, 0.001 * depth);
            Assert.Equal(Math.Sqrt(0.5), preflight.Layers[1].Rms!.Value / preflight.Layers[0].Rms!.Value, 0.001);
            Assert.Equal(0, Predict(Rows(), Rectifiers(depth, "kaiming_normal")).GradientFlow!.Value, 0.001);
        }
    }

    /// <summary>
    /// Of 20 draws: the nets are narrow, so that each strays (by 0.2 to 0.25 in the gradient flow), but their mean does not.
    /// </summary>
    [Fact]
    public void Thirty_layers_of_64_measure_the_predicted_flow_within_15_percent()
    {
        var data = Rows(256);
        foreach (var (initializer, most) in (ReadOnlySpan<(string, double)>)[("xavier_normal", 0.15 * 4.4), ("kaiming_normal", 0.7)])
        {
            var model = Rectifiers(30, initializer);
            var predicted = Predict(data, model);
            var flows = Enumerable.Range(1, 20).Select(seed => Flow(Measure(data, model, seed), 64, 64)).ToArray();
            Assert.Equal(predicted.GradientFlow!.Value, flows.Average(), 0.2);
            Assert.All(flows, flow => Assert.Equal(predicted.GradientFlow.Value, flow, most));
            Assert.All(flows, flow => Assert.InRange(flow, predicted.GradientFlowRange![0] - 0.1, predicted.GradientFlowRange[1] + 0.1));
        }
    }

    [Fact]
    public void Batch_norm_in_training_is_known_to_explode_by_pi_over_pi_minus_1_a_layer()
    {
        // Yang et al. (2019), A mean field theory of batch normalization: 1.21^2 per layer of rectifiers, on rows of one norm
        var preflight = Predict(Rows(equal: true), Rectifiers(11, "kaiming_normal") with { Normalization = "batch_norm" });
        Assert.Equal(0, preflight.GradientFlow!.Value, 0.001);
        Assert.Equal(10 * Math.Log10(Math.PI / (Math.PI - 1)) / 2, preflight.TrainingGradientFlow!.Value, 0.01);
        Assert.Equal(10 * Math.Log10(1 / 0.7) / 2,
            Predict(Rows(), Rectifiers(11, "kaiming_normal") with { Dropout = 0.3 }).TrainingGradientFlow!.Value, 0.001);
    }

    [Theory, InlineData("relu"), InlineData("tanh"), InlineData("selu")]
    public void The_flow_of_a_training_step_is_as_predicted(string activation)
    {
        var data = Rows();
        LayerSpec dense = new() { Type = "dense", Units = 256 }, norm = new() { Type = "batch_norm" },
            linear = dense with { Activation = new() { Name = "identity" } };
        LayerSpec block = new() { Type = "residual", Layers = [norm, dense, linear] };
        ModelSpec model = new() { HiddenLayers = [256, 256, 256, 256], Activation = new() { Name = activation } };
        ModelSpec normalized = model with { Normalization = "batch_norm" }, layers = model with { HiddenLayers = null };
        foreach (var net in (ModelSpec[])
            [
                normalized, model with { Dropout = 0.4 }, normalized with { Dropout = 0.2 },
                layers with { Layers = [dense, norm, dense, norm, dense, norm, dense] },
                layers with { Layers = [linear, block, block, block] },
            ])
        {
            var flows = Enumerable.Range(1, 4).Select(seed =>
            {
                using var trainer = new Trainer(Plan(data, net, seed), data);
                var squares = new double[trainer.Layers.Count];
                trainer.Network.Load(data.Train, [.. Enumerable.Range(0, data.Train.Rows)]);
                trainer.Network.Forward(step: 1);
                trainer.Network.AddGradientSquares(squares);
                return Math.Log10(squares[0] / squares[^2]) / 2;
            });
            Assert.Equal(Predict(data, net).TrainingGradientFlow!.Value, flows.Average(), 0.06);
        }
    }

    [Fact]
    public void A_net_is_born_dead_as_its_widths_say()
    {
        foreach (var activation in (string[])["relu", "relu6"])
        {
            var layers = Predict(Rows(20), new() { HiddenLayers = [2, 3, 1], Activation = new() { Name = activation } }).Layers;
            double[] expected = [1.0 / 4, 1 - 3.0 / 4 * 7 / 8, 1 - 3.0 / 4 * 7 / 8 / 2, 1 - 3.0 / 4 * 7 / 8 / 2];
            Assert.Equal(expected, layers.Select(l => Math.Round(l.BornDeadProbability!.Value, 9)));
        }
        foreach (var activation in (string[])["leaky_relu", "elu", "tanh", "gelu", "identity"])
            Assert.All(Predict(Rows(20), Wide(activation) with { HiddenLayers = [2, 3, 1] }).Layers,
                l => Assert.Equal(0, l.BornDeadProbability!.Value, 1e-6));
        var normalized = Predict(Rows(20), new() { HiddenLayers = [2, 3], Normalization = "layer_norm" });
        Assert.Equal(0, normalized.Layers[^1].BornDeadProbability);
        var asymmetric = Predict(Rows(20), new() { HiddenLayers = [2, 3], Initializer = new() { Name = "rai" } }).Layers[^1];
        Assert.Null(asymmetric.BornDeadProbability);
        Assert.Contains("no bound for rai", asymmetric.Note, StringComparison.Ordinal);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(33), InlineData(45)]
    public void Few_rows_will_do(int rows)
    {
        Compare(Rows(rows), new() { HiddenLayers = [512, 512] }, 0.15, 0.3);
        Compare(Runs.Numbers(train: 100), new() { HiddenLayers = [512, 512] }, 0.15, 0.3);
    }

    [Fact]
    public void What_overflows_is_predicted_to_be_infinite()
    {
        var preflight =
            Predict(Rows(50), new() { HiddenLayers = [.. Enumerable.Repeat(32, 40)], Initializer = new() { Name = "normal", Std = 100 } });
        Assert.False(float.IsFinite(preflight.Layers[^2].Rms!.Value));
    }

    private static ModelSpec Wide(string activation) => new() { HiddenLayers = [320, 256, 320], Activation = new() { Name = activation } };

    private static ModelSpec Rectifiers(int depth, string initializer) =>
        new() { HiddenLayers = [.. Enumerable.Repeat(64, depth)], Initializer = new() { Name = initializer } };

    /// <summary>Rows of different norms and means, classes at random.</summary>
    private static TrainingData Rows(int rows = 512, int features = 64, bool equal = false)
    {
        var random = new RandomStream(5, StreamPurpose.Order, 0);
        var x = new float[rows * features];
        var y = new int[rows];
        for (var r = 0; r < rows; r++)
        {
            var (scale, mean) = equal ? (1, 0) : (0.5 + random.Uniform(), 0.4 * random.Normals().Item1);
            y[r] = random.Below(10);
            for (var f = 0; f < features; f++)
                x[r * features + f] = (float)(scale * (random.Normals().Item1 + mean));
        }
        return new(new(features, TargetKind.Classes, 10, rows, 0, 0), new(rows, x, y, []), null, null);
    }

    private static Preflight Predict(TrainingData data, ModelSpec model) => Preflight.Theory(Plan(data, model, 1), data);

    private static RunPlan Plan(TrainingData data, ModelSpec model, long seed) =>
        Runs.Plan(data, model, new() { Epochs = 1, BatchSize = data.Train.Rows, Seed = seed });

    private static IReadOnlyList<LayerPoint> Measure(TrainingData data, ModelSpec model, long seed) =>
        Runs.Train(Plan(data, model, seed), data).Points[0];

    private static double Flow(IReadOnlyList<LayerPoint> points, int first, int last) =>
        Math.Log10(points[0].GradientRms / points[^2].GradientRms * Math.Sqrt((double)first / last));

    /// <summary>
    /// Hidden layers within the share given of the root mean square over four draws, the few outputs within what their number allows.
    /// </summary>
    private static Preflight Compare(TrainingData data, ModelSpec model, double rms, double gradient)
    {
        var preflight = Predict(data, model);
        LayerPoint[][] draws = [.. Enumerable.Range(1, 4).Select(seed => Measure(data, model, seed).ToArray())];
        foreach (var layer in preflight.Layers)
        {
            var name = $"{model.Activation?.Name} {model.Initializer?.Name} {layer.Name}";
            var output = layer.Name == "output";
            Assert.Equal(layer.Mean!.Value, draws.Average(d => d[layer.Index].MeanActivation), (output ? 0.6 : 2 * rms) * layer.Rms!.Value);
            Near(layer.Rms.Value, draws.Select(d => d[layer.Index].RmsActivation), output ? 0.4 : rms, name + " rms");
            Near(layer.GradientRms!.Value, draws.Select(d => d[layer.Index].GradientRms), gradient, name + " gradient");
        }
        var units = Plan(data, model, 1).DenseLayers;
        Assert.Equal(preflight.GradientFlow!.Value, draws.Average(d => Flow(d, units[0].Units, units[^2].Units)), Math.Log10(1 + gradient));
        return preflight;
    }

    private static void Near(double predicted, IEnumerable<float> measured, double share, string name)
    {
        var mean = Math.Sqrt(measured.Average(m => (double)m * m));
        Assert.True(Math.Abs(mean / predicted - 1) < share, $"{name}: predicted {predicted}, measured {mean} ({mean / predicted - 1:P1})");
    }
}
