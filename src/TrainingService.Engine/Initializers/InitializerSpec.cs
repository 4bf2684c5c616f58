using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Initializers;

/// <summary>
/// A weight or bias initialiser by name, with its parameters. A parameter that the named initialiser doesn't have is an error.
/// </summary>
[PlainName]
public sealed record InitializerSpec
{
    /// <summary>Canonical name or alias, see the catalogue (<c>kaiming_normal</c>, <c>he_normal</c>, <c>xavier_uniform</c>, ...).</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Factor on the standard deviation (xavier_*, orthogonal: default 1; kaiming_*: default PyTorch's gain of the layer's activation).
    /// </summary>
    public double? Gain { get; init; }

    /// <summary>The constant (constant; default 0).</summary>
    public double? Value { get; init; }

    /// <summary>Share of the layer's units, from the first on, that get the constant; the others get 0 (constant; default 1).</summary>
    public double? Share { get; init; }

    /// <summary>Mean (normal, truncated_normal; default 0).</summary>
    public double? Mean { get; init; }

    /// <summary>
    /// Standard deviation (normal: default 1; truncated_normal: default 1, of the distribution before truncation
    /// at 2 std; sparse: default 0.01).
    /// </summary>
    public double? Std { get; init; }

    /// <summary>Lower bound (uniform; default 0).</summary>
    public double? Min { get; init; }

    /// <summary>Upper bound, excluded (uniform; default 1).</summary>
    public double? Max { get; init; }

    /// <summary><c>fan_in</c>, <c>fan_out</c> (kaiming_*, variance_scaling) or <c>fan_avg</c> (variance_scaling).</summary>
    public string? Mode { get; init; }

    /// <summary>Factor on the variance (variance_scaling; default 1).</summary>
    public double? Scale { get; init; }

    /// <summary><c>normal</c>, <c>truncated_normal</c> (default) or <c>uniform</c> (variance_scaling).</summary>
    public string? Distribution { get; init; }

    /// <summary>Share of zeros in each column, in [0, 1) (sparse; default 0.1).</summary>
    public double? Sparsity { get; init; }
}
