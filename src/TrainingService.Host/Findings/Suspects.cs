using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Host.Findings;

/// <summary>
/// What may be to blame for a finding: first each field of the spec that differs from its default or from what the data asks and can
/// bring about what was found, with the change that takes it back; then what cures it whatever the cause. Most likely first; which one
/// it is, a trial tells.
/// </summary>
public static class Suspects
{
    /// <summary>Factors of the usual learning rate within which it is no suspect.</summary>
    private const double RateFactor = 2;

    /// <summary>
    /// Inputs of all layers together that sgd's usual rate is made for, those of hidden layers of 256 and 128. The loss is curved in
    /// proportion to their number (Karakida, Akaho &amp; Amari 2019, Universal statistics of Fisher information in deep neural networks).
    /// </summary>
    private const double UsualInputs = 400;

    /// <summary>Hidden layers from which on sigmoids are a suspect.</summary>
    private const int Steep = 3;

    /// <summary>How large a bias may be at the start.</summary>
    private const double LargeBias = 0.1;

    /// <param name="course">The run.</param>
    /// <param name="symptom">What was found.</param>
    /// <param name="layer">Where; null for the whole run.</param>
    /// <param name="step">When: before the first step, what acts in training alone is no suspect.</param>
    public static IReadOnlyList<Change> Of(Course course, Symptom symptom, string? layer, long step)
    {
        var started = step > 0;
        List<Change> fields = [.. Fields(course).Where(s => (s.Brings & symptom) != 0 && (started || !s.WhileTraining))
            .Select(s => s.Change)];
        // each alone may not be enough
        if (fields.Count > 1 && Change.Together(fields) is { } all)
            fields.Add(all);
        // a better beginning may also need smaller steps
        Change[] last = (symptom & Symptom.Signal) != 0 && fields.Count > 0
            && Change.Together([fields[^1], Patches.LowerRate(course.Plan)]) is { } both ? [both] : [];
        return [.. fields.Concat(Cures(course, symptom, layer, started)).Concat(last).DistinctBy(change => change.Key)];
    }

    private static IEnumerable<Suspect> Fields(Course course)
    {
        var plan = course.Plan;
        var (model, training) = (plan.Model, plan.Training);
        var rate = training.Optimizer.LearningRate / training.Optimizer.StandardRate;

        if (rate > 100)
            yield return LargeRate();
        if (!course.Data.Standardized)
            yield return new(Symptom.Signal | Symptom.Unscaled | Symptom.LargeSteps, Patches.Standardize() with
            {
                Cause = "the features are not scaled (standardize false)",
            });
        if (training.StandardizeTarget == false)
            yield return new(Symptom.Signal & ~(Symptom.PoorStart | Symptom.Saturated) | Symptom.LargeSteps,
                Patches.StandardizeTarget() with
                {
                    Cause = "the target is not scaled (standardizeTarget false)",
                });
        var dense = UnitRules.Flat(model.Layers).OfType<DenseEntry>().ToArray();
        if (dense.Select(d => d.BiasInitializer).Append(model.BiasInitializer)
            .FirstOrDefault(b => Size(b.Spec) > LargeBias) is { } bias)
            yield return new(Symptom.Signal, Patches.StandardBias(plan) with
            {
                Cause = $"the biases start at {Told(bias.Spec)}, not at 0",
            });
        foreach (var layer in dense.DistinctBy(d => d.Initializer.Name))
            if (Weights(course, layer.Initializer, Behind(course, layer)) is { } change)
                yield return new(Symptom.Signal, change);
        if (training.ActivityL1 > 0)
            yield return new(Symptom.Dead | Symptom.Vanishing | Symptom.Stuck | Symptom.SmallSteps | Symptom.Diverged | Symptom.Climbing,
                Patches.Default("training", "activityL1", "Leave activityL1 out.") with
                {
                    Cause = Invariant($"activityL1 {training.ActivityL1} weighs the sum of all activations against the loss"),
                }, WhileTraining: true);
        if (rate is > RateFactor and <= 100)
            yield return LargeRate();
        if (rate < 1 / RateFactor)
            yield return new(Symptom.Stuck | Symptom.SmallSteps, Patches.StandardRate(plan) with { Cause = RateCause(plan, rate, "below") },
                WhileTraining: true);
        // the usual rate is made for a usual net
        var width = course.Plan.Training.Optimizer is SgdPlan && !course.Normalizes ? course.Inputs / UsualInputs : 1;
        if (width > RateFactor && rate <= RateFactor && rate * width > RateFactor)
            yield return new((Symptom.Signal | Symptom.LargeSteps) & ~(Symptom.PoorStart | Symptom.LargeStart),
                Patches.SlowerRate(plan, plan.Training.Optimizer.StandardRate / width) with
                {
                    Cause = Invariant($"the layers have {course.Inputs:N0} inputs together, {width:G2} times as many as those that ")
                        + Invariant($"sgd's usual rate is made for, and the largest rate that is stable falls as their number grows"),
                }, WhileTraining: true);
        foreach (var odd in Training(course))
            yield return odd;
        if (model.Short is { Dropout: >= 0.5 and var dropout })
            yield return new(Symptom.Signal & ~(Symptom.PoorStart | Symptom.LargeStart), Patches.NoDropout(plan) with
            {
                Cause = Invariant($"dropout leaves out {dropout:P0} of every layer while training"),
            }, WhileTraining: true);
        if (dense.FirstOrDefault(d => Parameters(d.Activation) is not null) is { } parametric)
            yield return new(Symptom.Signal, Patches.StandardActivation(plan, parametric.Activation) with
            {
                Cause = $"the activation is {parametric.Activation}",
            });
        if (course.Layers.Count > Steep && dense.FirstOrDefault(d => IsSigmoid(Behind(course, d).Name)) is { } flat)
            yield return new(Symptom.Vanishing | Symptom.PoorStart | Symptom.Stuck | Symptom.Saturated,
                Patches.Activation(plan, Behind(course, flat).Name, "tanh") with
                {
                    Cause = $"the slope of {Behind(course, flat).Name} is at most 1/4, layer after layer",
                });

        Suspect LargeRate() => new((Symptom.Signal | Symptom.LargeSteps) & ~(Symptom.PoorStart | Symptom.LargeStart),
            Patches.StandardRate(plan) with { Cause = RateCause(plan, rate, "above") }, WhileTraining: true);
    }

    /// <summary>Fields of the training that are far from their defaults.</summary>
    private static IEnumerable<Suspect> Training(Course course)
    {
        var (plan, training) = (course.Plan, course.Plan.Training);
        const Symptom Learning = Symptom.Stuck | Symptom.Climbing;
        var momentum = training.Optimizer switch
        {
            SgdPlan s => ("momentum", s.Momentum),
            RmsPropPlan r => ("momentum", r.Momentum),
            AdamPlan a => ("beta1", a.Beta1),
            AdamWPlan w => ("beta1", w.Beta1),
            _ => ("momentum", 0.0),
        };
        if (momentum.Item2 > 0.95)
            yield return new(Learning | Symptom.Diverged | Symptom.Dead | Symptom.LargeSteps | Symptom.Saturated | Symptom.Exploding,
                Patches.OptimizerDefault(momentum.Item1) with
                {
                    Cause = Invariant($"{momentum.Item1} {momentum.Item2} adds up {1 / (1 - momentum.Item2):G3} steps"),
                }, WhileTraining: true);
        if (training.Optimizer is AdamPlan { Epsilon: > 1e-4 } or AdamWPlan { Epsilon: > 1e-4 } or RmsPropPlan { Epsilon: > 1e-4 })
            yield return new(Learning | Symptom.SmallSteps, Patches.OptimizerDefault("epsilon") with
            {
                Cause = "the optimiser's epsilon is larger than most gradients",
            }, WhileTraining: true);
        if (training.Optimizer.WeightDecay > (training.Optimizer is AdamWPlan ? 0.1 : 0.003))
            yield return new(Learning | Symptom.SmallSteps | Symptom.Dead | Symptom.Vanishing | Symptom.Diverged | Symptom.LargeSteps,
                Patches.OptimizerDefault("weightDecay") with
                {
                    Cause = Invariant($"weightDecay {training.Optimizer.WeightDecay} pulls the weights to 0"),
                }, WhileTraining: true);
        if (training.Loss is CrossEntropyPlan { LabelSmoothing: > 0.2 and var smoothing })
            yield return new(Learning, Patches.Default("training", "labelSmoothing", "Leave labelSmoothing out.") with
            {
                Cause = Invariant($"labelSmoothing gives {smoothing:P0} of each target to all classes alike"),
            }, WhileTraining: true);
        if (training.ClipNorm is < 0.1 and var clip)
            yield return new(Symptom.Stuck | Symptom.SmallSteps, Patches.Default("training", "clipNorm", "Leave clipNorm out.") with
            {
                Cause = Invariant($"clipNorm cuts every gradient to a norm of {clip}"),
            }, WhileTraining: true);
        if (training.Schedule is not ConstantSchedule { WarmupSteps: 0 })
            yield return new(Symptom.Stuck | Symptom.SmallSteps,
                Patches.Default("training", "schedule", "Keep the learning rate constant.") with
                {
                    Cause = $"the schedule ({training.Schedule.Name}, {training.Schedule.WarmupSteps} steps of warm-up) "
                        + "takes the learning rate down",
                }, WhileTraining: true);
        if (training.BatchSize < 8 && plan.Data.TrainRows >= 64)
            yield return new(Learning | Symptom.Dead | Symptom.LargeSteps | Symptom.Diverged | Symptom.Saturated,
                Patches.Default("training", "batchSize", "Use the usual batch size.") with
                {
                    Cause = $"batches of {training.BatchSize} {(training.BatchSize == 1 ? "row" : "rows")} make noisy steps",
                }, WhileTraining: true);
        if (training.BatchSize > 256 && plan.Steps < 200)
            yield return new(Symptom.Stuck | Symptom.SmallSteps, Patches.Default("training", "batchSize", "Use the usual batch size.") with
            {
                Cause = $"batches of {training.BatchSize} rows leave only {plan.Steps} steps",
            }, WhileTraining: true);
        if (plan.Data.Classes > 0 && training.Loss is MeanSquaredErrorPlan or HuberPlan)
            yield return new(Learning, Patches.Default("training", "loss", "Use cross entropy, the usual loss of classes.") with
            {
                Cause = $"{training.Loss.Name} is flat where a class is far off",
            }, WhileTraining: true);
    }

    /// <summary>What mends it, whatever the cause.</summary>
    private static IEnumerable<Change> Cures(Course course, Symptom symptom, string? name, bool started)
    {
        var plan = course.Plan;
        var layer = course.Layers.FirstOrDefault(l => l.Name == name) ?? course.Layers[0];
        if (symptom.HasFlag(Symptom.Dead))
            return [Patches.Activation(plan, layer.Activation, "leaky_relu"), .. Lower(started), .. Norm()];
        if (symptom.HasFlag(Symptom.Saturated))
            return [.. Lower(started), .. Norm(), Patches.Activation(plan, layer.Activation, "relu")];
        if (symptom.HasFlag(Symptom.Vanishing))
            return [.. Other(layer), .. Auto(), .. Norm()];
        if ((symptom & (Symptom.Exploding | Symptom.PoorStart)) != 0)
            return [.. Other(layer), .. Auto(), .. Norm(), .. Lower(started)];
        if (symptom.HasFlag(Symptom.LargeStart))
            return [.. Auto(), .. Small()];
        if (symptom.HasFlag(Symptom.SmallSteps))
            return [.. Higher()];
        if (symptom.HasFlag(Symptom.LargeSteps))
            return [Patches.LowerRate(plan)];
        if (symptom.HasFlag(Symptom.Diverged) || symptom == Symptom.Climbing)
            return [Patches.LowerRate(plan), Patches.MuchLowerRate(plan), .. Clip(), .. Norm()];
        if ((symptom & (Symptom.Stuck | Symptom.Climbing)) != 0)
            return [.. Blocked(), .. Rates(), .. Norm(), .. Adam()];
        if (symptom.HasFlag(Symptom.Overfit))
            return [.. Regularised()];
        if (symptom.HasFlag(Symptom.Redundant))
            return [Patches.NoDropout(plan)];
        return [];

        IEnumerable<Change> Lower(bool ifStarted) => ifStarted ? [Patches.LowerRate(plan)] : [];
        IEnumerable<Change> Norm() => plan.Model.Short is { Normalization: "none" } && plan.Training.BatchSize > 1
            ? [Patches.BatchNorm()] : [];
        IEnumerable<Change> Auto() => layer.Initializer != "auto" ? [Patches.Initializer(plan, "auto")] : [];
        IEnumerable<Change> Small() => layer.Initializer != "torch_default" ? [Patches.Initializer(plan, "torch_default")] : [];
        IEnumerable<Change> Clip() => plan.Training.ClipNorm is null or > 1 ? [Patches.Clip()] : [];
        IEnumerable<Change> Adam() => plan.Training.Optimizer is SgdPlan ? [Patches.Adam()] : [];
        // f' of these is at most 1/4: no initialiser brings the gradient through many of them
        IEnumerable<Change> Other(Engine.Diagnostics.LayerInfo of) => IsSigmoid(of.Activation)
            ? [Patches.Activation(plan, of.Activation, "tanh"), Patches.Activation(plan, of.Activation, "relu")] : [];

        IEnumerable<Change> Blocked()
        {
            if (course.Latest.Count == 0)
                yield break;
            if (course.Hidden.FirstOrDefault(l => course.Latest[l.Index].DeadFraction > 0.5) is { } dead)
                yield return Patches.Activation(plan, dead.Activation, "leaky_relu");
            if (course.GradientFlow is not null and not < -1)
                yield break;
            foreach (var change in Other(course.Layers[0]).Concat(Auto()))
                yield return change;
        }

        IEnumerable<Change> Rates()
        {
            var small = Median() is < 1e-3 || plan.Training.Optimizer.LearningRate < plan.Training.Optimizer.StandardRate;
            return small ? [.. Higher(), Patches.LowerRate(plan)] : [Patches.LowerRate(plan), .. Higher()];
        }

        IEnumerable<Change> Higher() => Median() is { } ratio
            ? [Patches.HigherRate(plan, ratio), Patches.TenfoldRate(plan)] : [Patches.TenfoldRate(plan)];

        double? Median()
        {
            var ratios = course.Latest.Select(p => (double?)p.UpdateRatio).OfType<double>().Where(r => r > 0).Order().ToArray();
            return ratios.Length > 0 ? ratios[ratios.Length / 2] : null;
        }

        IEnumerable<Change> Regularised()
        {
            if (plan.Training.EarlyStopping is null)
                yield return Patches.EarlyStopping();
            if (plan.Model.Short is { Dropout: 0 })
                yield return Patches.Dropout(0.3);
            if (plan.Training.Optimizer.WeightDecay < 0.001)
                yield return Patches.WeightDecay(0.001);
            yield return Patches.LowerRate(plan);
        }
    }

    /// <summary>What is wrong with the weights' draw; null if it fits the activation.</summary>
    private static Change? Weights(Course course, Initializer initializer, ActivationFunction activation)
    {
        if (activation.Name == "identity")
            return null;
        var fitting = activation.Info.RecommendedInitializer;
        if (initializer.Name is "auto" or "lsuv")
            return null;
        var sameFamily = Patches.SameFamily(initializer.Name, fitting);
        if ((sameFamily || initializer.Name is "orthogonal" or "kaiming_normal" or "kaiming_uniform" or "xavier_normal" or "xavier_uniform")
            && Parameters(initializer) is { } odd)
            return Patches.StandardInitializer(course.Plan, initializer) with
            {
                Cause = $"the weights start with {odd}, where {initializer.Name} has {Usual(initializer, activation)} "
                    + $"for {activation.Name}",
            };
        return sameFamily ? null : Patches.Initializer(course.Plan, fitting) with
        {
            Cause = $"the weights start with {Told(initializer.Spec)}, which does not fit {activation.Name}; {fitting} does",
        };
    }

    /// <summary>The parameters that differ from what is usual, in words; null if none does.</summary>
    private static string? Parameters(Initializer initializer) =>
        initializer == InitializerRegistry.Standard(initializer.Name) ? null
            : initializer.Spec.Gain is { } gain ? Invariant($"gain {gain}") : Told(initializer.Spec);

    private static string Usual(Initializer initializer, ActivationFunction activation) =>
        initializer.Name.StartsWith("kaiming", StringComparison.Ordinal) && initializer.Spec.Gain is not null
            ? Invariant($"a gain of {activation.Gains.Torch ?? activation.Gains.Forward:G3}") : "a gain of 1";

    private static ActivationFunction? Parameters(ActivationFunction activation) =>
        activation == ActivationRegistry.Standard(activation.Name) ? null : activation;

    /// <summary>The activation behind a dense entry, if only after a norm.</summary>
    private static ActivationFunction Behind(Course course, DenseEntry dense) =>
        dense.Activation.Name != "identity" ? dense.Activation : course.Plan.Model.Activation;

    /// <summary>How large the numbers are that are drawn.</summary>
    private static double Size(InitializerSpec spec) => spec.Name switch
    {
        "constant" => Math.Abs(spec.Value ?? 0),
        "ones" => 1,
        "uniform" => Math.Max(Math.Abs(spec.Min ?? 0), Math.Abs(spec.Max ?? 0)),
        "normal" or "truncated_normal" => Math.Abs(spec.Mean ?? 0) + 2 * (spec.Std ?? 0),
        _ => 0,
    };

    private static string Told(InitializerSpec spec) => spec.Name switch
    {
        "constant" => Invariant($"{spec.Value} (constant)"),
        "uniform" => Invariant($"{spec.Min} to {spec.Max} (uniform)"),
        "normal" or "truncated_normal" => Invariant($"a standard deviation of {spec.Std} around {spec.Mean} ({spec.Name})"),
        "variance_scaling" => Invariant($"a scale of {spec.Scale} (variance_scaling)"),
        "sparse" => Invariant($"a standard deviation of {spec.Std} (sparse)"),
        var name => name,
    };

    private static string RateCause(Engine.Training.RunPlan plan, double rate, string side) =>
        Invariant($"the learning rate {plan.Training.Optimizer.LearningRate} is {(rate > 1 ? rate : 1 / rate):G3} times {side} ")
        + Invariant($"{plan.Training.Optimizer.Name}'s usual {plan.Training.Optimizer.StandardRate}");

    private static bool IsSigmoid(string activation) => activation is "sigmoid" or "hard_sigmoid" or "log_sigmoid";

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <param name="Brings">What the field can bring about.</param>
    /// <param name="Change">That takes it back.</param>
    /// <param name="WhileTraining">Whether it does nothing before the first step.</param>
    private sealed record Suspect(Symptom Brings, Change Change, bool WhileTraining = false);
}
