using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.Layers;

/// <summary>The engine's network under the names and shapes of the golden files, so that it can be laid beside the reference.</summary>
internal sealed unsafe class EngineNetwork : IDisposable
{
    /// <summary>Of the noise of dropout and random slopes.</summary>
    public const long Seed = 1;

    private readonly Optimizer _optimizer;
    private readonly double _learningRate;
    private readonly double? _clipNorm;
    private readonly bool _classes;
    private readonly int _outputs;
    private readonly List<(string Name, Parameters Parameters)> _parameters = [];
    private readonly List<(string Name, BatchNorm Norm)> _norms = [];
    private int[] _rows = [];
    private long _step;

    /// <param name="optimizer">Resolved; null to keep (clipped) gradients instead of taking steps.</param>
    public EngineNetwork(IReadOnlyList<GoldenLayer> layers, GoldenLoss loss, OptimizerSpec? optimizer, int capacity, double activityL1 = 0,
        double? clipNorm = null, int threads = 1)
    {
        _optimizer = optimizer is null ? new Optimizer<KeepGradient>((_, _, _, _) => default) : GoldenSpecs.Plan(optimizer).Create();
        (_learningRate, _clipNorm, _classes) = (optimizer?.LearningRate ?? 0, clipNorm, loss.Classes);
        var plans = Plans(layers);
        _outputs = plans[^1].Units;
        Inner = new(plans, Inputs(layers[0]), GoldenSpecs.Loss(loss).Create(_classes),
            _optimizer.States, capacity, Seed, threads, clipNorm is not null)
        {
            ActivityL1 = activityL1,
        };
        Name(layers, Inner.Layers);
    }

    public Network Inner { get; }

    public double MeanLoss => Inner.LossSum() / Inner.Samples;

    public double MeanPenalty => Inner.PenaltySum() / Inner.Samples;

    public double[][] Outputs() => [.. Enumerable.Range(0, Inner.Samples)
        .Select(s => Enumerable.Range(0, _outputs).Select(c => (double)Inner.Output(s, c)).ToArray())];

    /// <summary>The same layers as the engine's plan has them.</summary>
    public static IReadOnlyList<LayerPlan> Plans(IEnumerable<GoldenLayer> layers) => [.. layers.Select(Plan)];

    public void Set(IReadOnlyDictionary<string, double[]> values)
    {
        foreach (var (name, parameters) in _parameters)
            parameters.Set([.. values[name].Select(v => (float)v)]);
    }

    public Dictionary<string, double[]> Parameters() => _parameters.ToDictionary(p => p.Name, p => Doubles(p.Parameters.Get()));

    /// <summary>What the last <see cref="Backward"/> found, after clipping; only without an optimiser.</summary>
    public Dictionary<string, double[]> Gradients() =>
        _parameters.ToDictionary(p => p.Name, p => Doubles(p.Parameters.Read(p.Parameters.First)));

    /// <summary>Running means and variances under PyTorch's names.</summary>
    public Dictionary<string, double[]> Running() => _norms.SelectMany(n => new[]
    {
        ($"{n.Name}.running_mean", Doubles(n.Norm.RunningMean)), ($"{n.Name}.running_var", Doubles(n.Norm.RunningVariance)),
    }).ToDictionary();

    public void Load(double[][] inputs, double[][] targets)
    {
        if (_rows.Length != inputs.Length)
            _rows = [.. Enumerable.Range(0, inputs.Length)];
        Inner.Load(new(inputs.Length, [.. inputs.SelectMany(r => r).Select(v => (float)v)],
            _classes ? [.. targets.Select(t => (int)t[0])] : [],
            _classes ? [] : [.. targets.SelectMany(t => t).Select(v => (float)v)]), _rows);
    }

    /// <summary>Backward pass and update (or gradients, without an optimiser); answers the gradient's norm before clipping.</summary>
    public double Backward()
    {
        _optimizer.Begin(_learningRate, null, ++_step);
        Inner.Backward(_optimizer, _clipNorm);
        return Inner.GradientNorm;
    }

    public void Dispose() => Inner.Dispose();

    private static LayerPlan Plan(GoldenLayer layer)
    {
        switch (layer.Type)
        {
            case "dense":
                var zeros = InitializerRegistry.Standard("zeros");
                return new LinearPlan(layer.Name!, layer.In, layer.Out, zeros, zeros, ActivationFunction.Identity);
            case "activation":
                var errors = new List<SpecError>();
                return new ActivationPlan(layer.Units, ActivationRegistry.Resolve(GoldenSpecs.Activation(layer.Function!), "", errors)
                    ?? throw new ArgumentException(errors[0].Message));
            case "batch_norm":
                return new BatchNormPlan(layer.Units, layer.Epsilon, layer.Momentum);
            case "layer_norm":
                return new LayerNormPlan(layer.Units, layer.Epsilon);
            case "dropout" or "alpha_dropout":
                return new DropoutPlan(layer.Units, layer.Rate, layer.Type == "alpha_dropout");
            case "residual":
                var branch = Plans(layer.Layers!);
                return new ResidualPlan(branch[^1].Units, branch);
            default:
                throw new ArgumentException($"no layer of type '{layer.Type}'");
        }
    }

    private void Name(IReadOnlyList<GoldenLayer> golden, IReadOnlyList<Layer> layers)
    {
        foreach (var (name, layer) in golden.Zip(layers))
            if (layer is Residual residual)
                Name(name.Layers!, residual.Branch.Layers);
            else
            {
                _parameters.AddRange(layer.Parameters.Select(p => ($"{name.Name}.{p.Name}", p)));
                if (layer is BatchNorm norm)
                    _norms.Add((name.Name!, norm));
            }
    }

    private static int Inputs(GoldenLayer layer) => layer.Type switch
    {
        "dense" => layer.In,
        "residual" => Inputs(layer.Layers![0]),
        _ => layer.Units,
    };

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            result[i] = values[i];
        return result;
    }
}
