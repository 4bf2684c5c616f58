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
