using TrainingService.Engine.Tests.Activations;
using Xunit;

namespace TrainingService.Engine.Tests.Layers;

[Trait("Category", "Kernel")]
public class NetworkTests
{
    [Theory, MemberData(nameof(ActivationValueTests.All), MemberType = typeof(ActivationValueTests))]
    public void Outputs_agree_with_the_reference_for_odd_shapes(string activation)
    {
        foreach (var (rows, features, first, second) in new[] { (1, 1, 1, 1), (33, 33, 31, 17), (64, 13, 65, 12), (100, 40, 3, 33) })
        {
            var net = RandomNet.Of(ActivationValueTests.Functions[activation], "mse", 21, rows, features, first, second);
            using var engine = net.Engine();
            engine.Inner.Forward();
            Close.Assert(net.Reference().Forward(net.Inputs, training: false), engine.Outputs(), 2e-5, $"outputs of {rows} x {features}");
        }
    }

    [Fact]
    public void A_rows_output_does_not_depend_on_its_batch_or_place()
    {
        var net = RandomNet.Of(ActivationValueTests.Functions["gelu"], "mse", 22, rows: 256);
        using var engine = net.Engine();
        engine.Inner.Forward();
        var together = engine.Outputs();
        for (var rows = 1; rows <= 256; rows++)
        {
            engine.Load(net.Inputs[^rows..], net.Targets[^rows..], classes: false);
            engine.Inner.Forward();
            Assert.Equal(together[^rows..], engine.Outputs());
        }
    }

    [Fact]
    public void A_small_batch_after_a_large_one_has_its_own_gradients()
    {
        var net = RandomNet.Of(ActivationValueTests.Functions["tanh"], "cross_entropy", 23, rows: 70);
        using EngineNetwork used = net.Engine(), fresh = net.Engine();
        used.Inner.Forward();
        used.Backward();
        foreach (var engine in new[] { used, fresh })
        {
            engine.Load(net.Inputs[..5], net.Targets[..5], net.Classes);
            engine.Inner.Forward();
            engine.Backward();
        }
        Assert.Equal(fresh.Gradients(), used.Gradients());
    }

    [Fact]
    public void Nothing_of_a_batch_that_was_not_finite_stays_behind()
    {
        var net = RandomNet.Of(ActivationValueTests.Functions["tanh"], "cross_entropy", 26, rows: 70);
        using EngineNetwork used = net.Engine(dropout: 0.3), fresh = net.Engine(dropout: 0.3);
        used.Load([.. net.Inputs.Select(row => row.Select(_ => double.NaN).ToArray())], net.Targets, net.Classes);
        used.Inner.Forward(1);
        foreach (var engine in new[] { used, fresh })
        {
            engine.Load(net.Inputs[..5], net.Targets[..5], net.Classes);
            engine.Inner.Forward(2);
            engine.Backward();
        }
        Assert.Equal(fresh.Outputs(), used.Outputs());
        Assert.Equal(fresh.Gradients(), used.Gradients());
        Assert.All(used.Gradients().Values.SelectMany(g => g), g => Assert.True(double.IsFinite(g)));
    }

    [Fact]
    public void Each_step_and_layer_drops_other_units_and_an_evaluation_none()
    {
        var net = RandomNet.Of(ActivationValueTests.Functions["identity"], "mse", 27, rows: 64, first: 7, second: 7);
        using EngineNetwork engine = net.Engine(dropout: 0.5), whole = net.Engine();
        var masks = new List<bool[]>();
        foreach (var step in new[] { 1, 2, 1000 })
        {
            engine.Inner.Forward(step);
            masks.AddRange([Dropped(engine, 1), Dropped(engine, 2)]);
        }
        for (var a = 0; a < masks.Count; a++)
            for (var b = 0; b < a; b++)
                Assert.InRange(masks[a].Zip(masks[b]).Count(m => m.First == m.Second), 160, 288);
        engine.Inner.Forward(1);
        Assert.Equal(masks[0], Dropped(engine, 1));
        engine.Inner.Forward();
        whole.Inner.Forward();
        Assert.Equal(whole.Outputs(), engine.Outputs());

        // 64 samples by 7 units fill their blocks: no padding lies between
        static unsafe bool[] Dropped(EngineNetwork engine, int layer) =>
            [.. new Span<float>(engine.Inner.Layers[layer].Dropped, 64 * 7).ToArray().Select(v => v == 0)];
    }

    [Fact]
    public void Parameters_come_back_as_they_were_set()
    {
        var net = RandomNet.Of(new() { Name = "prelu", Init = 0.25, PerUnit = true }, "mse", 24, features: 33, first: 40);
        using var engine = net.Engine();
        Assert.Equal(net.Parameters.OrderBy(p => p.Key), engine.Parameters().OrderBy(p => p.Key));
    }

    [Fact]
    public void The_hash_is_over_weights_biases_and_slopes_in_PyTorchs_layout()
    {
        var net = RandomNet.Of(new() { Name = "prelu", Init = 0.25, PerUnit = true }, "mse", 25, features: 33, first: 40);
        using var engine = net.Engine();
        string[] order = ["dense1.weight", "dense1.bias", "act1.slope", "dense2.weight", "dense2.bias", "act2.slope", "dense3.weight", "dense3.bias"];
        byte[] bytes = [.. order.SelectMany(name => net.Parameters[name]).SelectMany(v => BitConverter.GetBytes((float)v))];
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), engine.Inner.Sha256());
    }
}
