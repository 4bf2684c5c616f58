using TrainingService.Engine.Activations;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Initializers;

/// <summary>
/// Fills a weight; <paramref name="bias"/> is the one number per row that belongs to it, where it is asked for instead, or has no columns.
/// </summary>
internal delegate void MatrixFill(ParameterValues values, Fans fans, WeightMatrix weight, WeightMatrix bias, RandomStream random,
    CancellationToken cancellation);

/// <summary>An entry of the registry: a fill, and the moments of what it draws.</summary>
internal sealed record InitializerKind(InitializerInfo Info, bool FitsBias, bool IsMatrix, MatrixFill Fill,
    Func<ParameterValues, Fans, (double Mean, double Variance)> Moments)
{
    /// <summary>A distribution to draw every number from.</summary>
    public InitializerKind(InitializerInfo info, bool fitsBias, Func<ParameterValues, Fans, Draw> formula) : this(info, fitsBias, false,
        (values, fans, numbers, _, random, cancellation) => numbers.Fill(new(formula(values, fans), random), cancellation),
        (values, fans) => formula(values, fans).Moments) => Formula = formula;

    /// <summary>A fill of its own for what needs more than one number at a time.</summary>
    public InitializerKind(InitializerInfo info, bool fitsBias, MatrixFill fill,
        Func<ParameterValues, Fans, (double Mean, double Variance)> moments)
        : this(info, fitsBias, true, fill, moments)
    {
    }

    /// <summary>What every number is drawn from; null of a fill of its own.</summary>
    public Func<ParameterValues, Fans, Draw>? Formula { get; }

    /// <summary>Factor on the standard deviation that comes from the activation, where there is one.</summary>
    public Func<ParameterValues, ActivationFunction, double>? ActivationGain { get; init; }

    /// <summary>Floats that are needed while a weight is drawn.</summary>
    public Func<Fans, long>? Scratch { get; init; }

    /// <summary>Whether a bias that is left open is drawn like the weight.</summary>
    public bool DrawsBias { get; init; }

    /// <summary>Two parameters of which one is the lower bound.</summary>
    public Ordered? Order { get; init; }

    /// <summary>From how many linear layers on the weights are then scaled on one batch.</summary>
    public int ScaledFromLayers { get; init; } = int.MaxValue;
}

/// <summary>All initialisers by name. A new one is a line here, unless it needs more than a distribution.</summary>
public static class InitializerRegistry
{
    private static readonly NumberParameter Gain = new("gain", 1, Bounds.Positive, "Factor on the standard deviation.");
    private static readonly OptionalNumberParameter KaimingGain = new("gain", Bounds.Positive,
        "Factor on the standard deviation; PyTorch's gain of the layer's activation if left out, sqrt(2) where its table has none.");
    private static readonly ChoiceParameter Fan =
        new("mode", "fan_in", ["fan_in", "fan_out"], "Keep the variance forwards (fan_in) or backwards (fan_out).");
    private static readonly NumberParameter Value = new("value", 0, Bounds.Finite, "The constant.");
    private static readonly NumberParameter Share = new("share", 1, Bounds.Between(0, 1),
        "Share of the layer's units that get the value; the others get 0. A bias of -1000 with a share of 0.5 kills half a ReLU layer.");
    private static readonly NumberParameter Mean = new("mean", 0, Bounds.Finite, "Mean.");
    private static readonly NumberParameter Std = new("std", 1, Bounds.NonNegative, "Standard deviation.");
    private static readonly NumberParameter StdBeforeCut =
        Std with { Description = "Standard deviation before the cut; afterwards it is 0.8796 std." };
    private static readonly NumberParameter Sparsity = new("sparsity", 0.1, Bounds.Share, "Share of zeros in each column, rounded up.");
    private static readonly NumberParameter StdOfOthers = new("std", 0.01, Bounds.NonNegative, "Standard deviation of the others.");
    private static readonly NumberParameter Min = new("min", 0, Bounds.Finite, "Lower bound.");
    private static readonly NumberParameter Max = new("max", 1, Bounds.Finite, "Upper bound, excluded; above min.");
    private static readonly NumberParameter Scale = new("scale", 1, Bounds.Positive, "Factor on the variance.");
    private static readonly ChoiceParameter AnyFan =
        new("mode", "fan_in", ["fan_in", "fan_out", "fan_avg"], "Which fan divides the variance.");
    private static readonly ChoiceParameter Distribution = new("distribution", "truncated_normal",
        ["normal", "truncated_normal", "uniform"], "truncated_normal is cut at 2 std and rescaled to the same variance.");
    private const string Glorot =
        "Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, eq. 16";
    private const string He = "He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, eqs. 10 and 14";
    private const string LeCun = "LeCun, Bottou, Orr & Müller (1998), Efficient BackProp; as in Klambauer et al. (2017)";

    private static readonly string[] AutoNotes =
    [
        "For sigmoid and softplus no gain preserves activations and gradients both: auto keeps the activations.",
        "For gelu, silu, mish and hard_silu the variance 1 that it keeps is unstable: "
            + "from 15 hidden layers on it is made sure of on one batch.",
    ];

    private static readonly string[] KaimingNotes =
    [
        "Takes PyTorch's gain: 3/4 for selu, whose self-normalisation wants 1 (lecun_normal), 1 for sigmoid, 5/3 for tanh.",
        "Where PyTorch's table has no gain (gelu, silu, mish, softplus, ...) it takes the rectifier's sqrt(2); auto has each one's own.",
    ];

    private static readonly string[] LeCunNotes =
        ["Gain 1: made for selu, and fit for what is linear around 0. A rectifier halves a signal's mean square with it in each layer."];

    private static readonly string[] LsuvNotes =
        ["Keeps the activations, not the gradients: for sigmoid and softplus no scale keeps both."];

    private static readonly string[] OrthogonalNotes =
        ["Gain 1 keeps the norms of a linear net. For rectifiers set the gain to 1.414, for others to the forward gain of the activation."];

    private static readonly string[] RaiNotes =
        ["Made for ReLU nets that are narrow and deep. Its weights have a positive mean, so that predictions by theory are rough."];

    private static readonly string[] SmallNotes =
        ["Variance 1 / (3 fan_in): a signal's mean square shrinks to a third in each layer, with rectifiers to a sixth."];

    private static readonly string[] XavierNotes =
        ["Gain 1: made for what is linear around 0 (tanh, softsign). With rectifiers a gradient loses 0.15 decades in each square layer."];

    private static readonly string[] AlikeNotes =
        ["As a weight it makes the units of a layer alike: they get the same gradients and never come to differ."];

    private static readonly InitializerKind[] Kinds =
    [
        new(new("auto", [], "N(0, gain^2 / fan_in), gain = 1 / sqrt(E[f(z)^2]), z ~ N(0, 1), for any activation f; "
            + "from 15 hidden layers on then scaled on one batch as lsuv",
            [], "the forward condition of He et al. (2015), eq. 9, with E[f^2] by quadrature") { Notes = AutoNotes }, false,
            (_, f) => Draw.Normal(0, f.Activation.Gains.Forward / Math.Sqrt(f.In)))
        {
            ActivationGain = (_, f) => f.Gains.Forward,
            ScaledFromLayers = 16,
        },
        new(new("constant", [], "value in the first share of the units, rounded; 0 in the others", [Value, Share], "-")
            { Notes = AlikeNotes }, true,
            (v, _, weight, bias, _, cancellation) => Structured.Constant(weight, bias, v[Value], v[Share], cancellation),
            (v, f) => Structured.ConstantMoments(f.Out, v[Value], v[Share])),
        new(new("kaiming_normal", ["he_normal"], "N(0, gain^2 / fan)", [Fan, KaimingGain], He) { Notes = KaimingNotes },
            false, (v, f) => Draw.Normal(0, Kaiming(v, f))) { ActivationGain = KaimingFactor },
        new(new("kaiming_uniform", ["he_uniform"], "U(-b, b), b = gain sqrt(3 / fan)", [Fan, KaimingGain], He) { Notes = KaimingNotes },
            false, (v, f) => Symmetric(Kaiming(v, f))) { ActivationGain = KaimingFactor },
        new(new("lecun_normal", [], "N(0, 1 / fan_in), truncated at 2 std and rescaled", [], LeCun) { Notes = LeCunNotes },
            false, (_, f) => Truncated(Math.Sqrt(1.0 / f.In))),
        new(new("lecun_uniform", [], "U(-b, b), b = sqrt(3 / fan_in)", [], LeCun) { Notes = LeCunNotes }, false,
            (_, f) => Symmetric(Math.Sqrt(1.0 / f.In))),
        new(new("lsuv", [], "orthogonal, then divided by the standard deviation of z on one batch until that is 1, layer after layer", [],
            "Mishkin & Matas (2016), All you need is a good init, algorithm 1") { Notes = LsuvNotes }, false,
            (_, _, weight, _, random, cancellation) => Structured.Orthogonal(weight, 1, random, cancellation),
            (_, f) => Structured.OrthogonalMoments(f.Out, f.In, 1)) { ScaledFromLayers = 0, Scratch = Structured.OrthogonalFloats },
        new(new("normal", ["random_normal"], "N(mean, std^2)", [Mean, Std], "-"), true,
            (v, _) => Draw.Normal(v[Mean], v[Std])),
        new(new("ones", [], "1", [], "-") { Notes = AlikeNotes }, true, (_, _) => Draw.Constant(1)),
        new(new("orthogonal", [], "gain Q, Q from the QR decomposition of a normal matrix, its signs made unique", [Gain],
            "Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep linear neural networks")
            { Notes = OrthogonalNotes },
            false, (v, _, weight, _, random, cancellation) => Structured.Orthogonal(weight, v[Gain], random, cancellation),
            (v, f) => Structured.OrthogonalMoments(f.Out, f.In, v[Gain])) { Scratch = Structured.OrthogonalFloats },
        new(new("rai", ["randomized_asymmetric"],
            "N(0, 0.6007^2 / fan_in) for [W b], one random entry of each row of [W b] from Beta(2, 1)", [],
            "Lu, Shin, Su & Karniadakis (2019), Dying ReLU and initialization, section 4") { Notes = RaiNotes }, true,
            (_, _, weight, bias, random, cancellation) => Structured.RandomizedAsymmetric(weight, bias, random, cancellation),
            (_, f) => Structured.RandomizedAsymmetricMoments(f.In)) { DrawsBias = true },
        new(new("sparse", [], "N(0, std^2), in each column a share of sparsity set to 0",
            [Sparsity, StdOfOthers], "Martens (2010), Deep learning via Hessian-free optimization; torch.nn.init.sparse_"), false,
            (v, _, weight, _, random, cancellation) => Structured.Sparse(weight, v[Sparsity], v[StdOfOthers], random, cancellation),
            (v, f) => Structured.SparseMoments(f.Out, v[Sparsity], v[StdOfOthers])),
        new(new("standard", [], "U(-b, b), b = 1 / sqrt(fan_in), zero bias", [], "Glorot & Bengio (2010), eq. 1")
            { Notes = SmallNotes }, false,
            (_, f) => Draw.Uniform(-1 / Math.Sqrt(f.In), 1 / Math.Sqrt(f.In))),
        new(new("torch_default", ["pytorch_default"], "U(-b, b), b = 1 / sqrt(fan_in), for weights and biases",
            [], "torch.nn.Linear.reset_parameters") { Notes = SmallNotes }, true,
            (_, f) => Draw.Uniform(-1 / Math.Sqrt(f.In), 1 / Math.Sqrt(f.In))) { DrawsBias = true },
        new(new("truncated_normal", ["trunc_normal"], "N(mean, std^2), redrawn beyond 2 std",
            [Mean, StdBeforeCut], "-"), true, (v, _) => Draw.TruncatedNormal(v[Mean], v[StdBeforeCut])),
        new(new("uniform", ["random_uniform"], "U(min, max)", [Min, Max], "-"), true, (v, _) => Draw.Uniform(v[Min], v[Max]))
        {
            Order = new(Min, Max, MayBeEqual: false),
        },
        new(new("variance_scaling", [], "variance scale / fan",
            [Scale, AnyFan, Distribution], "Keras' VarianceScaling; He et al. (2015)"), false,
            (v, f) => Scaled(v[Distribution], Math.Sqrt(v[Scale] / v[AnyFan] switch
            {
                "fan_out" => f.Out,
                "fan_avg" => (f.In + f.Out) / 2.0,
                _ => f.In,
            }))),
        new(new("xavier_normal", ["glorot_normal"], "N(0, gain^2 2 / (fan_in + fan_out))", [Gain], Glorot) { Notes = XavierNotes },
            false, (v, f) => Draw.Normal(0, Xavier(v, f))),
        new(new("xavier_uniform", ["glorot_uniform"], "U(-b, b), b = gain sqrt(6 / (fan_in + fan_out))", [Gain], Glorot)
            { Notes = XavierNotes },
            false, (v, f) => Symmetric(Xavier(v, f))),
        new(new("zeros", [], "0", [], "-") { Notes = AlikeNotes }, true, (_, _) => Draw.Constant(0)),
    ];

    /// <summary>In alphabetical order of their canonical names.</summary>
    public static IReadOnlyList<InitializerInfo> All { get; } = [.. Kinds.Select(k => k.Info)];

    /// <summary>Every canonical name with the aliases behind it.</summary>
    public static IReadOnlyList<string> AllNames { get; } = [.. All.SelectMany(a => a.Aliases.Prepend(a.Name))];

    /// <summary>By canonical name or alias; null if unknown.</summary>
    public static InitializerInfo? Find(string name) => KindOf(name)?.Info;

    /// <summary>The initialiser with its defaults.</summary>
    /// <exception cref="ArgumentException">No initialiser has this name.</exception>
    public static Initializer Standard(string name)
    {
        var errors = new List<SpecError>();
        return Resolve(new() { Name = name }, "", errors) ?? throw new ArgumentException(errors[0].Message, nameof(name));
    }

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    public static Initializer? Resolve(InitializerSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (KindOf(spec.Name) is not { } kind)
        {
            errors.Add(new(pointer, $"unknown initializer '{spec.Name}'{Names.DidYouMean(spec.Name, AllNames)}"));
            return null;
        }
        var values = ParameterValues.Read($"initializer '{kind.Info.Name}'", kind.Info.Parameters, spec, pointer, errors);
        return values is null || kind.Order?.Check(values, pointer, errors) == false ? null : new(kind, values);
    }

    /// <summary>The same for a bias, which has no fans of its own.</summary>
    internal static Initializer? ResolveBias(InitializerSpec spec, string pointer, ICollection<SpecError> errors)
    {
        var resolved = Resolve(spec, pointer, errors);
        if (resolved is not { FitsBias: false })
            return resolved;
        errors.Add(new(pointer, $"initializer '{resolved.Name}' needs a weight matrix; a bias takes one of "
            + string.Join(", ", Kinds.Where(k => k.FitsBias).Select(k => k.Info.Name))));
        return null;
    }

    private static InitializerKind? KindOf(string name) => Names.Same(name, AllNames) is { } known
        ? Array.Find(Kinds, k => k.Info.Name == known || k.Info.Aliases.Contains(known)) : null;

    private static double KaimingFactor(ParameterValues values, ActivationFunction function) => values[KaimingGain] ?? function.TorchGain;

    private static double Kaiming(ParameterValues values, Fans fans) =>
        KaimingFactor(values, fans.Activation) / Math.Sqrt(values[Fan] == "fan_out" ? fans.Out : fans.In);

    private static double Xavier(ParameterValues values, Fans fans) => values[Gain] * Math.Sqrt(2.0 / (fans.In + fans.Out));

    private static Draw Symmetric(double deviation) => Draw.Uniform(-Math.Sqrt(3) * deviation, Math.Sqrt(3) * deviation);

    private static Draw Truncated(double deviation) => Draw.TruncatedNormal(0, deviation / Draw.TruncatedDeviation);

    private static Draw Scaled(string distribution, double deviation) => distribution switch
    {
        "normal" => Draw.Normal(0, deviation),
        "uniform" => Symmetric(deviation),
        _ => Truncated(deviation),
    };
}
