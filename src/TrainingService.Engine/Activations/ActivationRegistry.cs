using TrainingService.Engine.Training;

namespace TrainingService.Engine.Activations;

/// <summary>All activations by name. A new one is a struct file and a line here.</summary>
public static class ActivationRegistry
{
    private sealed record Entry(ActivationInfo Info, Func<ActivationSpec, Activation> Bind, Func<ActivationSpec, double>? TorchGain = null);

    private static readonly Entry[] Entries =
    [
        new(Elu.Info, s => new Activation<Elu>(new(s.Alpha!.Value, 1))),
        new(Gelu.Info, s => s.Approximate == "tanh" ? new Activation<GeluTanh>(default) : new Activation<Gelu>(default)),
        new(Identity.Info, _ => new Activation<Identity>(default), _ => 1),
        new(LeakyRelu.Info, s => new Activation<LeakyRelu>(new(s.NegativeSlope!.Value)), s => Rectifier(s.NegativeSlope!.Value)),
        new(PRelu.Info, s => new Activation<PRelu>(new((float)s.Init!.Value)), s => Rectifier(s.Init!.Value)),
        new(Relu.Info, _ => new Activation<Relu>(default), _ => Rectifier(0)),
        new(Selu.Info, _ => new Activation<Elu>(new(Selu.Alpha, Selu.Scale)), _ => 3.0 / 4),
        new(Sigmoid.Info, _ => new Activation<Sigmoid>(default), _ => 1),
        new(Silu.Info, _ => new Activation<Silu>(default)),
        new(Softplus.Info, s => new Activation<Softplus>(new(s.Beta!.Value, s.Threshold!.Value))),
        new(Tanh.Info, _ => new Activation<Tanh>(default), _ => 5.0 / 3),
    ];

    /// <summary>Known to the field, not here yet: refused by name and not as unknown.</summary>
    private static readonly string[] Later =
        ["celu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh", "log_sigmoid", "mish", "relu6", "rrelu", "soft_shrink", "softsign", "tanh_shrink"];

    /// <summary>In alphabetical order of their canonical names.</summary>
    public static IReadOnlyList<ActivationInfo> All { get; } = [.. Entries.Select(e => e.Info)];

    /// <summary>By canonical name or alias; null if unknown.</summary>
    public static ActivationInfo? Find(string name) => All.FirstOrDefault(a => a.Name == name || a.Aliases.Contains(name));

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    public static ActivationSpec? Resolve(ActivationSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (Find(spec.Name) is not { } info)
        {
            errors.Add(new(pointer, Later.Contains(spec.Name)
                ? $"activation '{spec.Name}' is not supported yet"
                : $"unknown activation '{spec.Name}'{Names.DidYouMean(spec.Name, All.SelectMany(a => a.Aliases.Prepend(a.Name)))}"));
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
        };
        return parameters.Failed ? null : resolved;
    }

    /// <summary>Gains of a resolved activation.</summary>
    public static Gains Gains(ActivationSpec resolved)
    {
        var entry = Of(resolved);
        var (value, derivative) = entry.Bind(resolved).SecondMoments(1);
        return new(1 / Math.Sqrt(value), 1 / Math.Sqrt(derivative), entry.TorchGain?.Invoke(resolved));
    }

    internal static Activation Bind(ActivationSpec resolved) => Of(resolved).Bind(resolved);

    /// <summary>PyTorch's calculate_gain; the rectifier's sqrt 2 where its table has no entry.</summary>
    internal static double TorchGain(ActivationSpec resolved) => Of(resolved).TorchGain?.Invoke(resolved) ?? Rectifier(0);

    private static Entry Of(ActivationSpec resolved) => Entries.First(e => e.Info.Name == resolved.Name);

    private static double Rectifier(double slope) => Math.Sqrt(2 / (1 + slope * slope));
}
