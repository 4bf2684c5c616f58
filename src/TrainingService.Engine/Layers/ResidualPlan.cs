using System.Globalization;
using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>x + branch(x).</summary>
public sealed record ResidualEntry(IReadOnlyList<LayerEntry> Branch) : LayerEntry
{
    internal static readonly LayerKind Kind = new("residual", ["layers"], Resolve);

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = Kind.Type, Layers = [.. Branch.Select(e => e.Spec)] };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) =>
        planner.Add(new ResidualPlan(planner.Units, planner.Branch(Branch)));

    private static ResidualEntry? Resolve(LayerSpec spec, LayerPlace place)
    {
        if (spec.Layers is null)
        {
            place.Refuse("/layers", "a residual layer needs layers, its branch");
            return null;
        }
        var units = place.Inputs;
        var branch = place.Check.Branch(spec.Layers, ref units, place.Pointer + "/layers");
        if (units != place.Inputs)
            place.Refuse("/layers", string.Create(CultureInfo.InvariantCulture,
                $"the branch turns {place.Inputs:N0} units into {units:N0}: ")
                + string.Create(CultureInfo.InvariantCulture,
                    $"what is added must have the width of the input, so end it with a dense layer of {place.Inputs:N0} units"));
        return new(branch);
    }
}

/// <summary>x + branch(x).</summary>
internal sealed record ResidualPlan(int Units, IReadOnlyList<LayerPlan> Branch) : LayerPlan(Units)
{
    public override long Parameters => Branch.Sum(l => l.Parameters);

    public override long Multiplies => Branch.Sum(l => l.Multiplies);

    // the sum and, on the way back, the gradient of the straight way
    public override long Kept => 2L * Units;

    public override IEnumerable<LayerPlan> Flat => Branch.SelectMany(l => l.Flat).Append(this);

    public override IEnumerable<LinearPlan> Linear => Branch.SelectMany(l => l.Linear);

    public override LayerPlan WithUsualWeights(Activations.ActivationFunction model) =>
        this with { Branch = [.. Branch.Select(l => l.WithUsualWeights(model))] };

    public override bool TrainsAsItEvaluates => Branch.All(l => l.TrainsAsItEvaluates);

    public override LayerPlan Undrawn => this with { Branch = [.. Branch.Select(l => l.Undrawn)] };

    public override NetStep Step(string place, StoredTensors tensors) =>
        new ResidualStep([.. Branch.Select((layer, i) => layer.Step($"{place}branch.{i}.", tensors))]);

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new Residual(this, workspace, ref next);

    public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal x)
    {
        var straight = PreflightGradient.None;
        walk.Return(g => g + straight);
        var b = walk.Inside(Branch, x);
        walk.Normalized = false;
        walk.Return(g => straight = g);
        var linear = Branch.LastOrDefault(l => l is LinearPlan or ActivationPlan) is LinearPlan;
        return new(Units, [.. x.Mean.Zip(b.Mean, (m, n) => m + n)],
            [.. x.Square.Select((square, row) => square + b.Square[row] + 2 * x.Mean[row] * b.Mean[row])],
            x.Normal && linear, linear ? x.Shared + b.Shared : double.NaN,
            PreflightSpread.OfSum(x.Spread, x.MeanSquare, b.Spread, b.MeanSquare))
        { Unknown = x.Unknown ?? b.Unknown };
    }
}
