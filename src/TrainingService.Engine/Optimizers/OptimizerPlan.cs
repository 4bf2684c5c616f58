using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Optimizers;

/// <summary>A checked optimiser: one of four, each with just its own numbers.</summary>
/// <param name="Name">As in the spec.</param>
/// <param name="LearningRate">Above 0.</param>
/// <param name="WeightDecay">At least 0.</param>
/// <param name="WeightDecayExclude">Which parameters it leaves alone.</param>
public abstract record OptimizerPlan(string Name, double LearningRate, double WeightDecay, string WeightDecayExclude = OptimizerKind.None)
{
    private static readonly OptimizerKind[] Kinds = [SgdPlan.Kind, AdamPlan.Kind, AdamWPlan.Kind, RmsPropPlan.Kind];

    /// <summary>What each optimiser has, with default and range.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<ParameterInfo>> Parameters { get; } =
        Kinds.ToDictionary(k => k.Name, k => k.Parameters);

    /// <summary>The stored and shown form.</summary>
    public abstract OptimizerSpec Spec { get; }

    /// <summary>The learning rate that it has by default.</summary>
    public virtual double StandardRate => OptimizerKind.StandardRate;

    /// <summary>Whether a schedule has a momentum to cycle: sgd's and rmsprop's own, beta1 of the others.</summary>
    internal virtual bool HasMomentum => true;

    /// <summary>The weight decay of biases, norms and slopes.</summary>
    internal double VectorDecay => WeightDecayExclude == OptimizerKind.BiasAndNorm ? 0 : WeightDecay;

    internal abstract Optimizer Create();

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    /// <param name="spec">What was asked for.</param>
    /// <param name="pointer">Its place.</param>
    /// <param name="errors">Where refusals go.</param>
    /// <param name="numbers">Whether the target is a number.</param>
    internal static OptimizerPlan? Resolve(OptimizerSpec spec, string pointer, ICollection<SpecError> errors, bool numbers = false)
    {
        if (Array.Find(Kinds, k => k.Name == spec.Name) is not { } kind)
        {
            errors.Add(new(pointer, $"unknown optimizer '{spec.Name}'{Names.DidYouMean(spec.Name, Parameters.Keys)}; "
                + $"allowed are {string.Join(", ", Parameters.Keys)}"));
            return null;
        }
        if (ParameterValues.Read($"optimizer '{kind.Name}'", kind.Parameters, spec, pointer, errors) is not { } values)
            return null;
        var plan = kind.Resolve(values);
        if (numbers && plan is SgdPlan sgd)
            plan = sgd with { ForNumbers = true, LearningRate = spec.LearningRate ?? OptimizerKind.NumberRate };
        if (plan is not SgdPlan { Nesterov: true, Momentum: 0 })
            return plan;
        errors.Add(new(pointer + "/nesterov", "nesterov needs a momentum above 0"));
        return null;
    }
}

/// <summary>One of the optimisers: its parameters, and what they make.</summary>
internal sealed record OptimizerKind(string Name, IReadOnlyList<ParameterInfo> Parameters, Func<ParameterValues, OptimizerPlan> Resolve)
{
    public const double StandardRate = 0.001;

    /// <summary>
    /// sgd's default for numbers: the gradient of a squared error has no bound, where that of a cross entropy has, and at 0.05 units of
    /// usual nets die in the first steps.
    /// </summary>
    public const double NumberRate = 0.01;

    public static readonly NumberParameter Rate = new("learningRate", StandardRate, Bounds.Positive);
    public static readonly NumberParameter Decay = new("weightDecay", 0, Bounds.NonNegative);
    public const string None = "none", BiasAndNorm = "bias_and_norm";

    public static readonly ChoiceParameter Exclude = new("weightDecayExclude", None, [None, BiasAndNorm], "");
    public static readonly NumberParameter Momentum = new("momentum", 0, Bounds.Share);
    public static readonly NumberParameter Beta1 = new("beta1", 0.9, Bounds.Share);
    public static readonly NumberParameter Beta2 = new("beta2", 0.999, Bounds.Share);
    public static readonly NumberParameter Epsilon = new("epsilon", 1e-8, Bounds.Positive);
}

/// <summary>See <see cref="Sgd"/>, <see cref="SgdMomentum"/> and <see cref="SgdNesterov"/>.</summary>
public sealed record SgdPlan(double LearningRate, double Momentum, bool Nesterov,
    double WeightDecay, string WeightDecayExclude = OptimizerKind.None)
    : OptimizerPlan("sgd", LearningRate, WeightDecay, WeightDecayExclude)
{
    private const double SgdRate = 0.05;

    private static readonly NumberParameter Rate = OptimizerKind.Rate with { Default = SgdRate };
    private static readonly NumberParameter Mu = OptimizerKind.Momentum with { Default = 0.9 };
    private static readonly FlagParameter Ahead = new("nesterov", false);

    internal static readonly OptimizerKind Kind = new("sgd", [Rate, Mu, Ahead, OptimizerKind.Decay, OptimizerKind.Exclude],
        p => new SgdPlan(p[Rate], p[Mu], p[Ahead], p[OptimizerKind.Decay], p[OptimizerKind.Exclude]));

    /// <inheritdoc/>
    public override OptimizerSpec Spec => new()
    {
        Name = Name,
        LearningRate = LearningRate,
        Momentum = Momentum,
        Nesterov = Nesterov,
        WeightDecay = WeightDecay,
        WeightDecayExclude = WeightDecayExclude,
    };

    /// <inheritdoc/>
    public override double StandardRate => ForNumbers ? OptimizerKind.NumberRate : SgdRate;

    /// <summary>Whether the target is a number.</summary>
    internal bool ForNumbers { get; init; }

    internal override bool HasMomentum => Momentum > 0;

    internal override Optimizer Create() =>
        Momentum == 0 ? new Optimizer<Sgd>((rate, _, _, decay) => new(rate, decay), WeightDecay, VectorDecay)
        : Nesterov ? new Optimizer<SgdNesterov>((rate, momentum, _, decay) => new(rate, momentum ?? Momentum, decay),
            WeightDecay, VectorDecay)
        : new Optimizer<SgdMomentum>((rate, momentum, _, decay) => new(rate, momentum ?? Momentum, decay), WeightDecay, VectorDecay);
}

/// <summary>See <see cref="Adam"/>.</summary>
public sealed record AdamPlan(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay,
    string WeightDecayExclude = OptimizerKind.None) : OptimizerPlan("adam", LearningRate, WeightDecay, WeightDecayExclude)
{
    internal static readonly OptimizerKind Kind = new("adam",
        [OptimizerKind.Rate, OptimizerKind.Beta1, OptimizerKind.Beta2, OptimizerKind.Epsilon, OptimizerKind.Decay, OptimizerKind.Exclude],
        p => new AdamPlan(p[OptimizerKind.Rate], p[OptimizerKind.Beta1],
            p[OptimizerKind.Beta2], p[OptimizerKind.Epsilon], p[OptimizerKind.Decay], p[OptimizerKind.Exclude]));

    /// <inheritdoc/>
    public override OptimizerSpec Spec => new()
    {
        Name = Name,
        LearningRate = LearningRate,
        Beta1 = Beta1,
        Beta2 = Beta2,
        Epsilon = Epsilon,
        WeightDecay = WeightDecay,
        WeightDecayExclude = WeightDecayExclude,
    };

    internal override Optimizer Create() =>
        new Optimizer<Adam>((rate, momentum, step, decay) => new(rate, momentum ?? Beta1, Beta2, Epsilon, decay, false, step),
            WeightDecay, VectorDecay);
}

/// <summary>See <see cref="Adam"/>, decoupled.</summary>
public sealed record AdamWPlan(double LearningRate, double Beta1, double Beta2, double Epsilon, double WeightDecay,
    string WeightDecayExclude = OptimizerKind.None) : OptimizerPlan("adamw", LearningRate, WeightDecay, WeightDecayExclude)
{
    private static readonly NumberParameter Decay = OptimizerKind.Decay with { Default = 0.01 };

    internal static readonly OptimizerKind Kind = new("adamw",
        [OptimizerKind.Rate, OptimizerKind.Beta1, OptimizerKind.Beta2, OptimizerKind.Epsilon, Decay, OptimizerKind.Exclude],
        p => new AdamWPlan(p[OptimizerKind.Rate], p[OptimizerKind.Beta1],
            p[OptimizerKind.Beta2], p[OptimizerKind.Epsilon], p[Decay], p[OptimizerKind.Exclude]));

    /// <inheritdoc/>
    public override OptimizerSpec Spec => new()
    {
        Name = Name,
        LearningRate = LearningRate,
        Beta1 = Beta1,
        Beta2 = Beta2,
        Epsilon = Epsilon,
        WeightDecay = WeightDecay,
        WeightDecayExclude = WeightDecayExclude,
    };

    internal override Optimizer Create() =>
        new Optimizer<Adam>((rate, momentum, step, decay) => new(rate, momentum ?? Beta1, Beta2, Epsilon, decay, true, step),
            WeightDecay, VectorDecay);
}

/// <summary>See <see cref="RmsProp"/>.</summary>
public sealed record RmsPropPlan(double LearningRate, double Alpha, double Epsilon, double Momentum, double WeightDecay,
    string WeightDecayExclude = OptimizerKind.None) : OptimizerPlan("rmsprop", LearningRate, WeightDecay, WeightDecayExclude)
{
    private static readonly NumberParameter Average = new("alpha", 0.99, Bounds.Share);

    internal static readonly OptimizerKind Kind = new("rmsprop",
        [OptimizerKind.Rate, Average, OptimizerKind.Epsilon, OptimizerKind.Momentum, OptimizerKind.Decay, OptimizerKind.Exclude],
        p => new RmsPropPlan(p[OptimizerKind.Rate], p[Average], p[OptimizerKind.Epsilon],
            p[OptimizerKind.Momentum], p[OptimizerKind.Decay], p[OptimizerKind.Exclude]));

    /// <inheritdoc/>
    public override OptimizerSpec Spec =>
        new()
        {
            Name = Name,
            LearningRate = LearningRate,
            Momentum = Momentum,
            WeightDecay = WeightDecay,
            WeightDecayExclude = WeightDecayExclude,
            Epsilon = Epsilon,
            Alpha = Alpha,
        };

    internal override bool HasMomentum => Momentum > 0;

    internal override Optimizer Create() =>
        new Optimizer<RmsProp>((rate, momentum, _, decay) => new(rate, Alpha, Epsilon, momentum ?? Momentum, decay),
            WeightDecay, VectorDecay);
}
