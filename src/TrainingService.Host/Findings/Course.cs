using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>A run so far, as its rules see it.</summary>
public sealed class Course(RunPlan plan, DataFacts data)
{
    /// <summary>What is left of the loss when there is little left to learn.</summary>
    private const double Learnt = 0.1;

    private readonly Queue<MetricPoint> _train = [], _validation = [];
    private readonly Queue<IReadOnlyList<LayerPoint>> _evaluations = [];

    public RunPlan Plan => plan;

    public DataFacts Data => data;

    public RulesPlan Rules => plan.Diagnostics.Rules;

    /// <summary>The dense layers from the input on; the output layer is last.</summary>
    public IReadOnlyList<LayerInfo> Layers { get; } = plan.DenseLayers;

    public IEnumerable<LayerInfo> Hidden => Layers.SkipLast(1);

    /// <summary>The training loss before the first step.</summary>
    public MetricPoint? Start { get; private set; }

    /// <summary>Optimiser steps done when losses were last told.</summary>
    public long Step { get; private set; }

    /// <summary>The latest training losses, as many as rules look at.</summary>
    public IReadOnlyCollection<MetricPoint> Train => _train;

    /// <summary>The lowest validation loss.</summary>
    public double LeastValidation { get; private set; } = double.PositiveInfinity;

    /// <summary>The training loss when the validation loss was lowest.</summary>
    public double TrainAtLeast { get; private set; } = double.PositiveInfinity;

    /// <summary>The latest validation losses.</summary>
    public IReadOnlyCollection<MetricPoint> Validation => _validation;

    /// <summary>A point for each layer, before the first step.</summary>
    public IReadOnlyList<LayerPoint> First { get; private set; } = [];

    /// <summary>A point for each layer, now.</summary>
    public IReadOnlyList<LayerPoint> Latest { get; private set; } = [];

    /// <summary>The latest evaluations.</summary>
    public IReadOnlyCollection<IReadOnlyList<LayerPoint>> Evaluations => _evaluations;

    /// <summary>How the run ended; null until then.</summary>
    public TrainingResult? Result { get; private set; }

    /// <summary>
    /// The loss that guessing each of the K classes alike has: ln K; of numbers that of their mean, null where that isn't known.
    /// </summary>
    public double? GuessingLoss => plan.Training.Loss switch
    {
        CrossEntropyPlan => Math.Log(plan.Data.Classes),
        BinaryCrossEntropyPlan => Math.Log(2),
        _ => data.ConstantLoss,
    };

    /// <summary>
    /// What a usual draw stays near before the first step: ln K of classes, of numbers their variance; null for other losses.
    /// </summary>
    public double? UsualStart => plan.Data.Classes == 0 || plan.Training.Loss is CrossEntropyPlan or BinaryCrossEntropyPlan
        ? GuessingLoss : null;

    /// <summary>Whether the training loss has come down so far that there is little left to learn.</summary>
    public bool HasLearnt => _train.Count > 0 && _train.Last().Loss < LossAt(Learnt);

    /// <summary>Between the least loss there is (0) and that of a network that has learnt nothing (1).</summary>
    public double LossAt(double share)
    {
        var untaught = Math.Min(Start?.Loss ?? double.PositiveInfinity, GuessingLoss ?? double.PositiveInfinity);
        return LeastLoss + share * (untaught - LeastLoss);
    }

    /// <summary>The entropy of smoothed targets; 0 without smoothing.</summary>
    private double LeastLoss
    {
        get
        {
            if (plan.Training.Loss is not CrossEntropyPlan { LabelSmoothing: > 0 and var smoothing })
                return 0;
            var classes = plan.Data.Classes;
            double right = 1 - smoothing + smoothing / classes, wrong = smoothing / classes;
            return -right * Math.Log(right) - (classes - 1) * wrong * Math.Log(wrong);
        }
    }

    /// <summary>Whether little or no gradient gets through: what is tiny then is not the learning rate.</summary>
    public bool IsBlocked => GradientFlow is null or < -1 || Hidden.Any(l => Latest[l.Index].DeadFraction > 0.5);

    /// <summary>Whether a norm keeps the signal's size.</summary>
    public bool Normalizes { get; } = UnitRules.Flat(plan.Model.Layers).Any(entry => entry is BatchNormEntry or LayerNormEntry);

    /// <summary>Inputs of all dense layers together.</summary>
    public long Inputs { get; } = plan.Data.Features + plan.DenseLayers.SkipLast(1).Sum(layer => (long)layer.Units);

    public double? GradientFlow => Engine.Diagnostics.GradientFlow.Of(Latest, Layers);

    public void Add(MetricPoint point)
    {
        Step = point.Step;
        if (point.Split is Split.Train)
        {
            Start ??= point;
            Keep(_train, point, Rules.LossNotDecreasing.Evaluations + 1);
        }
        else if (point.Split is Split.Validation)
        {
            if (point.Loss < LeastValidation)
                (LeastValidation, TrainAtLeast) = (point.Loss, _train.Count > 0 ? _train.Last().Loss : double.PositiveInfinity);
            Keep(_validation, point, LossRules.RisePoints);
        }
    }

    public void Add(IReadOnlyList<LayerPoint> points)
    {
        if (First.Count == 0)
            First = points;
        Latest = points;
        Keep(_evaluations, points, Rules.UpdateRatio.Evaluations);
    }

    /// <summary>Goes back to what was known at a step.</summary>
    /// <param name="points">All losses up to there.</param>
    /// <param name="step">Whose evaluation follows.</param>
    public void Return(IEnumerable<MetricPoint> points, long step)
    {
        _train.Clear();
        _validation.Clear();
        foreach (var point in points)
            Add(point);
        IReadOnlyList<LayerPoint>[] evaluations = [.. _evaluations.Where(evaluation => evaluation[0].Step < step)];
        _evaluations.Clear();
        foreach (var evaluation in evaluations)
            _evaluations.Enqueue(evaluation);
    }

    public void End(TrainingResult result) => Result = result;

    private static void Keep<T>(Queue<T> latest, T item, int most)
    {
        latest.Enqueue(item);
        if (latest.Count > most)
            latest.Dequeue();
    }
}
