namespace TrainingService.Engine.Tests.Golden;

/// <summary>The generated weights and data of big.json.</summary>
public sealed record BigRun(IReadOnlyDictionary<string, double[]> Parameters, double[][] Inputs, int[] Labels)
{
    public static BigRun Of(GoldenBig golden)
    {
        var generator = new SplitMix64(golden.Seed);
        var dense = golden.Layers.Where(l => l.Type == "dense").ToArray();
        var parameters = new Dictionary<string, double[]>();
        foreach (var layer in dense)
        {
            parameters[$"{layer.Name}.weight"] = generator.Symmetric(layer.In * layer.Out, 0.25);
            parameters[$"{layer.Name}.bias"] = generator.Symmetric(layer.Out, 0.125);
        }
        var rows = golden.BatchSize * golden.Batches;
        var inputs = Enumerable.Range(0, rows).Select(_ => generator.Symmetric(dense[0].In, 1)).ToArray();
        return new(parameters, inputs, [.. Enumerable.Range(0, rows).Select(_ => (int)(generator.Next() % (ulong)golden.Classes))]);
    }

    public (double[][] Inputs, double[][] Targets) Batch(GoldenBig golden, int step)
    {
        var start = step % golden.Batches * golden.BatchSize;
        return (Inputs[start..(start + golden.BatchSize)], [.. Labels[start..(start + golden.BatchSize)].Select(l => new double[] { l })]);
    }
}
