using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Optimizers;

/// <summary>
/// A learning-rate schedule; it advances once per optimiser step. Parameter names and formulas are PyTorch's, lr being the optimiser's
/// learning rate and i the steps done since the warm-up.
/// </summary>
[PlainName]
public sealed record ScheduleSpec
{
    /// <summary>
    /// <c>constant</c>: lr. <c>step</c>: lr gamma^floor(i / stepSize). <c>exponential</c>: lr gamma^i.
    /// <c>cosine</c>: etaMin + (lr - etaMin)(1 + cos(pi i / tMax)) / 2.
    /// <c>one_cycle</c>: by half cosines from lr / divFactor up to lr and down to lr / divFactor / finalDivFactor, momentum the other way.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>What a training has that names none.</summary>
    public static ScheduleSpec Default { get; } = new() { Name = "constant" };

    /// <summary>
    /// Steps in which the rate first rises linearly from lr / warmupSteps to lr. At least 0, fewer than the run's steps; default 0.
    /// </summary>
    [AtLeast(0, Default = 0)]
    public int? WarmupSteps { get; init; }

    /// <summary>Steps between two drops (step; at least 1; default a third of the run).</summary>
    public int? StepSize { get; init; }

    /// <summary>
    /// Factor of a drop (step; default 0.1) or of every step (exponential; default: down to 1 % at the run's end). Above 0, at most 1.
    /// </summary>
    public double? Gamma { get; init; }

    /// <summary>
    /// Steps to the lowest rate (cosine; at least 1; default the run's steps after the warm-up); beyond it the rate rises again.
    /// </summary>
    public int? TMax { get; init; }

    /// <summary>Lowest rate (cosine; at least 0; default 0).</summary>
    public double? EtaMin { get; init; }

    /// <summary>Share of the steps in which the rate rises (one_cycle; in (0, 1); default 0.3).</summary>
    public double? PctStart { get; init; }

    /// <summary>lr over the first rate (one_cycle; default 25).</summary>
    public double? DivFactor { get; init; }

    /// <summary>First rate over the last (one_cycle; default 10,000).</summary>
    public double? FinalDivFactor { get; init; }

    /// <summary>
    /// Whether momentum (sgd, rmsprop) or beta1 (adam, adamw) goes the other way (one_cycle; default true); without momentum nothing does.
    /// </summary>
    public bool? CycleMomentum { get; init; }

    /// <summary>Momentum at the highest rate (one_cycle; in [0, 1); default 0.85).</summary>
    public double? BaseMomentum { get; init; }

    /// <summary>Momentum at the ends (one_cycle; in [0, 1); default 0.95).</summary>
    public double? MaxMomentum { get; init; }
}
