using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;

namespace TrainingService.Engine.Tests.Layers;

/// <summary>A small net with two hidden layers of the same activation, random float32 parameters, inputs and targets.</summary>
internal sealed record RandomNet(IReadOnlyList<GoldenLayer> Layers, IReadOnlyDictionary<string, double[]> Parameters, GoldenLoss Loss, double[][] Inputs,
    double[][] Targets)
{
    public bool Classes => Loss.Name is "cross_entropy" or "binary_cross_entropy";

    public static RandomNet Of(GoldenFunction function, string loss, ulong seed, int rows = 9, int features = 5, int first = 7, int second = 6)
    {
        var generator = new SplitMix64(seed);
        var outputs = loss == "binary_cross_entropy" ? 1 : 3;
        GoldenLayer[] layers =
        [
            Dense(1, features, first), Activation(1, first), Dense(2, first, second), Activation(2, second), Dense(3, second, outputs),
        ];
        var parameters = new Dictionary<string, double[]>();
        foreach (var layer in layers)
            if (layer.Type == "dense")
            {
                parameters[$"{layer.Name}.weight"] = generator.Symmetric(layer.In * layer.Out, 1);
                parameters[$"{layer.Name}.bias"] = generator.Symmetric(layer.Out, 0.5);
            }
            else if (function.Name == "prelu")
                parameters[$"{layer.Name}.slope"] = generator.Symmetric(function.PerUnit == true ? layer.Units : 1, 0.5);
        double[] Target() => loss switch
        {
            "cross_entropy" => [generator.Next() % 3],
            "binary_cross_entropy" => [generator.Next() % 2],
            _ => generator.Symmetric(outputs, 1),
        };
        return new(layers, parameters, new(loss), [.. Enumerable.Range(0, rows).Select(_ => generator.Symmetric(features, 1.5))],
            [.. Enumerable.Range(0, rows).Select(_ => Target())]);

        static GoldenLayer Dense(int i, int inputs, int outputs) => new() { Type = "dense", Name = $"dense{i}", In = inputs, Out = outputs };
        GoldenLayer Activation(int i, int units) => new() { Type = "activation", Name = $"act{i}", Units = units, Function = function };
    }

    /// <summary>With masks, one behind each activation, the reference drops what the engine dropped.</summary>
    public ReferenceNetwork Reference(params double[][][] masks)
    {
        var plain = ReferenceNetwork.Of(Layers, Parameters, Loss);
        if (masks.Length == 0)
            return plain;
        var next = 0;
        return new([.. plain.Layers.SelectMany(l => l is ReferenceActivationLayer or ReferencePRelu
            ? new[] { l, new ReferenceDropout(masks[next++]) } : [l])], Loss);
    }

    /// <summary>The engine's net with these parameters and this batch loaded.</summary>
    public EngineNetwork Engine(double dropout = 0)
    {
        var network = new EngineNetwork(Layers, Loss, null, Inputs.Length, Classes, dropout);
        network.Set(Parameters);
        network.Load(Inputs, Targets, Classes);
        return network;
    }
}
