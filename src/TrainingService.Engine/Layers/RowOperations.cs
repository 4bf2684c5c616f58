namespace TrainingService.Engine.Layers;

/// <summary>Multiplications and additions that one row costs in a network's matrix products.</summary>
/// <param name="Forward">On its way forward.</param>
/// <param name="First">Of which the first layer.</param>
internal readonly record struct RowOperations(double Forward, double First)
{
    /// <summary>In a training step: nobody wants the gradient by the features.</summary>
    public double Step => 3 * Forward - First;

    /// <summary>In an evaluation of the layers: forward, and the gradient back to the first layer.</summary>
    public double Evaluation => 2 * Forward - First;

    public static RowOperations Of(IReadOnlyList<LayerPlan> layers) =>
        new(2.0 * layers.Sum(l => l.Multiplies), 2.0 * layers.SelectMany(l => l.Linear).First().Multiplies);
}
