namespace TrainingService.Host.Catalog;

/// <summary>
/// Time of a whole training step over the same step with ReLU, as the benchmarks' command <c>activations --net large</c> printed it:
/// 784-512-512-10, batch 128, SGD with momentum, one core, medians of 7 interleaved rounds. Differences below 0.02 are noise.
/// </summary>
public static class ActivationCosts
{
    public const string MeasuredOn = "AMD EPYC (Zen 5, AVX-512), one core, 2026-11-24; net 784-512-512-10, batch 128";

    private static readonly Dictionary<string, double> Ratios = new()
    {
        ["celu"] = 1.01,
        ["elu"] = 1.01,
        ["gelu"] = 1.06,
        ["hard_shrink"] = 1.00,
        ["hard_sigmoid"] = 1.00,
        ["hard_silu"] = 1.00,
        ["hard_tanh"] = 1.00,
        ["identity"] = 0.97,
        ["leaky_relu"] = 1.00,
        ["log_sigmoid"] = 1.04,
        ["mish"] = 1.03,
        ["prelu"] = 1.00,
        ["relu"] = 1.00,
        ["relu6"] = 1.00,
        ["rrelu"] = 1.02,
        ["selu"] = 1.01,
        ["sigmoid"] = 1.01,
        ["silu"] = 1.02,
        ["soft_shrink"] = 1.00,
        ["softplus"] = 1.04,
        ["softsign"] = 0.99,
        ["tanh"] = 1.00,
        ["tanh_shrink"] = 1.03,
    };

    /// <summary>Null where it has not been measured.</summary>
    public static double? Of(string name) => Ratios.TryGetValue(name, out var ratio) ? ratio : null;
}
