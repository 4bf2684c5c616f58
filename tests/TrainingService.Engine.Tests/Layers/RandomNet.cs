using TrainingService.Engine.Kernels;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.References;

namespace TrainingService.Engine.Tests.Layers;

/// <summary>A small net whose activations are all the same, with random float32 parameters, inputs and targets.</summary>
internal sealed record RandomNet(IReadOnlyList<GoldenLayer> Layers, IReadOnlyDictionary<string, double[]> Parameters,
    GoldenLoss Loss, double[][] Inputs, double[][] Targets, double ActivityL1 = 0)
{
    /// <summary>
    /// In short: d dense, a activation, b batch_norm, l layer_norm, o dropout, s alpha_dropout, [ ] residual.
    /// Widths are features, first (in brackets all along), second, outputs.
    /// </summary>
    public static readonly IReadOnlyDictionary<string, string> Structures = new Dictionary<string, string>
    {
        ["plain"] = "dadad",
        ["flat"] = "d",
        ["batch_norm"] = "dbadbad",
        ["layer_norm"] = "dladlad",
        ["residual"] = "da[da]dad",
        ["nested residual"] = "da[da[dbal]d]adbad",
        ["dropout"] = "daodaod",
        ["alpha_dropout"] = "dasdasd",
        ["before the first dense"] = "bo[da]daad",
        ["norm at the end of a residual"] = "l[dol]a[b]dad",
    };

    public static RandomNet Of(GoldenFunction function, string loss, ulong seed, int rows = 9,
        int features = 5, int first = 7, int second = 6, string structure = "plain", double activityL1 = 0)
    {
        var generator = new SplitMix64(seed);
        var outputs = loss == "binary_cross_entropy" ? 1 : 3;
        var text = Structures[structure];
        int at = 0, units = features, named = 0, dense = text.Count(c => c == 'd');
        var layers = Read();
        var parameters = new Dictionary<string, double[]>();
        Draw(layers);
        return new(layers, parameters, new(loss.Split(' ')[0], loss.EndsWith("smoothed", StringComparison.Ordinal) ? 0.2 : 0, 0.7),
            [.. Enumerable.Range(0, rows).Select(_ => generator.Symmetric(features, 1.5))],
            [.. Enumerable.Range(0, rows).Select(_ => Target())], activityL1);

        List<GoldenLayer> Read(bool branch = false)
        {
            var result = new List<GoldenLayer>();
            for (; at < text.Length && text[at] != ']'; at++)
            {
                var name = $"layer{++named}";
                GoldenLayer layer = new() { Type = "", Name = name, Units = units };
                switch (text[at])
                {
                    case 'd':
                        dense--;
                        var last = units;
                        if (!branch)
                            units = dense == 0 ? outputs : units == first ? second : first;
                        result.Add(new() { Type = "dense", Name = name, In = last, Out = units });
                        break;
                    case '[':
                        at++;
                        result.Add(layer with { Type = "residual", Layers = Read(branch: true) });
                        break;
                    default:
                        result.Add(layer with
                        {
                            Type = text[at] switch
                            {
                                'a' => "activation",
                                'b' => "batch_norm",
                                'l' => "layer_norm",
                                'o' => "dropout",
                                _ => "alpha_dropout",
                            },
                            Function = text[at] == 'a' ? function : null,
                            Epsilon = 1e-3,
                            Momentum = 0.2,
                            Rate = 0.3,
                        });
                        break;
                }
            }
            return result;
        }

        void Draw(List<GoldenLayer> drawn)
        {
            foreach (var l in drawn)
                switch (l.Type)
                {
                    case "dense":
                        // wide layers keep their scale
                        parameters[$"{l.Name}.weight"] = generator.Symmetric(l.In * l.Out, Math.Min(1, 4 / Math.Sqrt(l.In)));
                        parameters[$"{l.Name}.bias"] = generator.Symmetric(l.Out, 0.5);
                        break;
                    case "batch_norm" or "layer_norm":
                        parameters[$"{l.Name}.gamma"] = [.. generator.Symmetric(l.Units, 0.5).Select(g => 1 + g)];
                        parameters[$"{l.Name}.beta"] = generator.Symmetric(l.Units, 0.5);
                        break;
                    case "activation" when function.Name == "prelu":
                        parameters[$"{l.Name}.slope"] = generator.Symmetric(function.PerUnit == true ? l.Units : 1, 0.5);
                        break;
                    case "residual":
                        Draw([.. l.Layers!]);
                        break;
                }
            foreach (var name in parameters.Keys)
                parameters[name] = [.. parameters[name].Select(v => (double)(float)v)];
        }

        double[] Target() => loss.Split(' ')[0] switch
        {
            "cross_entropy" => [generator.Next() % 3],
            "binary_cross_entropy" => [generator.Next() % 2],
            _ => generator.Symmetric(outputs, 1),
        };
    }

    /// <summary>With the noise that the engine has in its step <paramref name="step"/>.</summary>
    public ReferenceNetwork Reference(long step = 1) => ReferenceNetwork.Of(Layers, Parameters, Loss, ActivityL1, (layer, row, unit) =>
    {
        var key = Noise.Key(EngineNetwork.Seed, layer, step);
        return Noise.Bits(key, unit, Noise.Samples(key, row / 16 * 16))[row % 16];
    });

    /// <summary>The engine's net with these parameters and this batch loaded.</summary>
    public EngineNetwork Engine(int threads = 1)
    {
        var network = new EngineNetwork(Layers, Loss, null, Inputs.Length, ActivityL1, threads: threads);
        network.Set(Parameters);
        network.Load(Inputs, Targets);
        return network;
    }
}
