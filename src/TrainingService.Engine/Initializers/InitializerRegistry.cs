using TrainingService.Engine.Activations;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Initializers;

/// <summary>All initialisers by name. A new one is a line here, unless it needs more than a distribution.</summary>
public static class InitializerRegistry
{
    /// <summary>Either a distribution to draw every number from, or a fill of its own for what needs more than one number at a time.</summary>
    private sealed record Entry(InitializerInfo Info, bool FitsBias, Func<InitializerSpec, Fans, Draw>? Formula, MatrixFill? Fill = null,
        Func<InitializerSpec, Fans, (double Mean, double Variance)>? FillMoments = null);

    /// <summary>Fills a weight; <paramref name="bias"/> is the one number per row that belongs to it, where it is asked for instead, or has no columns.</summary>
    private delegate void MatrixFill(InitializerSpec spec, WeightMatrix weight, WeightMatrix bias, RandomStream random, CancellationToken cancellation);

    private static readonly ParameterInfo Gain = new("gain", 1.0, "> 0", "Factor on the standard deviation.");
    private static readonly ParameterInfo KaimingGain = new("gain", null, "> 0", "Factor on the standard deviation; PyTorch's gain of the layer's activation if left out, sqrt(2) where its table has none.");
    private static readonly ParameterInfo Fan = new("mode", "fan_in", "fan_in | fan_out", "Keep the variance forwards (fan_in) or backwards (fan_out).");
    private const string Glorot = "Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, eq. 16";
    private const string He = "He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, eqs. 10 and 14";
    private const string LeCun = "LeCun, Bottou, Orr & Müller (1998), Efficient BackProp; as in Klambauer et al. (2017)";

    private static readonly Entry[] Entries =
    [
        new(new("auto", [], "N(0, gain^2 / fan_in), gain = 1 / sqrt(E[f(z)^2]), z ~ N(0, 1), for any activation f; from 15 hidden layers on then scaled on one batch as lsuv",
            [], "the forward condition of He et al. (2015), eq. 9, with E[f^2] by quadrature"), false,
            (_, f) => Draw.Normal(0, ActivationRegistry.Gains(f.Activation).Forward / Math.Sqrt(f.In))),
        new(new("constant", [], "value", [new("value", 0.0, "finite", "The constant.")], "-"), true, (s, _) => Draw.Constant(s.Value!.Value)),
        new(new("kaiming_normal", ["he_normal"], "N(0, gain^2 / fan)", [Fan, KaimingGain], He), false, (s, f) => Draw.Normal(0, Kaiming(s, f))),
        new(new("kaiming_uniform", ["he_uniform"], "U(-b, b), b = gain sqrt(3 / fan)", [Fan, KaimingGain], He), false, (s, f) => Symmetric(Kaiming(s, f))),
        new(new("lecun_normal", [], "N(0, 1 / fan_in), truncated at 2 std and rescaled", [], LeCun), false, (_, f) => Truncated(Math.Sqrt(1.0 / f.In))),
        new(new("lecun_uniform", [], "U(-b, b), b = sqrt(3 / fan_in)", [], LeCun), false, (_, f) => Symmetric(Math.Sqrt(1.0 / f.In))),
        new(new("lsuv", [], "orthogonal, then divided by the standard deviation of z on one batch until that is 1, layer after layer", [],
            "Mishkin & Matas (2016), All you need is a good init, algorithm 1"), false, null,
            (_, weight, _, random, cancellation) => Structured.Orthogonal(weight, 1, random, cancellation),
            (_, f) => Structured.OrthogonalMoments(f.Out, f.In, 1)),
        new(new("normal", ["random_normal"], "N(mean, std^2)", [new("mean", 0.0, "finite", "Mean."), new("std", 1.0, ">= 0", "Standard deviation.")], "-"), true,
            (s, _) => Draw.Normal(s.Mean!.Value, s.Std!.Value)),
        new(new("ones", [], "1", [], "-"), true, (_, _) => Draw.Constant(1)),
        new(new("orthogonal", [], "gain Q, Q from the QR decomposition of a normal matrix, its signs made unique", [Gain],
            "Saxe, McClelland & Ganguli (2014), Exact solutions to the nonlinear dynamics of learning in deep linear neural networks"), false, null,
            (s, weight, _, random, cancellation) => Structured.Orthogonal(weight, s.Gain!.Value, random, cancellation),
            (s, f) => Structured.OrthogonalMoments(f.Out, f.In, s.Gain!.Value)),
        new(new("rai", ["randomized_asymmetric"], "N(0, 0.6007^2 / fan_in) for [W b], one random entry of each row of [W b] from Beta(2, 1)", [],
            "Lu, Shin, Su & Karniadakis (2019), Dying ReLU and initialization, section 4"), true, null,
            (_, weight, bias, random, cancellation) => Structured.RandomizedAsymmetric(weight, bias, random, cancellation),
            (_, f) => Structured.RandomizedAsymmetricMoments(f.In)),
        new(new("sparse", [], "N(0, std^2), in each column a share of sparsity set to 0",
            [new("sparsity", 0.1, "[0, 1)", "Share of zeros in each column, rounded up."), new("std", 0.01, ">= 0", "Standard deviation of the others.")],
            "Martens (2010), Deep learning via Hessian-free optimization; torch.nn.init.sparse_"), false, null,
            (s, weight, _, random, cancellation) => Structured.Sparse(weight, s.Sparsity!.Value, s.Std!.Value, random, cancellation),
            (s, f) => Structured.SparseMoments(f.Out, s.Sparsity!.Value, s.Std!.Value)),
        new(new("standard", [], "U(-b, b), b = 1 / sqrt(fan_in), zero bias", [], "Glorot & Bengio (2010), eq. 1"), false,
            (_, f) => Draw.Uniform(-1 / Math.Sqrt(f.In), 1 / Math.Sqrt(f.In))),
        new(new("torch_default", ["pytorch_default"], "U(-b, b), b = 1 / sqrt(fan_in), for weights and biases", [], "torch.nn.Linear.reset_parameters"), true,
            (_, f) => Draw.Uniform(-1 / Math.Sqrt(f.In), 1 / Math.Sqrt(f.In))),
        new(new("truncated_normal", ["trunc_normal"], "N(mean, std^2), redrawn beyond 2 std",
            [new("mean", 0.0, "finite", "Mean."), new("std", 1.0, ">= 0", "Standard deviation before the cut; afterwards it is 0.8796 std.")], "-"), true,
            (s, _) => Draw.TruncatedNormal(s.Mean!.Value, s.Std!.Value)),
        new(new("uniform", ["random_uniform"], "U(min, max)", [new("min", 0.0, "finite", "Lower bound."), new("max", 1.0, "finite", "Upper bound, excluded; above min.")], "-"), true,
            (s, _) => Draw.Uniform(s.Min!.Value, s.Max!.Value)),
        new(new("variance_scaling", [], "variance scale / fan",
            [
                new("scale", 1.0, "> 0", "Factor on the variance."),
                new("mode", "fan_in", "fan_in | fan_out | fan_avg", "Which fan divides the variance."),
                new("distribution", "truncated_normal", "normal | truncated_normal | uniform", "truncated_normal is cut at 2 std and rescaled to the same variance."),
            ], "Keras' VarianceScaling; He et al. (2015)"), false, (s, f) => Scaled(s.Distribution!, Math.Sqrt(s.Scale!.Value / s.Mode switch
            {
                "fan_out" => f.Out,
                "fan_avg" => (f.In + f.Out) / 2.0,
                _ => f.In,
            }))),
        new(new("xavier_normal", ["glorot_normal"], "N(0, gain^2 2 / (fan_in + fan_out))", [Gain], Glorot), false, (s, f) => Draw.Normal(0, Xavier(s, f))),
        new(new("xavier_uniform", ["glorot_uniform"], "U(-b, b), b = gain sqrt(6 / (fan_in + fan_out))", [Gain], Glorot), false, (s, f) => Symmetric(Xavier(s, f))),
        new(new("zeros", [], "0", [], "-"), true, (_, _) => Draw.Constant(0)),
    ];

    /// <summary>In alphabetical order of their canonical names.</summary>
    public static IReadOnlyList<InitializerInfo> All { get; } = [.. Entries.Select(e => e.Info)];

    /// <summary>By canonical name or alias; null if unknown.</summary>
    public static InitializerInfo? Find(string name) => All.FirstOrDefault(a => a.Name == name || a.Aliases.Contains(name));

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    public static InitializerSpec? Resolve(InitializerSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (Find(spec.Name) is not { } info)
        {
            errors.Add(new(pointer, $"unknown initializer '{spec.Name}'{Names.DidYouMean(spec.Name, All.SelectMany(a => a.Aliases.Prepend(a.Name)))}"));
            return null;
        }
        var parameters = new ParameterReader($"initializer '{info.Name}'", info.Parameters, pointer, errors);
        var resolved = new InitializerSpec
        {
            Name = info.Name,
            Gain = parameters.Read("gain", spec.Gain),
            Value = parameters.Read("value", spec.Value),
            Mean = parameters.Read("mean", spec.Mean),
            Std = parameters.Read("std", spec.Std),
            Min = parameters.Read("min", spec.Min),
            Max = parameters.Read("max", spec.Max),
            Mode = parameters.Read("mode", spec.Mode),
            Scale = parameters.Read("scale", spec.Scale),
            Distribution = parameters.Read("distribution", spec.Distribution),
            Sparsity = parameters.Read("sparsity", spec.Sparsity),
        };
        if (parameters.Failed)
            return null;
        if (resolved.Min >= resolved.Max)
        {
            errors.Add(new(pointer + "/max", $"max must be above min, which is {resolved.Min}, not {resolved.Max}"));
            return null;
        }
        return resolved;
    }

    /// <summary>The same for a bias, which has no fans of its own.</summary>
    internal static InitializerSpec? ResolveBias(InitializerSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (Resolve(spec, pointer, errors) is not { } resolved)
            return null;
        if (Of(resolved).FitsBias)
            return resolved;
        errors.Add(new(pointer, $"initializer '{resolved.Name}' needs a weight matrix; a bias takes one of {string.Join(", ", Entries.Where(e => e.FitsBias).Select(e => e.Info.Name))}"));
        return null;
    }

    /// <summary>Draws a layer's weight (out, in), row by row, and its bias (one row) from streams of their own.</summary>
    internal static void Fill(InitializerSpec initializer, InitializerSpec biasInitializer, Fans fans, long seed, int index, WeightMatrix weight,
        WeightMatrix bias, CancellationToken cancellation)
    {
        var entry = Of(biasInitializer);
        // a bias that belongs to the weight's structure is drawn with the weight's stream, and its matrix is not the weight
        if (entry.Fill is not null)
            Fill(entry, biasInitializer, fans, weight, bias, new(seed, StreamPurpose.Weights, index), cancellation);
        else
            Fill(entry, biasInitializer, fans, bias, default, new(seed, StreamPurpose.Biases, index), cancellation);
        Fill(Of(initializer), initializer, fans, weight, default, new(seed, StreamPurpose.Weights, index), cancellation);
    }

    /// <summary>Mean and variance of what is drawn; what is then <see cref="ScaledOnBatch"/> has another variance.</summary>
    internal static (double Mean, double Variance) Moments(InitializerSpec spec, Fans fans) =>
        Of(spec) is { FillMoments: { } moments } ? moments(spec, fans) : Of(spec).Formula!(spec, fans).Moments;

    /// <summary>
    /// Whether the weights are scaled to unit variance of z on one batch: lsuv, and auto in nets of 15 hidden layers or more, where errors of its gain would add up.
    /// </summary>
    internal static bool ScaledOnBatch(InitializerSpec initializer, int layers) => initializer.Name == "lsuv" || (initializer.Name == "auto" && layers > 15);

    private static void Fill(Entry entry, InitializerSpec spec, Fans fans, WeightMatrix numbers, WeightMatrix bias, RandomStream random,
        CancellationToken cancellation)
    {
        if (entry.Fill is { } fill)
            fill(spec, numbers, bias, random, cancellation);
        else
            numbers.Fill(new(entry.Formula!(spec, fans), random), cancellation);
    }

    private static Entry Of(InitializerSpec resolved) => Entries.First(e => e.Info.Name == resolved.Name);

    private static double Kaiming(InitializerSpec s, Fans f) => (s.Gain ?? ActivationRegistry.TorchGain(f.Activation)) / Math.Sqrt(s.Mode == "fan_out" ? f.Out : f.In);

    private static double Xavier(InitializerSpec s, Fans f) => s.Gain!.Value * Math.Sqrt(2.0 / (f.In + f.Out));

    private static Draw Symmetric(double deviation) => Draw.Uniform(-Math.Sqrt(3) * deviation, Math.Sqrt(3) * deviation);

    private static Draw Truncated(double deviation) => Draw.TruncatedNormal(0, deviation / Draw.TruncatedDeviation);

    private static Draw Scaled(string distribution, double deviation) => distribution switch
    {
        "normal" => Draw.Normal(0, deviation),
        "uniform" => Symmetric(deviation),
        _ => Truncated(deviation),
    };
}
