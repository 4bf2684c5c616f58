using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Tests.Layers;

/// <summary>The engine's network under the names and shapes of the golden files, so that it can be laid beside the reference.</summary>
internal sealed unsafe class EngineNetwork : IDisposable
{
    private readonly Optimizer _optimizer;
    private readonly List<(string Dense, string? Activation)> _names = [];
    private int[] _rows = [];
    private long _step;

    /// <param name="optimizer">Null to keep gradients instead of taking steps.</param>
    public EngineNetwork(IReadOnlyList<GoldenLayer> layers, GoldenLoss loss, OptimizerSpec? optimizer, int capacity, bool classes, double dropout = 0)
    {
        var dense = new List<DensePlan>();
        foreach (var layer in layers)
            if (layer.Type == "dense")
            {
                dense.Add(new($"dense{dense.Count}", layer.In, layer.Out, new() { Name = "identity" }, Zeros, Zeros, dense.Count > 0 ? dropout : 0));
                _names.Add((layer.Name!, null));
            }
            else
            {
                var activation = ActivationRegistry.Resolve(GoldenSpecs.Activation(layer.Function!), "", new List<SpecError>())!;
                dense[^1] = dense[^1] with { Activation = activation };
                _names[^1] = (_names[^1].Dense, layer.Name);
            }
        _optimizer = optimizer is null ? new Optimizer<KeepGradient>((_, _) => default) : Optimizer.Create(optimizer);
        LearningRate = optimizer?.LearningRate ?? 0;
        Inner = new(dense, Loss.Create(loss.Name, classes), Math.Max(1, _optimizer.States), capacity, seed: 1);
    }

    private static InitializerSpec Zeros => new() { Name = "zeros" };

    public Network Inner { get; }

    public double LearningRate { get; }

    public void Set(IReadOnlyDictionary<string, double[]> parameters)
    {
        for (var i = 0; i < _names.Count; i++)
        {
            var layer = Inner.Layers[i];
            layer.SetWeight(Floats(parameters[$"{_names[i].Dense}.weight"]));
            Floats(parameters[$"{_names[i].Dense}.bias"]).CopyTo(new Span<float>(layer.Bias.Values, layer.Plan.Outputs));
            if (layer.Plan.Slopes > 0)
                Floats(parameters[$"{_names[i].Activation}.slope"]).CopyTo(new Span<float>(layer.Slopes.Values, layer.Plan.Slopes));
        }
    }

    public Dictionary<string, double[]> Parameters() => Collect(p => (nint)p.Values);

    /// <summary>What the last <see cref="Backward"/> found; only without an optimiser.</summary>
    public Dictionary<string, double[]> Gradients() => Collect(p => (nint)p.First);

    public void Load(double[][] inputs, double[][] targets, bool classes)
    {
        if (_rows.Length != inputs.Length)
            _rows = [.. Enumerable.Range(0, inputs.Length)];
        Inner.Load(new(inputs.Length, Floats(inputs.SelectMany(r => r)), classes ? [.. targets.Select(t => (int)t[0])] : [],
            classes ? [] : Floats(targets.SelectMany(t => t))), _rows);
    }

    public double MeanLoss => Inner.LossSum() / Inner.Samples;

    public double[][] Outputs() => [.. Inner.Outputs().Select(v => (double)v).Chunk(Inner.Layers[^1].Plan.Outputs)];

    /// <summary>Backward pass and update (or gradients, without an optimiser); answers the gradient's norm.</summary>
    public double Backward()
    {
        _optimizer.Begin(LearningRate, ++_step);
        return Math.Sqrt(Inner.Backward(_optimizer));
    }

    public void Dispose() => Inner.Dispose();

    private Dictionary<string, double[]> Collect(Func<Parameters, nint> part)
    {
        var result = new Dictionary<string, double[]>();
        for (var i = 0; i < _names.Count; i++)
        {
            var layer = Inner.Layers[i];
            result[$"{_names[i].Dense}.weight"] = Doubles(layer.FromPanels((float*)part(layer.Weights)));
            result[$"{_names[i].Dense}.bias"] = Doubles(new Span<float>((float*)part(layer.Bias), layer.Plan.Outputs).ToArray());
            if (layer.Plan.Slopes > 0)
                result[$"{_names[i].Activation}.slope"] = Doubles(new Span<float>((float*)part(layer.Slopes), layer.Plan.Slopes).ToArray());
        }
        return result;
    }

    private static float[] Floats(IEnumerable<double> values) => [.. values.Select(v => (float)v)];

    private static double[] Doubles(float[] values) => [.. values.Select(v => (double)v)];
}
