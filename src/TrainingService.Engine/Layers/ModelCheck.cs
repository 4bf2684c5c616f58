using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Specs;

namespace TrainingService.Engine.Layers;

/// <summary>The rules and defaults of a model.</summary>
internal sealed class ModelCheck(int features, ICollection<SpecError> errors)
{
    private const string Pointer = "/model";
    private const int MaxDepth = 16;

    private readonly HashSet<(Initializer, ActivationFunction)> _gains = [];
    private int _layers, _depth;

    public ICollection<SpecError> Errors => errors;

    /// <summary>The model's own, for entries that don't name theirs; null if it was refused. So are the others.</summary>
    public ActivationFunction? Activation { get; private set; }

    public Initializer? Initializer { get; private set; }

    public Initializer? BiasInitializer { get; private set; }

    public ModelPlan? Run(ModelSpec model)
    {
        var before = errors.Count;
        if (model.HiddenLayers is not null && model.Layers is not null)
            Refuse("/layers", "hiddenLayers and layers exclude each other: give one of them");
        var fields = Fields.Check(model, Pointer, errors);
        var (dropout, normalization) = (fields.Of<double>(nameof(model.Dropout)), fields.Of<string>(nameof(model.Normalization)));
        var hidden = fields.Of<IReadOnlyList<int>>(nameof(model.HiddenLayers));
        if (model.Layers is null)
            CheckUnits(hidden);
        if (model.Layers is null && normalization == ShortForm.LayerNorm)
            foreach (var (i, _) in hidden.Index().Where(layer => layer.Item == 1))
                Refuse($"/hiddenLayers/{i}", LayerNormEntry.OneUnit);
        if (model.Layers is not null && normalization != ShortForm.NoNorm)
            Refuse("/normalization",
                "normalization belongs to the short form; in layers, put {\"type\": \"batch_norm\"} where it is wanted");
        if (model.Layers is not null && dropout > 0)
            Refuse("/dropout",
                "dropout belongs to the short form; in layers, put {\"type\": \"dropout\", \"rate\": ...} where it is wanted");

        Initializer = model.Initializer is null ? InitializerRegistry.Standard("kaiming_normal")
            : InitializerRegistry.Resolve(model.Initializer, Pointer + "/initializer", errors);
        Activation = model.Activation is null ? ActivationRegistry.Standard("relu")
            : ActivationRegistry.Resolve(model.Activation, Pointer + "/activation", errors);
        BiasInitializer = model.BiasInitializer is null ? Initializer?.StandardBias
            : InitializerRegistry.ResolveBias(model.BiasInitializer, Pointer + "/biasInitializer", errors);

        List<LayerEntry> entries = [];
        if (model.Layers is not null)
            entries = LongForm(model.Layers);
        if (errors.Count > before || Activation is null || Initializer is null || BiasInitializer is null)
            return null;
        var shortForm = model.Layers is null ? new ShortForm(hidden, dropout, normalization) : null;
        if (shortForm is not null)
        {
            entries.AddRange(shortForm.Entries(Activation, Initializer, BiasInitializer));
            CheckGains(entries, _ => Pointer);
        }
        return errors.Count > before ? null : new(Activation, Initializer, BiasInitializer, shortForm, entries);
    }

    /// <summary>
    /// Checks a list of entries; <paramref name="units"/> becomes the width behind the last one. Entries that were refused are left out.
    /// </summary>
    public List<LayerEntry> Branch(IReadOnlyList<LayerSpec> specs, ref int units, string pointer)
    {
        _depth++;
        var entries = List(specs, ref units, pointer);
        _depth--;
        return entries;
    }

    private List<LayerEntry> LongForm(IReadOnlyList<LayerSpec> specs)
    {
        var units = features;
        var entries = List(specs, ref units, Pointer + "/layers");
        if (_layers > ModelSpec.MaxLayers)
            Refuse("/layers", $"at most {Number(ModelSpec.MaxLayers)} layers are allowed, not {Number(_layers)}");
        else if (specs.Count > 0 && !HasDense(specs))
            Refuse("/layers", "layers must hold at least one dense layer");
        return entries;
    }

    private List<LayerEntry> List(IReadOnlyList<LayerSpec> specs, ref int units, string pointer)
    {
        _layers += specs.Count;
        if (specs.Count == 0)
            errors.Add(new(pointer, "layers must hold at least one layer"));
        if (_depth > MaxDepth)
            errors.Add(new(pointer, $"residual layers may be nested at most {MaxDepth} deep"));
        var entries = new List<LayerEntry>();
        if (specs.Count > ModelSpec.MaxLayers || _depth > MaxDepth)
            return entries;
        for (var i = 0; i < specs.Count; i++)
        {
            var entry = LayerKind.ResolveAny(specs[i], new(this, units, i > 0 ? specs[i - 1] : null, $"{pointer}/{i}"));
            units = entry?.Width(units) ?? specs[i]?.Units ?? units;
            if (entry is not null)
                entries.Add(entry);
        }
        if (entries.Count == specs.Count)
            CheckGains(entries, i => specs[i].Initializer is null ? Pointer : $"{pointer}/{i}");
        return entries;
    }

    /// <summary>An activation that lets nothing through has no gain to make up for that.</summary>
    private void CheckGains(List<LayerEntry> entries, Func<int, string> place)
    {
        for (var i = 0; i < entries.Count; i++)
            if (entries[i] is DenseEntry dense && dense.Behind(entries.Skip(i + 1)) is var function
                && _gains.Add((dense.Initializer, function))
                && dense.Initializer.ActivationGain(function) is { } gain && !float.IsFinite((float)gain))
                errors.Add(new(place(i) + "/initializer", string.Create(CultureInfo.InvariantCulture,
                    $"initializer '{dense.Initializer.Name}' scales by the gain of the activation, "
                    + $"which for {function} is {gain}, not a finite float32: ")
                    + "hardly anything of z ~ N(0, 1) gets through it; take another initializer, or other parameters"));
    }

    private void CheckUnits(IReadOnlyList<int> units)
    {
        if (units.Count == 0)
            Refuse("/hiddenLayers", "hiddenLayers must name at least one layer, as in [256, 128]; leave it out for the default");
        else if (units.Count > ModelSpec.MaxLayers)
            Refuse("/hiddenLayers", $"at most {Number(ModelSpec.MaxLayers)} layers are allowed, not {Number(units.Count)}");
        else
            for (var i = 0; i < units.Count; i++)
                if (LayerSpec.UnitsRule.Problem("units", units[i]) is { } problem)
                    Refuse($"/hiddenLayers/{i}", problem);
    }

    private static bool HasDense(IReadOnlyList<LayerSpec> layers) =>
        layers.Any(l => l is not null && (l.Type == DenseEntry.Kind.Type || (l.Layers is not null && HasDense(l.Layers))));

    private void Refuse(string below, string message) => errors.Add(new(Pointer + below, message));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
