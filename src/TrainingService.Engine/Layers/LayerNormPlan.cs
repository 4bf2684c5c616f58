using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>(x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance over each sample's units.</summary>
public sealed record LayerNormEntry(double Epsilon) : LayerEntry
{
    internal static readonly LayerKind Kind = new("layer_norm", ["epsilon"], (spec, place) =>
    {
        if (place.Inputs == 1)
            place.Refuse("/type", OneUnit);
        return new LayerNormEntry(spec.Epsilon ?? Standard.Epsilon);
    });

    internal const string OneUnit =
        "layer_norm over one unit turns every row into the same number, so nothing is learned: use at least 2 units, or leave the norm out";

    internal static LayerNormEntry Standard => new(1e-5);

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = Kind.Type, Epsilon = Epsilon };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) =>
        planner.Add(new LayerNormPlan(planner.Units, Epsilon));
}

/// <summary>Over the sample's units.</summary>
internal sealed record LayerNormPlan(int Units, double Epsilon) : NormPlan(Units, Epsilon)
{
    // mean and 1 / deviation
    public override long Kept => Units + 2L;

    public override NetStep Step(string place, StoredTensors tensors) =>
        new LayerNormStep(Epsilon, tensors.Next(place + "weight", Units), tensors.Next(place + "bias", Units));

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new LayerNorm(this, workspace);

    public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal x)
    {
        // the projection takes two directions from the gradient, and leaves it a sum of 0
        var left = Math.Max(0, 1 - 2.0 / Units);
        walk.Normalized = true;
        walk.Return(g => g.Times(row => left / (Variance(x, row) + Epsilon)) with { SumSquare = new double[g.Square.Length] });
        return x with
        {
            Mean = new double[x.Mean.Length],
            Square = [.. x.Square.Select((_, row) => Variance(x, row) / (Variance(x, row) + Epsilon))],
            // every row is divided by a deviation of its own, which is nearly the same
            Shared = (x.Shared - x.Mean.Average() * x.Mean.Average()) / (x.Variance + Epsilon),
            Spread = default,
        };
    }

    private static double Variance(PreflightSignal x, int row) => Math.Max(0, x.Square[row] - x.Mean[row] * x.Mean[row]);
}
