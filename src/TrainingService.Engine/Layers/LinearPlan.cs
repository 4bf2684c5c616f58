using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Prediction;

namespace TrainingService.Engine.Layers;

/// <summary>z = W x + b and h = f(z).</summary>
public sealed record DenseEntry(int Units, ActivationFunction Activation, Initializer Initializer, Initializer BiasInitializer) : LayerEntry
{
    internal static readonly LayerKind Kind = new("dense", ["units", "activation", "initializer", "biasInitializer"], Resolve);

    /// <inheritdoc/>
    public override LayerSpec Spec =>
        new()
        {
            Type = Kind.Type,
            Units = Units,
            Activation = Activation.Spec,
            Initializer = Initializer.Spec,
            BiasInitializer = BiasInitializer.Spec,
        };

    internal override int Width(int inputs) => Units;

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following)
    {
        planner.Add(new LinearPlan(planner.NextName(), planner.Units, Units, Initializer, BiasInitializer, Behind(following)));
        if (Activation != ActivationFunction.Identity)
            planner.Add(new ActivationPlan(Units, Activation));
    }

    /// <summary>Its own activation, or where that is identity, the one that follows before the next dense layer.</summary>
    internal ActivationFunction Behind(IEnumerable<LayerEntry> following) => Activation != ActivationFunction.Identity ? Activation
        : following.TakeWhile(e => e is not (DenseEntry or ResidualEntry)).OfType<ActivationEntry>().FirstOrDefault()?.Function
            ?? Activation;

    private static DenseEntry? Resolve(LayerSpec spec, LayerPlace place)
    {
        var errors = place.Check.Errors;
        if (spec.Units is null)
            place.Refuse("/units", "a dense layer needs units");
        var activation = place.Activation(spec.Activation);
        var initializer = spec.Initializer is null ? place.Check.Initializer
            : InitializerRegistry.Resolve(spec.Initializer, place.Pointer + "/initializer", errors);
        var bias = spec.BiasInitializer is not null ? InitializerRegistry.ResolveBias(spec.BiasInitializer,
            place.Pointer + "/biasInitializer", errors)
            : spec.Initializer is null ? place.Check.BiasInitializer
            : initializer?.StandardBias;
        return spec.Units is { } units && activation is not null && initializer is not null && bias is not null
            ? new(units, activation, initializer, bias) : null;
    }
}

/// <summary>z = W x + b.</summary>
/// <param name="Name"><c>hidden1</c>, ..., <c>output</c>.</param>
/// <param name="Inputs">K.</param>
/// <param name="Units">N.</param>
/// <param name="Initializer">Of the weight.</param>
/// <param name="BiasInitializer">Of the bias.</param>
/// <param name="Activation">That follows, if only after a norm; its gain may enter the initialiser.</param>
internal sealed record LinearPlan(string Name, int Inputs, int Units,
    Initializer Initializer, Initializer BiasInitializer, ActivationFunction Activation)
    : LayerPlan(Units)
{
    public override long Parameters => (long)Inputs * Units + Units;

    public override long PaddedMatrices => (long)Layout.Padded(Inputs) * Units;

    public override long PaddedVectors => Layout.Padded(Units);

    public override long Scratch => Initializer.Scratch(Fans);

    public override LayerPlan WithUsualWeights(ActivationFunction model) => this with
    {
        Initializer = InitializerRegistry.Standard(
            (Activation == ActivationFunction.Identity ? model : Activation).Info.RecommendedInitializer),
        BiasInitializer = InitializerRegistry.Standard("zeros"),
    };

    public override long Multiplies => (long)Inputs * Units;

    public override IEnumerable<LinearPlan> Linear => [this];

    public Fans Fans => new(Inputs, Units, Activation);

    public override LayerPlan Undrawn =>
        this with { Initializer = InitializerRegistry.Standard("zeros"), BiasInitializer = InitializerRegistry.Standard("zeros") };

    public override NetStep Step(string place, StoredTensors tensors) =>
        new LinearStep(tensors.Next(place + "weight", Units, Inputs), tensors.Next(place + "bias", Units));

    public override Layer Create(Workspace workspace, ref LayerIndices next) => new Layers.Linear(this, workspace, next.Linear++);

    public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal x)
    {
        var (mu, v) = Initializer.Moments(Fans);
        var (muBias, vBias) = BiasInitializer.Moments(Fans);
        int n = Inputs, units = Units;
        if (Initializer.ScaledOnBatch(walk.Layers))
            v = walk.ScaledVariance(this, ScaledVariance);
        if (mu != 0)
            walk.Approximate = "approximate from here on, as the weights' mean makes units alike";
        if (Initializer.Name == "rai" || BiasInitializer.Name == "rai")
            (walk.Alive, walk.DeathUnknown) = (null, "theory has no bound for rai, whose units are off with less than probability 1/2");
        walk.Return(g => new(
            [.. g.Square.Zip(g.SumSquare, (square, sum) => mu * mu * sum + v * units * square)],
            [.. g.Square.Zip(g.SumSquare, (square, sum) => n * (n * mu * mu * sum + v * units * square))], g.Spread)
        { Unknown = g.Unknown });
        walk.Normalized = false;
        var z = Moments(v);
        var share = z.MeanSquare > 0 ? 1 - (muBias * muBias + vBias) / z.MeanSquare : 0;
        return z with { Spread = Initializer.ScaledOnBatch(walk.Layers) ? default : x.Spread.Through(share) };

        PreflightSignal Moments(double variance)
        {
            double[] mean = [.. x.Mean.Select(m => mu * n * m + muBias)];
            return new(units, mean, [.. x.Square.Zip(mean, (square, m) => variance * n * square + vBias + m * m)], true,
                mu == 0 ? variance * n * x.Shared + vBias + muBias * muBias : double.NaN, default);
        }

        // what Network.ScaleToUnitVariance does
        double ScaledVariance()
        {
            var variance = v;
            for (var attempt = 0; attempt < 10; attempt++)
            {
                var measured = Moments(variance).Variance;
                if (!(measured > 0) || !double.IsFinite(measured) || Math.Abs(measured - 1) < 0.01)
                    break;
                variance /= measured;
            }
            return variance;
        }
    }
}
