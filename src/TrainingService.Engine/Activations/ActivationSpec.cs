using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Activations;

/// <summary>An activation function by name, with its parameters. A parameter that the named activation doesn't have is an error.</summary>
[PlainName]
public sealed record ActivationSpec
{
    /// <summary>Canonical name or alias, see the catalogue (<c>relu</c>, <c>leaky_relu</c>, <c>gelu</c>, ...).</summary>
    public required string Name { get; init; }

    /// <summary>Slope for z &lt;= 0 (leaky_relu; default 0.01).</summary>
    public double? NegativeSlope { get; init; }

    /// <summary>Minus the limit of the negative side (elu, celu; default 1).</summary>
    public double? Alpha { get; init; }

    /// <summary>Initial learned slope (prelu; default 0.25).</summary>
    public double? Init { get; init; }

    /// <summary>One learned slope for the whole layer (true, the default) or one per unit (prelu).</summary>
    public bool? Shared { get; init; }

    /// <summary>Sharpness (softplus; default 1).</summary>
    public double? Beta { get; init; }

    /// <summary>Where beta * z is large enough to answer z itself (softplus; default 20).</summary>
    public double? Threshold { get; init; }

    /// <summary><c>none</c> (exact, the default) or <c>tanh</c> (gelu).</summary>
    public string? Approximate { get; init; }

    /// <summary>Half the width of the zero part (soft_shrink, hard_shrink; default 0.5).</summary>
    public double? Lambda { get; init; }

    /// <summary>Lower bound (hard_tanh; default -1).</summary>
    public double? Min { get; init; }

    /// <summary>Upper bound, above min (hard_tanh; default 1).</summary>
    public double? Max { get; init; }

    /// <summary>Least random slope (rrelu; default 1/8).</summary>
    public double? Lower { get; init; }

    /// <summary>Largest random slope, at least lower (rrelu; default 1/3).</summary>
    public double? Upper { get; init; }
}
