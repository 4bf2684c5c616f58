using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;

namespace TrainingService.Engine.Layers;

/// <summary>A checked entry of the long form, one record a kind; the short form comes down to the same.</summary>
public abstract record LayerEntry
{
    /// <summary>The stored and shown form.</summary>
    public abstract LayerSpec Spec { get; }

    /// <summary>Units behind it.</summary>
    internal virtual int Width(int inputs) => inputs;

    /// <summary>Adds what is to be built.</summary>
    /// <param name="planner">With what comes before.</param>
    /// <param name="following">The entries behind it.</param>
    internal abstract void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following);
}

/// <summary>z = W x + b and h = f(z).</summary>
public sealed record DenseEntry(int Units, ActivationFunction Activation, Initializer Initializer, Initializer BiasInitializer) : LayerEntry
{
    internal static readonly LayerKind Kind = new("dense", ["units", "activation", "initializer", "biasInitializer"], Resolve);

    /// <inheritdoc/>
    public override LayerSpec Spec =>
        new() { Type = Kind.Type, Units = Units, Activation = Activation.Spec, Initializer = Initializer.Spec, BiasInitializer = BiasInitializer.Spec };

    internal override int Width(int inputs) => Units;

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following)
    {
        planner.Add(new LinearPlan(planner.NextName(), planner.Units, Units, Initializer, BiasInitializer, Behind(following)));
        if (Activation != ActivationFunction.Identity)
            planner.Add(new ActivationPlan(Units, Activation));
    }

    /// <summary>Its own activation, or where that is identity, the one that follows before the next dense layer.</summary>
    internal ActivationFunction Behind(IEnumerable<LayerEntry> following) => Activation != ActivationFunction.Identity ? Activation
        : following.TakeWhile(e => e is not (DenseEntry or ResidualEntry)).OfType<ActivationEntry>().FirstOrDefault()?.Function ?? Activation;

    private static DenseEntry? Resolve(LayerSpec spec, LayerPlace place)
    {
        var errors = place.Check.Errors;
        if (spec.Units is null)
            place.Refuse("/units", "a dense layer needs units");
        var activation = place.Activation(spec.Activation);
        var initializer = spec.Initializer is null ? place.Check.Initializer
            : InitializerRegistry.Resolve(spec.Initializer, place.Pointer + "/initializer", errors);
        var bias = spec.BiasInitializer is not null ? InitializerRegistry.ResolveBias(spec.BiasInitializer, place.Pointer + "/biasInitializer", errors)
            : spec.Initializer is null ? place.Check.BiasInitializer
            : initializer?.StandardBias;
        return spec.Units is { } units && activation is not null && initializer is not null && bias is not null
            ? new(units, activation, initializer, bias) : null;
    }
}

/// <summary>h = f(z), one more than the dense layers have.</summary>
public sealed record ActivationEntry(ActivationFunction Function) : LayerEntry
{
    internal static readonly LayerKind Kind = new("activation", ["activation"],
        (spec, place) => place.Activation(spec.Activation) is { } function ? new ActivationEntry(function) : null);

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = Kind.Type, Activation = Function.Spec };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) => planner.Add(new ActivationPlan(planner.Units, Function));
}

/// <summary>Zeros entries while training; the alpha kind keeps mean and variance for selu.</summary>
public sealed record DropoutEntry(double Rate, bool Alpha) : LayerEntry
{
    internal static readonly LayerKind Kind = new("dropout", ["rate"], (spec, place) => Resolve(spec, place, false));
    internal static readonly LayerKind AlphaKind = new("alpha_dropout", ["rate"], (spec, place) => Resolve(spec, place, true));

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = (Alpha ? AlphaKind : Kind).Type, Rate = Rate };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) => planner.Add(new DropoutPlan(planner.Units, Rate, Alpha));

    private static DropoutEntry? Resolve(LayerSpec spec, LayerPlace place, bool alpha)
    {
        if (spec.Rate is null)
            place.Refuse("/rate", $"a layer of type '{spec.Type}' needs a rate");
        if (place.Previous?.Type is { } previous && (previous == Kind.Type || previous == AlphaKind.Type))
            place.Refuse("", "two dropout layers in a row: make them one");
        return spec.Rate is { } rate ? new(rate, alpha) : null;
    }
}

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

/// <summary>(x - mean) / sqrt(variance + epsilon) * gamma + beta, mean and variance over each sample's units.</summary>
public sealed record LayerNormEntry(double Epsilon) : LayerEntry
{
    internal static readonly LayerKind Kind = new("layer_norm", ["epsilon"], (spec, _) => new LayerNormEntry(spec.Epsilon ?? Standard.Epsilon));

    internal static LayerNormEntry Standard => new(1e-5);

    /// <inheritdoc/>
    public override LayerSpec Spec => new() { Type = Kind.Type, Epsilon = Epsilon };

    internal override void Plan(LayerPlanner planner, IEnumerable<LayerEntry> following) => planner.Add(new LayerNormPlan(planner.Units, Epsilon));
}

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
            place.Refuse("/layers", string.Create(CultureInfo.InvariantCulture, $"the branch turns {place.Inputs:N0} units into {units:N0}: ")
                + string.Create(CultureInfo.InvariantCulture, $"what is added must have the width of the input, so end it with a dense layer of {place.Inputs:N0} units"));
        return new(branch);
    }
}

/// <summary>Turns entries into what is to be built.</summary>
/// <param name="features">Columns of the data.</param>
internal sealed class LayerPlanner(int features)
{
    private List<LayerPlan> _plans = [];
    private int _hidden;

    /// <summary>Units of the last layer.</summary>
    public int Units { get; private set; } = features;

    public string NextName() => $"hidden{++_hidden}";

    public void Add(LayerPlan plan)
    {
        _plans.Add(plan);
        Units = plan.Units;
    }

    public List<LayerPlan> Branch(IReadOnlyList<LayerEntry> entries)
    {
        var outer = _plans;
        var branch = _plans = [];
        for (var i = 0; i < entries.Count; i++)
            entries[i].Plan(this, entries.Skip(i + 1));
        _plans = outer;
        return branch;
    }
}
