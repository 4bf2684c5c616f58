using TrainingService.Engine.Activations;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>h = f(z), one more than the dense layers have.</summary>
public sealed record ActivationEntry(ActivationFunction Function) : LayerEntry
{
    internal static readonly LayerKind Kind = new("activation", ["activation"],
        (spec, place) => place.Activation(spec.Activation) is { } function ? new ActivationEntry(function) : null);

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = Kind.Type, Activation = Function.Spec };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) =>
        planner.Add(new ActivationPlan(planner.Units, Function));
}

/// <summary>h = f(z).</summary>
internal sealed record ActivationPlan(int Units, ActivationFunction Function) : LayerPlan(Units)
{
    /// <summary>Learned slopes: none, one or one per unit.</summary>
    public int Slopes => Function.Slope is { } slope ? slope.Shared ? 1 : Units : 0;

    public override long Parameters => Slopes;

    public override long PaddedVectors => Layout.Padded(Slopes);

    // gradients by the slope
    public override long Own => Slopes > 0 ? Units : 0;

    public override NetStep Step(string place, StoredTensors tensors) =>
        new ActivationStep(Function, Slopes > 0 ? tensors.Next(place + "weight", Slopes) : null);

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new ActivationLayer(this, workspace, next.Noise++);

    public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal z)
    {
        if (z.Unknown is null && !z.Normal)
            return walk.Stop(z, $"{Function.Name} acts on numbers that are not a dense layer's sums, whose distribution is not known");
        var f = PreflightMoments.Of(Function);
        NormalMoments[] moments = [.. z.Mean.Zip(z.Square, (mean, square) => f.At(mean, Math.Sqrt(Math.Max(0, square - mean * mean))))];
        // exact for one row; no larger for many, as all rows must agree; where f still passes a gradient, nothing is dead
        var dead = !f.DiesWhenOff ? 0 : walk.Normalized ? (z.Units == 1 ? 1 : 0) : Math.Pow(moments.Min(m => m.Off), z.Units);
        if (walk.Nested == 0)
            walk.Alive *= 1 - dead;

        var (deviation, units) = (Math.Sqrt(z.MeanSquare), z.Units);
        var typical = f.At(0, deviation);
        walk.Return(g => new(
            [.. g.Square.Select((square, row) => moments[row].SlopeSquare * square)],
            [.. g.SumSquare.Select((sum, row) => Math.Max(0,
                moments[row].Slope * moments[row].Slope * (sum - units * g.Square[row])
                + units * moments[row].SlopeSquare * g.Square[row]))],
            // the incoming gradient is normal, so that its square has 3 times the mean's square as its own
            g.Spread.Layer(Kappa(3 * typical.SlopeFourth, typical.SlopeSquare), units))
        { Unknown = g.Unknown });
        return new(units, [.. moments.Select(m => m.Value)], [.. moments.Select(m => m.Square)], Function.Name == "identity", Shared(),
            z.Spread.Through(Finite(f.Elasticity(deviation))).Layer(Kappa(typical.Fourth, typical.Square), units));

        static double Kappa(double fourth, double square) => Finite(fourth / (square * square) - 1);

        static double Finite(double value) => double.IsFinite(value) ? value : 0;

        // two rows of a unit are jointly normal with covariance c = Shared: E[f(z) f(z')] = E[E[f(sqrt(c) s + sqrt(q - c) t) | s]^2]
        double Shared()
        {
            if (!walk.Training || double.IsNaN(z.Shared))
                return double.NaN;
            if (z.Shared == 0)
                return moments.Average(m => m.Value) * moments.Average(m => m.Value);
            var own = Math.Sqrt(Math.Max(0, z.MeanSquare - z.Shared));
            double sum = 0, weights = 0;
            for (var s = -3.75; s < 4; s += 0.5)
            {
                var mean = f.At(Math.Sqrt(z.Shared) * s, own).Value;
                (sum, weights) = (sum + Math.Exp(-s * s / 2) * mean * mean, weights + Math.Exp(-s * s / 2));
            }
            return sum / weights;
        }
    }
}
