using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.References;

/// <summary>A network of reference layers with its loss: slow, plain, and right because it agrees with every golden run.</summary>
public sealed class ReferenceNetwork(IReadOnlyList<ReferenceLayer> layers, GoldenLoss loss)
{
    public IReadOnlyList<ReferenceLayer> Layers => layers;

    public IReadOnlyList<ReferenceParameter> Parameters { get; } = [.. layers.SelectMany(l => l.Parameters)];

    /// <param name="parameters">Initial values by name; copied.</param>
    public static ReferenceNetwork Of(IEnumerable<GoldenLayer> layers, IReadOnlyDictionary<string, double[]> parameters, GoldenLoss loss,
        double activityL1 = 0) => new(Build(layers, name => [.. parameters[name]], activityL1), loss);

    public double[][] Forward(double[][] x, bool training) => layers.Aggregate(x, (h, layer) => layer.Forward(h, training));

    public double Loss(double[][] x, double[][] targets, bool training) =>
        ReferenceLoss.Of(loss, Forward(x, training), targets).Loss + (training ? Penalty : 0);

    /// <summary>The loss, its penalty included; every parameter's gradient, and every layer's incoming one, are left behind.</summary>
    public ReferencePass Gradients(double[][] x, double[][] targets)
    {
        foreach (var parameter in Parameters)
            Array.Clear(parameter.Gradient);
        var outputs = Forward(x, training: true);
        var (data, gradient) = ReferenceLoss.Of(loss, outputs, targets);
        var penalty = Penalty;
        foreach (var layer in layers.Reverse())
            gradient = layer.Backward(gradient);
        return new(outputs, data, penalty);
    }

    public double GradientNorm => Math.Sqrt(Parameters.Sum(p => p.Gradient.Sum(g => g * g)));

    public void Clip(double norm)
    {
        var scale = Math.Min(1, norm / (GradientNorm + 1e-6));
        foreach (var parameter in Parameters)
            for (var i = 0; i < parameter.Gradient.Length; i++)
                parameter.Gradient[i] *= scale;
    }

    private double Penalty => Flat(layers).OfType<ReferenceActivationLayer>().Sum(l => l.Penalty);

    public static IEnumerable<ReferenceLayer> Flat(IEnumerable<ReferenceLayer> layers) =>
        layers.SelectMany(l => l is ReferenceResidual r ? Flat(r.Branch) : [l]);

    private static List<ReferenceLayer> Build(IEnumerable<GoldenLayer> layers, Func<string, double[]> values, double activityL1) =>
        [.. layers.Select(layer => Build(layer, values, activityL1))];

    private static ReferenceLayer Build(GoldenLayer l, Func<string, double[]> values, double activityL1) => l.Type switch
    {
        "dense" => new ReferenceDense(l.Name!, l.In, l.Out, values($"{l.Name}.weight"), values($"{l.Name}.bias")),
        "activation" when l.Function!.Name == "prelu" => new ReferencePRelu(l.Name!, values($"{l.Name}.slope")),
        "activation" => new ReferenceActivationLayer(l.Function!, activityL1),
        "batch_norm" => new ReferenceBatchNorm(l.Name!, values($"{l.Name}.gamma"), values($"{l.Name}.beta"), l.Epsilon, l.Momentum),
        "layer_norm" => new ReferenceLayerNorm(l.Name!, values($"{l.Name}.gamma"), values($"{l.Name}.beta"), l.Epsilon),
        "residual" => new ReferenceResidual(Build(l.Layers!, values, activityL1)),
        _ => throw new ArgumentException(l.Type),
    };
}

/// <summary>What one forward and backward pass found.</summary>
public sealed record ReferencePass(double[][] Outputs, double DataLoss, double Penalty)
{
    public double Loss => DataLoss + Penalty;
}
