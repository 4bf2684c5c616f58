using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>All activations by name. A new one is a struct file and a line here.</summary>
public static class ActivationRegistry
{
    private sealed record Entry(ActivationInfo Info, Func<ActivationSpec, Activation> Bind, Func<ActivationSpec, double>? TorchGain = null);

    private static readonly Entry[] Entries =
    [
        new(Celu.Info, s => new Activation<Celu>(new(s.Alpha!.Value))),
        new(Elu.Info, s => new Activation<Elu>(new(s.Alpha!.Value, 1))),
        new(Gelu.Info, s => s.Approximate == "tanh" ? new Activation<GeluTanh>(default) : new Activation<Gelu>(default)),
        new(HardShrink.Info, s => new Activation<HardShrink>(new(s.Lambda!.Value))),
        new(HardSigmoid.Info, _ => new Activation<HardSigmoid>(default)),
        new(HardSilu.Info, _ => new Activation<HardSilu>(default)),
        new(HardTanh.Info, s => new Activation<HardTanh>(new(s.Min!.Value, s.Max!.Value))),
        new(Identity.Info, _ => new Activation<Identity>(default), _ => 1),
        new(LeakyRelu.Info, s => new Activation<LeakyRelu>(new(s.NegativeSlope!.Value)), s => Rectifier(s.NegativeSlope!.Value)),
        new(LogSigmoid.Info, _ => new Activation<LogSigmoid>(default)),
        new(Mish.Info, _ => new Activation<Mish>(default)),
        new(PRelu.Info, s => new Activation<PRelu>(new((float)s.Init!.Value)), s => Rectifier(s.Init!.Value)),
        new(Relu.Info, _ => new Activation<Relu>(default), _ => Rectifier(0)),
        new(Relu6.Info, _ => new Activation<HardTanh>(new(0, 6))),
        new(RRelu.Info, s => new Activation<RRelu>(new(s.Lower!.Value, s.Upper!.Value)), s => Rectifier((s.Lower!.Value + s.Upper!.Value) / 2)),
        new(Selu.Info, _ => new Activation<Elu>(new(Selu.Alpha, Selu.Scale)), _ => 3.0 / 4),
        new(Sigmoid.Info, _ => new Activation<Sigmoid>(default), _ => 1),
        new(Silu.Info, _ => new Activation<Silu>(default)),
        new(SoftShrink.Info, s => new Activation<SoftShrink>(new(s.Lambda!.Value))),
        new(Softplus.Info, s => new Activation<Softplus>(new(s.Beta!.Value, s.Threshold!.Value))),
        new(Softsign.Info, _ => new Activation<Softsign>(default)),
        new(Tanh.Info, _ => new Activation<Tanh>(default), _ => 5.0 / 3),
        new(TanhShrink.Info, _ => new Activation<TanhShrink>(default)),
    ];

    /// <summary>In alphabetical order of their canonical names.</summary>
    public static IReadOnlyList<ActivationInfo> All { get; } = [.. Entries.Select(e => e.Info)];

    /// <summary>By canonical name or alias; null if unknown.</summary>
    public static ActivationInfo? Find(string name) => All.FirstOrDefault(a => a.Name == name || a.Aliases.Contains(name));

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    public static ActivationSpec? Resolve(ActivationSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (Find(spec.Name) is not { } info)
        {
            errors.Add(new(pointer, $"unknown activation '{spec.Name}'{Names.DidYouMean(spec.Name, All.SelectMany(a => a.Aliases.Prepend(a.Name)))}"));
            return null;
        }
        var parameters = new ParameterReader($"activation '{info.Name}'", info.Parameters, pointer, errors);
        var resolved = new ActivationSpec
        {
            Name = info.Name,
            NegativeSlope = parameters.Read("negativeSlope", spec.NegativeSlope),
            Alpha = parameters.Read("alpha", spec.Alpha),
            Init = parameters.Read("init", spec.Init),
            Shared = parameters.Read("shared", spec.Shared),
            Beta = parameters.Read("beta", spec.Beta),
            Threshold = parameters.Read("threshold", spec.Threshold),
            Approximate = parameters.Read("approximate", spec.Approximate),
            Lambda = parameters.Read("lambda", spec.Lambda),
            Min = parameters.Read("min", spec.Min),
            Max = parameters.Read("max", spec.Max),
            Lower = parameters.Read("lower", spec.Lower),
            Upper = parameters.Read("upper", spec.Upper),
        };
        if (parameters.Failed)
            return null;
        if (resolved.Min >= resolved.Max)
        {
            errors.Add(new(pointer + "/max", $"max must be above min, which is {resolved.Min}, not {resolved.Max}"));
            return null;
        }
        if (resolved.Lower > resolved.Upper)
        {
            errors.Add(new(pointer + "/upper", $"upper must be at least lower, which is {resolved.Lower}, not {resolved.Upper}"));
            return null;
        }
        return resolved;
    }

    /// <summary>Gains of a resolved activation.</summary>
    public static Gains Gains(ActivationSpec resolved)
    {
        var entry = Of(resolved);
        var moments = entry.Bind(resolved).Moments(0, 1);
        return new(1 / Math.Sqrt(moments.Square), 1 / Math.Sqrt(moments.SlopeSquare), entry.TorchGain?.Invoke(resolved));
    }

    /// <summary>f(z) and f'(z) of a resolved activation; a learned slope is the initial one, a random slope its mean.</summary>
    public static IReadOnlyList<(float Value, float Derivative)> Evaluate(ActivationSpec resolved, IEnumerable<float> z)
    {
        var activation = Bind(resolved);
        return [.. z.Select(activation.At)];
    }

    internal static Activation Bind(ActivationSpec resolved) => Of(resolved).Bind(resolved);

    /// <summary>PyTorch's calculate_gain; the rectifier's sqrt 2 where its table has no entry.</summary>
    internal static double TorchGain(ActivationSpec resolved) => Of(resolved).TorchGain?.Invoke(resolved) ?? Rectifier(0);

    private static Entry Of(ActivationSpec resolved) => Entries.First(e => e.Info.Name == resolved.Name);

    private static double Rectifier(double slope) => Math.Sqrt(2 / (1 + slope * slope));
}
