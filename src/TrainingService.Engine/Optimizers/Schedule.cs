namespace TrainingService.Engine.Optimizers;

/// <summary>The learning rate and momentum of every step; see <see cref="ScheduleSpec"/>.</summary>
/// <param name="spec">Resolved.</param>
/// <param name="learningRate">The optimiser's.</param>
/// <param name="hasMomentum">Whether the optimiser has a momentum to cycle.</param>
/// <param name="totalSteps">Of the run.</param>
internal sealed class Schedule(ScheduleSpec spec, double learningRate, bool hasMomentum, long totalSteps)
{
    private readonly int _warmup = spec.WarmupSteps ?? 0;

    /// <summary>Of the update with this index, from 0; momentum null means the optimiser's own.</summary>
    public (double LearningRate, double? Momentum) At(long step)
    {
        if (step < _warmup)
            return (learningRate * (step + 1) / _warmup, null);
        var i = step - _warmup;
        return spec.Name switch
        {
            "step" => (learningRate * Math.Pow(spec.Gamma!.Value, i / spec.StepSize!.Value), null),
            "exponential" => (learningRate * Math.Pow(spec.Gamma!.Value, i), null),
            "cosine" => (spec.EtaMin!.Value + (learningRate - spec.EtaMin.Value) * (1 + Math.Cos(Math.PI * i / spec.TMax!.Value)) / 2, null),
            "one_cycle" => OneCycle(i, totalSteps - _warmup),
            _ => (learningRate, null),
        };
    }

    /// <summary>Smith &amp; Topin (2018), Super-convergence, in PyTorch's form: the rate is highest at i = pctStart total - 1.</summary>
    private (double, double?) OneCycle(long i, long total)
    {
        double first = learningRate / spec.DivFactor!.Value, last = first / spec.FinalDivFactor!.Value;
        double top = spec.PctStart!.Value * total - 1, end = total - 1;
        var rising = i <= top;
        var share = rising ? (top > 0 ? i / top : 1) : (i - top) / (end - top);
        bool cycles = spec.CycleMomentum == true && hasMomentum;
        return rising
            ? (Between(first, learningRate, share), cycles ? Between(spec.MaxMomentum!.Value, spec.BaseMomentum!.Value, share) : null)
            : (Between(learningRate, last, share), cycles ? Between(spec.BaseMomentum!.Value, spec.MaxMomentum!.Value, share) : null);
    }

    /// <summary>A half cosine from start to end.</summary>
    private static double Between(double start, double end, double share) => end + (start - end) / 2 * (1 + Math.Cos(Math.PI * share));
}
