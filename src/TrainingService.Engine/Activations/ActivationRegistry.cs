using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>An entry of the registry.</summary>
/// <param name="Info">As the catalogue shows it.</param>
/// <param name="Bind">Makes the loops.</param>
/// <param name="TorchGain">PyTorch's calculate_gain; null where its table has no entry.</param>
internal sealed record ActivationKind(ActivationInfo Info,
    Func<ParameterValues, Activation> Bind, Func<ParameterValues, double>? TorchGain = null)
{
    /// <summary>Two parameters of which one is the lower bound.</summary>
    public Ordered? Order { get; init; }

    /// <summary>What is trained of it; null for nothing.</summary>
    public Func<ParameterValues, LearnedSlope>? Slope { get; init; }
}

/// <summary>All activations by name. A new one is a struct file and a line here.</summary>
public static class ActivationRegistry
{
    private static readonly ActivationKind[] Kinds =
    [
        new(Celu.Info, p => new Activation<Celu>(new(p[Celu.Alpha]))),
        new(Elu.Info, p => new Activation<Elu>(new(p[Elu.Alpha], 1))),
        new(Gelu.Info, p => p[Gelu.Approximate] == "tanh" ? new Activation<GeluTanh>(default) : new Activation<Gelu>(default)),
        new(HardShrink.Info, p => new Activation<HardShrink>(new(p[SoftShrink.Lambda]))),
        new(HardSigmoid.Info, _ => new Activation<HardSigmoid>(default)),
        new(HardSilu.Info, _ => new Activation<HardSilu>(default)),
        new(HardTanh.Info, p => new Activation<HardTanh>(new(p[HardTanh.Min], p[HardTanh.Max])))
        {
            Order = new(HardTanh.Min, HardTanh.Max, MayBeEqual: false),
        },
        new(Identity.Info, _ => new Activation<Identity>(default), _ => 1),
        new(LeakyRelu.Info, p => new Activation<LeakyRelu>(new(p[LeakyRelu.NegativeSlope])), p => Rectifier(p[LeakyRelu.NegativeSlope])),
        new(LogSigmoid.Info, _ => new Activation<LogSigmoid>(default)),
        new(Mish.Info, _ => new Activation<Mish>(default)),
        new(PRelu.Info, p => new Activation<PRelu>(new((float)p[PRelu.Init])), p => Rectifier(p[PRelu.Init]))
        {
            Slope = p => new(p[PRelu.Init], p[PRelu.Shared]),
        },
        new(Relu.Info, _ => new Activation<Relu>(default), _ => Rectifier(0)),
        new(Relu6.Info, _ => new Activation<HardTanh>(new(0, 6))),
        new(RRelu.Info, p => new Activation<RRelu>(new(p[RRelu.Lower], p[RRelu.Upper])),
            p => Rectifier((p[RRelu.Lower] + p[RRelu.Upper]) / 2))
        {
            Order = new(RRelu.Lower, RRelu.Upper, MayBeEqual: true),
        },
        new(Selu.Info, _ => new Activation<Elu>(new(Selu.Alpha, Selu.Scale)), _ => 3.0 / 4),
        new(Sigmoid.Info, _ => new Activation<Sigmoid>(default), _ => 1),
        new(Silu.Info, _ => new Activation<Silu>(default)),
        new(SoftShrink.Info, p => new Activation<SoftShrink>(new(p[SoftShrink.Lambda]))),
        new(Softplus.Info, p => new Activation<Softplus>(new(p[Softplus.Beta], p[Softplus.Threshold]))),
        new(Softsign.Info, _ => new Activation<Softsign>(default)),
        new(Tanh.Info, _ => new Activation<Tanh>(default), _ => 5.0 / 3),
        new(TanhShrink.Info, _ => new Activation<TanhShrink>(default)),
    ];

    /// <summary>In alphabetical order of their canonical names.</summary>
    public static IReadOnlyList<ActivationInfo> All { get; } = [.. Kinds.Select(k => k.Info)];

    /// <summary>Every canonical name with the aliases behind it.</summary>
    public static IReadOnlyList<string> AllNames { get; } = [.. All.SelectMany(a => a.Aliases.Prepend(a.Name))];

    /// <summary>By canonical name or alias; null if unknown.</summary>
    public static ActivationInfo? Find(string name) => KindOf(name)?.Info;

    /// <summary>The activation with its defaults.</summary>
    /// <exception cref="ArgumentException">No activation has this name.</exception>
    public static ActivationFunction Standard(string name)
    {
        var errors = new List<SpecError>();
        return Resolve(new() { Name = name }, "", errors) ?? throw new ArgumentException(errors[0].Message, nameof(name));
    }

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    public static ActivationFunction? Resolve(ActivationSpec spec, string pointer, ICollection<SpecError> errors)
    {
        if (KindOf(spec.Name) is not { } kind)
        {
            errors.Add(new(pointer, $"unknown activation '{spec.Name}'{Names.DidYouMean(spec.Name, AllNames)}"));
            return null;
        }
        var values = ParameterValues.Read($"activation '{kind.Info.Name}'", kind.Info.Parameters, spec, pointer, errors);
        return values is null || kind.Order?.Check(values, pointer, errors) == false ? null : new(kind, values);
    }

    /// <summary>What the rectifiers have, and whatever PyTorch's table doesn't list: sqrt(2 / (1 + slope^2)).</summary>
    internal static double Rectifier(double slope) => Math.Sqrt(2 / (1 + slope * slope));

    private static ActivationKind? KindOf(string name) => Names.Same(name, AllNames) is { } known
        ? Array.Find(Kinds, k => k.Info.Name == known || k.Info.Aliases.Contains(known)) : null;
}
