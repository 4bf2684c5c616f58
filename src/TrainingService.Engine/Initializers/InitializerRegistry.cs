using TrainingService.Engine.Activations;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Initializers;

/// <summary>All initialisers by name. A new one is a line here, unless it needs more than a distribution.</summary>
public static class InitializerRegistry
{
    /// <summary>What a formula may depend on. PyTorch's weight is (out, in): fan_in is its second dimension.</summary>
    private readonly record struct Fans(int In, int Out, ActivationSpec Activation);

    private sealed record Entry(InitializerInfo Info, bool FitsBias, Func<InitializerSpec, Fans, Draw> Formula);

    private static readonly ParameterInfo Gain = new("gain", 1.0, "> 0", "Factor on the standard deviation.");
    private static readonly ParameterInfo KaimingGain = new("gain", null, "> 0", "Factor on the standard deviation; PyTorch's gain of the layer's activation if left out, sqrt(2) where its table has none.");
    private static readonly ParameterInfo Fan = new("mode", "fan_in", "fan_in | fan_out", "Keep the variance forwards (fan_in) or backwards (fan_out).");
    private const string Glorot = "Glorot & Bengio (2010), Understanding the difficulty of training deep feedforward neural networks, eq. 16";
    private const string He = "He, Zhang, Ren & Sun (2015), Delving deep into rectifiers, eqs. 10 and 14";
    private const string LeCun = "LeCun, Bottou, Orr & Müller (1998), Efficient BackProp; as in Klambauer et al. (2017)";

    private static readonly Entry[] Entries =
    [
        new(new("constant", [], "value", [new("value", 0.0, "finite", "The constant.")], "-"), true, (s, _) => Draw.Constant(s.Value!.Value)),
        new(new("kaiming_normal", ["he_normal"], "N(0, gain^2 / fan)", [Fan, KaimingGain], He), false, (s, f) => Draw.Normal(0, Kaiming(s, f))),
        new(new("kaiming_uniform", ["he_uniform"], "U(-b, b), b = gain sqrt(3 / fan)", [Fan, KaimingGain], He), false, (s, f) => Symmetric(Kaiming(s, f))),
        new(new("lecun_normal", [], "N(0, 1 / fan_in), truncated at 2 std and rescaled", [], LeCun), false, (_, f) => Truncated(Math.Sqrt(1.0 / f.In))),
        new(new("lecun_uniform", [], "U(-b, b), b = sqrt(3 / fan_in)", [], LeCun), false, (_, f) => Symmetric(Math.Sqrt(1.0 / f.In))),
        new(new("normal", ["random_normal"], "N(mean, std^2)", [new("mean", 0.0, "finite", "Mean."), new("std", 1.0, ">= 0", "Standard deviation.")], "-"), true,
            (s, _) => Draw.Normal(s.Mean!.Value, s.Std!.Value)),
        new(new("ones", [], "1", [], "-"), true, (_, _) => Draw.Constant(1)),
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

    /// <summary>Known to the field, not here yet: refused by name and not as unknown.</summary>
    private static readonly string[] Later = ["auto", "lsuv", "orthogonal", "rai", "sparse", "standard"];

    /// <summary>In alphabetical order of their canonical names.</summary>
    public static IReadOnlyList<InitializerInfo> All { get; } = [.. Entries.Select(e => e.Info)];

    /// <summary>By canonical name or alias; null if unknown.</summary>
    public static InitializerInfo? Find(string name) => All.FirstOrDefault(a => a.Name == name || a.Aliases.Contains(name));

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    public static InitializerSpec? Resolve(InitializerSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (Find(spec.Name) is not { } info)
        {
            errors.Add(new(pointer, Later.Contains(spec.Name)
                ? $"initializer '{spec.Name}' is not supported yet"
                : $"unknown initializer '{spec.Name}'{Names.DidYouMean(spec.Name, All.SelectMany(a => a.Aliases.Prepend(a.Name)))}"));
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

    /// <summary>The distribution of a layer's weight (or bias) with its fans and the activation behind it; the specs are resolved.</summary>
    internal static Draw DrawFor(InitializerSpec resolved, int fanIn, int fanOut, ActivationSpec activation) => Of(resolved).Formula(resolved, new(fanIn, fanOut, activation));

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
