namespace TrainingService.Engine.Layers;

/// <summary>Layers one behind the other.</summary>
internal sealed unsafe class Sequence(IReadOnlyList<Layer> layers, Workspace workspace)
{
    private readonly int _firstTrained = layers.TakeWhile(l => l.Parameters.Count == 0).Count();

    public IReadOnlyList<Layer> Layers => layers;

    /// <inheritdoc cref="Layer.Learn"/>
    public void Learn(ref TensorReader numbers)
    {
        foreach (var layer in layers)
            layer.Learn(ref numbers);
    }

    /// <inheritdoc cref="Layer.Tell"/>
    public void Tell(ref Span<float> numbers)
    {
        foreach (var layer in layers)
            layer.Tell(ref numbers);
    }

    public float* Forward(float* input)
    {
        for (var i = 0; i < layers.Count; i++)
        {
            layers[i].Forward(input);
            workspace.Cancellation.ThrowIfCancellationRequested();
            input = layers[i].Output;
        }
        return input;
    }

    /// <summary>As <see cref="Layer.Backward"/>; stops where nothing in front learns.</summary>
    public void Backward(float* input, bool wanted)
    {
        for (var i = layers.Count - 1; i >= 0 && (wanted || i >= _firstTrained); i--)
        {
            layers[i].Backward(i == 0 ? input : layers[i - 1].Output, wanted || i > _firstTrained);
            workspace.Cancellation.ThrowIfCancellationRequested();
        }
    }

    public static Sequence Create(IEnumerable<LayerPlan> plans, Workspace workspace, ref LayerIndices next)
    {
        var layers = new List<Layer>();
        foreach (var plan in plans)
            layers.Add(plan.Create(workspace, ref next));
        return new(layers, workspace);
    }
}
