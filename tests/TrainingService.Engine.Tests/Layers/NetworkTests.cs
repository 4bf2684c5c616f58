using TrainingService.Engine.Layers;
using TrainingService.Engine.Tests.Activations;
using TrainingService.Engine.Tests.Golden;
using Xunit;

namespace TrainingService.Engine.Tests.Layers;

[Trait("Category", "Kernel")]
public class NetworkTests
{
    private static readonly GoldenFunction PRelu = new() { Name = "prelu", Init = 0.25, PerUnit = true };

    public static MatrixTheoryData<int, int> Shapes => new([1, 7, 33, 1000], [1, 10, 17, 513]);

    /// <summary>Outputs, gradients and running statistics of odd batches and widths, with one thread and with two.</summary>
    [Theory, MemberData(nameof(Shapes))]
    public void Odd_batches_and_widths_agree_with_the_reference(int rows, int width)
    {
        // the reference takes its time
        string[] structures = rows * width > 100_000 ? ["plain"] : rows * width > 10_000 ? ["batch_norm", "layer_norm"]
            : ["nested residual", "dropout", "alpha_dropout"];
        foreach (var structure in structures)
            foreach (var threads in new[] { 1, 2 })
            {
                // a norm over one number is 0 whatever it is, up to a rounding that epsilon magnifies
                if (width == 1 && structure == "layer_norm")
                    continue;
                var net = RandomNet.Of(PRelu, "cross_entropy", 21, rows, width, width,
                    width == 513 ? 17 : width + 1, structure, activityL1: 0.01);
                using var engine = net.Engine(threads);
                var reference = net.Reference();
                engine.Inner.Forward(1);
                engine.Backward();
                Close.Assert(reference.Gradients(net.Inputs, net.Targets).Outputs, engine.Outputs(), 3e-5, $"{structure}: outputs");
                var gradients = engine.Gradients();
                foreach (var parameter in reference.Parameters)
                    Close.Assert(parameter.Gradient, gradients[parameter.Name], 3e-5, $"{structure}: {parameter.Name}");
                var running = engine.Running();
                foreach (var norm in References.ReferenceNetwork.Flat(reference.Layers).OfType<References.ReferenceBatchNorm>())
                {
                    Close.Assert(norm.RunningMean, running[$"{norm.Name}.running_mean"], 3e-6, $"{structure}: running mean");
                    Close.Assert(norm.RunningVariance, running[$"{norm.Name}.running_var"], 3e-6, $"{structure}: running variance");
                }
            }
    }

    [Theory, MemberData(nameof(ActivationValueTests.All), MemberType = typeof(ActivationValueTests))]
    public void Outputs_agree_with_the_reference_for_odd_shapes(string activation)
    {
        foreach (var (rows, features, first, second) in new[] { (1, 1, 1, 2), (33, 33, 31, 17), (64, 13, 65, 12), (100, 40, 3, 33) })
        {
            var net = RandomNet.Of(ActivationValueTests.Functions[activation], "mse", 21, rows, features, first, second);
            using var engine = net.Engine();
            engine.Inner.Forward();
            Close.Assert(net.Reference().Forward(net.Inputs, training: false), engine.Outputs(), 2e-5, $"outputs of {rows} x {features}");
        }
    }

    [Theory, InlineData("plain"), InlineData("nested residual"), InlineData("before the first dense"), InlineData("alpha_dropout")]
    public void A_rows_output_does_not_depend_on_its_batch_or_place(string structure)
    {
        var net = RandomNet.Of(ActivationValueTests.Functions["gelu"], "mse", 22, rows: 256, structure: structure);
        using var engine = net.Engine();
        engine.Inner.Forward();
        var together = engine.Outputs();
        for (var rows = 1; rows <= 256; rows++)
        {
            engine.Load(net.Inputs[^rows..], net.Targets[^rows..]);
            engine.Inner.Forward();
            Assert.Equal(together[^rows..], engine.Outputs());
        }
    }

    /// <summary>Neither which entries are dropped nor which slopes are drawn depends on the size of the batch.</summary>
    [Fact]
    public void A_rows_noise_does_not_depend_on_the_batch()
    {
        var net = RandomNet.Of(ActivationValueTests.Functions["rrelu -1, 2"], "mse", 22, rows: 256, structure: "dropout");
        using var engine = net.Engine();
        engine.Inner.Forward(5);
        var together = engine.Outputs();
        foreach (var rows in new[] { 1, 31, 33, 255 })
        {
            engine.Load(net.Inputs[..rows], net.Targets[..rows]);
            engine.Inner.Forward(5);
            Assert.Equal(together[..rows], engine.Outputs());
            engine.Inner.Forward(6);
            Assert.NotEqual(together[..rows], engine.Outputs());
        }
    }

    [Theory, InlineData("plain"), InlineData("nested residual"), InlineData("dropout"), InlineData("before the first dense")]
    public void A_small_batch_after_a_large_one_has_its_own_gradients(string structure)
    {
        var net = RandomNet.Of(PRelu, "cross_entropy", 23, rows: 70, structure: structure, activityL1: 0.1);
        using EngineNetwork used = net.Engine(), fresh = net.Engine();
        used.Inner.Forward(1);
        used.Backward();
        foreach (var engine in new[] { used, fresh })
        {
            engine.Load(net.Inputs[..5], net.Targets[..5]);
            engine.Inner.Forward(1);
            engine.Backward();
        }
        Assert.Equal(fresh.Gradients(), used.Gradients());
    }

    [Fact]
    public void Parameters_come_back_as_they_were_set()
    {
        var net = RandomNet.Of(PRelu, "mse", 24, features: 33, first: 40, structure: "nested residual");
        using var engine = net.Engine();
        Assert.Equal(net.Parameters.OrderBy(p => p.Key), engine.Parameters().OrderBy(p => p.Key));
    }

    [Fact]
    public void The_hash_is_over_all_parameters_in_order_and_in_PyTorchs_layout()
    {
        var net = RandomNet.Of(PRelu, "mse", 25, features: 33, first: 40, structure: "nested residual");
        using var engine = net.Engine();
        var order = net.Reference().Parameters.Select(p => p.Name).ToArray();
        Assert.Equal(["layer1.weight", "layer1.bias", "layer2.slope", "layer4.weight"], order[..4]);
        Assert.Contains("layer8.gamma", order);
        byte[] bytes = [.. order.SelectMany(name => net.Parameters[name]).SelectMany(v => BitConverter.GetBytes((float)v))];
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), engine.Inner.Sha256());
    }

    [Fact]
    public void Activations_are_observed_with_the_dense_layer_in_front_of_them()
    {
        var net = RandomNet.Of(PRelu, "mse", 26, structure: "nested residual");
        using var engine = net.Engine();
        Assert.Equal([7, 7, 7, 7, 6, 3], engine.Inner.Observed.Select(o => o.Linear.Units));
        Assert.Equal([true, true, true, false, true, false], engine.Inner.Observed.Select(o => o.Activation is not null));
        Assert.Equal([false, false, true, false, true, false], engine.Inner.Observed.Select(o => o.Before is BatchNorm));
    }
}
