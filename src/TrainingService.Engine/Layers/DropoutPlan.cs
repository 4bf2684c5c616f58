using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>Zeros entries while training; the alpha kind keeps mean and variance for selu.</summary>
public sealed record DropoutEntry(double Rate, bool Alpha) : LayerEntry
{
    internal static readonly LayerKind Kind = new("dropout", ["rate"], (spec, place) => Resolve(spec, place, false));
    internal static readonly LayerKind AlphaKind = new("alpha_dropout", ["rate"], (spec, place) => Resolve(spec, place, true));

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = (Alpha ? AlphaKind : Kind).Type, Rate = Rate };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) =>
        planner.Add(new DropoutPlan(planner.Units, Rate, Alpha));

    private static DropoutEntry? Resolve(LayerSpec spec, LayerPlace place, bool alpha)
    {
        if (spec.Rate is null)
            place.Refuse("/rate", $"a layer of type '{spec.Type}' needs a rate");
        if (place.Previous?.Type is { } previous && (previous == Kind.Type || previous == AlphaKind.Type))
            place.Refuse("", "two dropout layers in a row: make them one");
        return spec.Rate is { } rate ? new(rate, alpha) : null;
    }
}

/// <summary>Zeros entries while training; the alpha kind keeps mean and variance for selu.</summary>
internal sealed record DropoutPlan(int Units, double Rate, bool Alpha) : LayerPlan(Units)
{
    public override bool TrainsAsItEvaluates => false;

    public override NetStep Step(string place, StoredTensors tensors) => new PassStep();

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new DropoutLayer(this, workspace, next.Noise++);

    public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal x)
    {
        if (!walk.Training || Rate == 0)
            return x;
        var kept = 1 - Rate;
        var (factor, offset, dropped) = Alpha ? DropoutLayer.AlphaConstants(Rate) : ((float)(1 / kept), 0, 0);
        // kept entries become factor x + offset
        double square = kept * factor * factor, mean = kept * factor, shift = kept * offset + Rate * dropped;
        walk.Return(g => g with
        {
            Square = [.. g.Square.Select(s => square * s)],
            SumSquare = [.. g.SumSquare.Zip(g.Square, (sum, s) => mean * mean * (sum - x.Units * s) + x.Units * square * s)],
        });
        return x with
        {
            Mean = [.. x.Mean.Select(m => mean * m + shift)],
            Square =
                [.. x.Square.Zip(x.Mean, (s, m) => square * s + 2 * mean * offset * m + kept * offset * offset + Rate * dropped * dropped)],
            Normal = false,
            // every row drops by itself, so that only means are shared
            Shared = mean * mean * x.Shared + 2 * mean * shift * x.Mean.Average() + shift * shift,
        };
    }
}
