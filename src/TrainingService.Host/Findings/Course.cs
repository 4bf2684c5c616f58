using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>A run so far, as its rules see it.</summary>
public sealed class Course(RunPlan plan)
{
    /// <summary>Loss below this share of what it was before training counts as learnt.</summary>
    private const double Learnt = 0.1;

    private readonly List<MetricPoint> _train = [], _validation = [];
    private readonly List<IReadOnlyList<LayerPoint>> _evaluations = [];

    public RunPlan Plan => plan;

    public RulesSpec Rules => plan.Diagnostics.Rules!;

    /// <summary>The dense layers from the input on; the output layer is last.</summary>
    public IReadOnlyList<LayerInfo> Layers { get; } = plan.DenseLayers;

    public IEnumerable<LayerInfo> Hidden => Layers.SkipLast(1);

    /// <summary>Training losses, the first one before the first step.</summary>
    public IReadOnlyList<MetricPoint> Train => _train;

    public IReadOnlyList<MetricPoint> Validation => _validation;

    /// <summary>A point for each layer, the first ones before the first step.</summary>
    public IReadOnlyList<IReadOnlyList<LayerPoint>> Evaluations => _evaluations;

    public IReadOnlyList<LayerPoint> Latest => _evaluations[^1];

    /// <summary>Why the run ended, if it diverged.</summary>
    public Divergence? Divergence { get; private set; }

    /// <summary>The loss that guessing each of the K classes alike has: ln K; null for other losses.</summary>
    public double? GuessingLoss => plan.Training.Loss switch
    {
        "cross_entropy" => Math.Log(plan.Data.Classes),
        "binary_cross_entropy" => Math.Log(2),
        _ => null,
    };

    /// <summary>Whether the training loss has come down so far that there is little left to learn.</summary>
    public bool HasLearnt => _train is [var first, .., var last] && last.Loss < Learnt * Math.Min(first.Loss, GuessingLoss ?? double.PositiveInfinity);

    /// <summary>Whether little or no gradient gets through: what is tiny then is not the learning rate.</summary>
    public bool IsBlocked => GradientFlow is null or < -1 || Hidden.Any(l => Latest[l.Index].DeadFraction > 0.5);

    /// <summary>
    /// log10 of norm(dC/dz_1)/norm(dC/dz_L) over the hidden layers, the norms being over all units; null where there is no gradient at all.
    /// </summary>
    public double? GradientFlow
    {
        get
        {
            double Norm(int layer) => Latest[layer].GradientRms * Math.Sqrt(Layers[layer].Units);
            double first = Norm(0), last = Norm(Layers.Count - 2);
            return first == 0 && last == 0 ? null : Math.Log10(first / last);
        }
    }

    public void Add(MetricPoint point) => (point.Split switch { Split.Train => _train, Split.Validation => _validation, _ => [] }).Add(point);

    public void Add(IReadOnlyList<LayerPoint> points) => _evaluations.Add(points);

    public void End(TrainingResult result) => Divergence = result.Divergence;
}
