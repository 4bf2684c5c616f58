using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>(x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance over the batch.</summary>
public sealed record BatchNormEntry(double Epsilon, double Momentum) : LayerEntry
{
    internal static readonly LayerKind Kind = new("batch_norm", ["epsilon", "momentum"],
        (spec, _) => new BatchNormEntry(spec.Epsilon ?? Standard.Epsilon, spec.Momentum ?? Standard.Momentum));

    internal static BatchNormEntry Standard => new(1e-5, 0.1);

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = Kind.Type, Epsilon = Epsilon, Momentum = Momentum };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) =>
        planner.Add(new BatchNormPlan(planner.Units, Epsilon, Momentum));
}

/// <summary>Over the batch.</summary>
internal sealed record BatchNormPlan(int Units, double Epsilon, double Momentum) : NormPlan(Units, Epsilon)
{
    public override bool TrainsAsItEvaluates => false;

    // mean and 1 / deviation of the batch
    public override long Own => 2L * Units + Running;

    public override long Running => 2L * Units;

    public override NetStep Step(string place, StoredTensors tensors) =>
        new BatchNormStep(Epsilon, tensors.Next(place + "weight", Units), tensors.Next(place + "bias", Units),
            tensors.Next(place + "running_mean", Units), tensors.Next(place + "running_var", Units));

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new BatchNorm(this, workspace);

    public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal x)
    {
        if (x.Unknown is null && walk.Training && double.IsNaN(x.Shared))
            return walk.Stop(x, "batch_norm's statistics are not predicted behind weights with a mean or a distribution that is not known");
        var (shared, variance) = walk.Training ? (x.Shared, x.MeanSquare - x.Shared) : (0, 1);
        double scale = 1 / (variance + Epsilon), norm = x.Square.Average(Math.Sqrt);
        walk.Return(g => g.Times(_ => scale));
        return x with
        {
            Mean = walk.Training ? new double[x.Mean.Length] : [.. x.Mean.Select(m => m * Math.Sqrt(scale))],
            // E[(x - mean over the rows)^2], a row's covariance with that mean being as large as its own norm
            Square =
                [.. x.Square.Select(q => shared == 0 ? q * scale : Math.Max(0, q - 2 * shared * Math.Sqrt(q) / norm + shared) * scale)],
            Shared = walk.Training ? 0 : double.NaN,
            Spread = walk.Training ? default : x.Spread,
        };
    }
}
