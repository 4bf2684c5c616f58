using System.Globalization;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Optimizers;

/// <summary>A checked schedule: the learning rate and momentum of every step, see <see cref="ScheduleSpec"/>.</summary>
/// <param name="Name">As in the spec.</param>
/// <param name="WarmupSteps">Steps in which the rate first rises.</param>
public abstract record SchedulePlan(string Name, int WarmupSteps)
{
    /// <summary>What each schedule has, with range, and default where that doesn't depend on the run.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyList<ParameterInfo>> Parameters { get; } =
        Kinds(1, 0).ToDictionary(k => k.Name, k => k.Parameters);

    /// <summary>The stored and shown form.</summary>
    public abstract ScheduleSpec Spec { get; }

    /// <summary>Of the update with this index, from 0; momentum null means the optimiser's own.</summary>
    /// <param name="step">The index.</param>
    /// <param name="optimizer">Whose rate and momentum are scheduled.</param>
    /// <param name="steps">Of the run.</param>
    internal (double LearningRate, double? Momentum) At(long step, OptimizerPlan optimizer, long steps) => step < WarmupSteps
        ? (optimizer.LearningRate * (step + 1) / WarmupSteps, null)
        : After(step - WarmupSteps, optimizer, steps - WarmupSteps);

    /// <summary>The same behind the warm-up.</summary>
    private protected abstract (double LearningRate, double? Momentum) After(long i, OptimizerPlan optimizer, long steps);

    /// <summary>Checks name and parameters and fills in the defaults; adds errors and answers null if there were any.</summary>
    internal static SchedulePlan? Resolve(ScheduleSpec spec, long steps, string pointer, ICollection<SpecError> errors)
    {
        var warmup = Fields.Check(spec, pointer, []).Of<int>(nameof(spec.WarmupSteps));
        var kinds = Kinds(steps, warmup);
        if (Array.Find(kinds, k => k.Name == spec.Name) is not { } kind)
        {
            errors.Add(new(pointer, $"unknown schedule '{spec.Name}'{Names.DidYouMean(spec.Name, Parameters.Keys)}; "
                + $"allowed are {string.Join(", ", Parameters.Keys)}"));
            return null;
        }
        var values = ParameterValues.Read($"schedule '{kind.Name}'", kind.Parameters, spec, pointer, errors);
        if (warmup >= 0 && (warmup == 0 || warmup < steps))
            return values is null ? null : kind.Resolve(values);
        errors.Add(new(pointer + "/warmupSteps", string.Create(CultureInfo.InvariantCulture,
            $"warmupSteps must be from 0 to fewer than the run's {steps:N0} steps, not {warmup:N0}")));
        return null;
    }

    private static ScheduleKind[] Kinds(long steps, int warmup) =>
    [
        ConstantSchedule.Kind(warmup), StepSchedule.Kind(steps, warmup), ExponentialSchedule.Kind(steps, warmup),
        CosineSchedule.Kind(steps, warmup), OneCycleSchedule.Kind(warmup),
    ];
}

/// <summary>One of the schedules for a run: its parameters, and what they make.</summary>
internal sealed record ScheduleKind(string Name, IReadOnlyList<ParameterInfo> Parameters, Func<ParameterValues, SchedulePlan> Resolve);

/// <summary>lr.</summary>
public sealed record ConstantSchedule(int WarmupSteps) : SchedulePlan("constant", WarmupSteps)
{
    internal static ScheduleKind Kind(int warmup) => new("constant", [], _ => new ConstantSchedule(warmup));

    /// <inheritdoc/>
    public override ScheduleSpec Spec => new() { Name = Name, WarmupSteps = WarmupSteps };

    private protected override (double, double?) After(long i, OptimizerPlan optimizer, long steps) => (optimizer.LearningRate, null);
}

/// <summary>lr gamma^floor(i / stepSize).</summary>
public sealed record StepSchedule(int WarmupSteps, int StepSize, double Gamma) : SchedulePlan("step", WarmupSteps)
{
    internal static ScheduleKind Kind(long steps, int warmup)
    {
        CountParameter size = new("stepSize", (int)Math.Min(int.MaxValue, Math.Max(1, (steps + 2) / 3)), Bounds.Count);
        NumberParameter gamma = new("gamma", 0.1, Bounds.Decay);
        return new("step", [size, gamma], p => new StepSchedule(warmup, p[size], p[gamma]));
    }

    /// <inheritdoc/>
    public override ScheduleSpec Spec => new() { Name = Name, WarmupSteps = WarmupSteps, StepSize = StepSize, Gamma = Gamma };

    private protected override (double, double?) After(long i, OptimizerPlan optimizer, long steps) =>
        (optimizer.LearningRate * Math.Pow(Gamma, i / StepSize), null);
}

/// <summary>lr gamma^i.</summary>
public sealed record ExponentialSchedule(int WarmupSteps, double Gamma) : SchedulePlan("exponential", WarmupSteps)
{
    internal static ScheduleKind Kind(long steps, int warmup)
    {
        // down to 1 % at the run's end
        NumberParameter gamma = new("gamma", Math.Pow(0.01, 1.0 / Math.Max(1, steps)), Bounds.Decay);
        return new("exponential", [gamma], p => new ExponentialSchedule(warmup, p[gamma]));
    }

    /// <inheritdoc/>
    public override ScheduleSpec Spec => new() { Name = Name, WarmupSteps = WarmupSteps, Gamma = Gamma };

    private protected override (double, double?) After(long i, OptimizerPlan optimizer, long steps) =>
        (optimizer.LearningRate * Math.Pow(Gamma, i), null);
}

/// <summary>etaMin + (lr - etaMin)(1 + cos(pi i / tMax)) / 2.</summary>
public sealed record CosineSchedule(int WarmupSteps, int TMax, double EtaMin) : SchedulePlan("cosine", WarmupSteps)
{
    internal static ScheduleKind Kind(long steps, int warmup)
    {
        CountParameter half = new("tMax", (int)Math.Clamp(steps - warmup, 1, int.MaxValue), Bounds.Count);
        NumberParameter least = new("etaMin", 0, Bounds.NonNegative);
        return new("cosine", [half, least], p => new CosineSchedule(warmup, p[half], p[least]));
    }

    /// <inheritdoc/>
    public override ScheduleSpec Spec => new() { Name = Name, WarmupSteps = WarmupSteps, TMax = TMax, EtaMin = EtaMin };

    private protected override (double, double?) After(long i, OptimizerPlan optimizer, long steps) =>
        (EtaMin + (optimizer.LearningRate - EtaMin) * (1 + Math.Cos(Math.PI * i / TMax)) / 2, null);
}

/// <summary>Smith &amp; Topin (2018), Super-convergence, in PyTorch's form: the rate is highest at i = pctStart total - 1.</summary>
public sealed record OneCycleSchedule(int WarmupSteps, double PctStart, double DivFactor, double FinalDivFactor, bool CycleMomentum,
    double BaseMomentum, double MaxMomentum) : SchedulePlan("one_cycle", WarmupSteps)
{
    private static readonly NumberParameter Start = new("pctStart", 0.3, Bounds.Inside), First = new("divFactor", 25, Bounds.Positive),
        Last = new("finalDivFactor", 1e4, Bounds.Positive),
        Base = new("baseMomentum", 0.85, Bounds.Share), Most = new("maxMomentum", 0.95, Bounds.Share);

    private static readonly FlagParameter Cycle = new("cycleMomentum", true);

    internal static ScheduleKind Kind(int warmup) => new("one_cycle", [Start, First, Last, Cycle, Base, Most],
        p => new OneCycleSchedule(warmup, p[Start], p[First], p[Last], p[Cycle], p[Base], p[Most]));

    /// <inheritdoc/>
    public override ScheduleSpec Spec => new()
    {
        Name = Name,
        WarmupSteps = WarmupSteps,
        PctStart = PctStart,
        DivFactor = DivFactor,
        FinalDivFactor = FinalDivFactor,
        CycleMomentum = CycleMomentum,
        BaseMomentum = BaseMomentum,
        MaxMomentum = MaxMomentum,
    };

    private protected override (double, double?) After(long i, OptimizerPlan optimizer, long steps)
    {
        double highest = optimizer.LearningRate, first = highest / DivFactor, last = first / FinalDivFactor;
        double top = PctStart * steps - 1, end = steps - 1;
        var rising = i <= top;
        var share = rising ? (top > 0 ? i / top : 1) : (i - top) / (end - top);
        var cycles = CycleMomentum && optimizer.HasMomentum;
        return rising
            ? (Between(first, highest, share), cycles ? Between(MaxMomentum, BaseMomentum, share) : null)
            : (Between(highest, last, share), cycles ? Between(BaseMomentum, MaxMomentum, share) : null);
    }

    /// <summary>A half cosine from start to end.</summary>
    private static double Between(double start, double end, double share) => end + (start - end) / 2 * (1 + Math.Cos(Math.PI * share));
}
