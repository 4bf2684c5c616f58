using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>A slope that is trained.</summary>
/// <param name="Initial">Before training.</param>
/// <param name="Shared">One for the whole layer, or one per unit.</param>
internal readonly record struct LearnedSlope(double Initial, bool Shared);

/// <summary>A checked activation: which one, and all its parameters.</summary>
public sealed record ActivationFunction
{
    private readonly ActivationKind _kind;
    private readonly ParameterValues _values;

    // known after the first question: gains are quadratures, and binding looks for the largest derivative
    private Activation? _bound;
    private Gains? _gains;

    internal ActivationFunction(ActivationKind kind, ParameterValues values) => (_kind, _values) = (kind, values);

    /// <summary>f(z) = z.</summary>
    public static ActivationFunction Identity { get; } = ActivationRegistry.Standard("identity");

    /// <summary>As the catalogue shows it.</summary>
    public ActivationInfo Info => _kind.Info;

    /// <summary>Canonical name.</summary>
    public string Name => _kind.Info.Name;

    /// <summary>The stored and shown form.</summary>
    public ActivationSpec Spec => _values.WriteTo(new ActivationSpec { Name = Name });

    /// <summary>Gains that keep the second moment of a unit-variance signal.</summary>
    public Gains Gains => _gains ??= Integrate();

    /// <summary>PyTorch's calculate_gain; the rectifier's sqrt 2 where its table has no entry.</summary>
    internal double TorchGain => _kind.TorchGain?.Invoke(_values) ?? ActivationRegistry.Rectifier(0);

    /// <summary>Null where no slope is learned.</summary>
    internal LearnedSlope? Slope => _kind.Slope?.Invoke(_values);

    /// <summary>f(z) and f'(z); a learned slope is the initial one, a random slope its mean.</summary>
    public IReadOnlyList<(float Value, float Derivative)> Evaluate(IEnumerable<float> z)
    {
        var activation = Bind();
        return [.. z.Select(activation.At)];
    }

    /// <summary>The loops over it, which have no state of their own.</summary>
    internal Activation Bind() => _bound ??= _kind.Bind(_values);

    private Gains Integrate()
    {
        var moments = Bind().Moments(0, 1);
        return new(1 / Math.Sqrt(moments.Square), 1 / Math.Sqrt(moments.SlopeSquare), _kind.TorchGain?.Invoke(_values));
    }

    /// <summary>Equal by what was asked for.</summary>
    public bool Equals(ActivationFunction? other) => other is not null && _kind.Equals(other._kind) && _values.Equals(other._values);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_kind.Info.Name, _values);

    /// <summary><c>elu with alpha 2</c>.</summary>
    public override string ToString() => Info.Parameters.Count == 0 ? Name : $"{Name} with {_values}";
}
