using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Engine.Tests.References;

/// <summary>A network of reference layers with its loss: slow, plain, and right because it agrees with every golden run.</summary>
public sealed class ReferenceNetwork(IReadOnlyList<ReferenceLayer> layers, GoldenLoss loss)
{
    public IReadOnlyList<ReferenceLayer> Layers => layers;

    public IReadOnlyList<ReferenceParameter> Parameters { get; } = [.. layers.SelectMany(l => l.Parameters)];

    /// <param name="parameters">Initial values by name, running statistics too if not 0 and 1; copied.</param>
    /// <param name="noise">Of dropout and random slopes, the same in every pass.</param>
    public static ReferenceNetwork Of(IEnumerable<GoldenLayer> layers, IReadOnlyDictionary<string, double[]> parameters, GoldenLoss loss,
        double activityL1 = 0, ReferenceNoise? noise = null) => new([.. new Builder(parameters, activityL1, noise).Build(layers)], loss);

    public double[][] Forward(double[][] x, bool training) => layers.Aggregate(x, (h, layer) => layer.Forward(h, training));

    public double Loss(double[][] x, double[][] targets, bool training) =>
        ReferenceLoss.Of(loss, Forward(x, training), targets).Loss + (training ? Penalty : 0);

    /// <summary>The loss, its penalty included; every parameter's gradient, and every layer's incoming one, are left behind.</summary>
    public ReferencePass Gradients(double[][] x, double[][] targets, bool training = true)
    {
        foreach (var parameter in Parameters)
            Array.Clear(parameter.Gradient);
        var outputs = Forward(x, training);
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

    private double Penalty => Flat(layers).OfType<ReferenceElementwise>().Sum(l => l.Penalty);

    public static IEnumerable<ReferenceLayer> Flat(IEnumerable<ReferenceLayer> layers) =>
        layers.SelectMany(l => l is ReferenceResidual r ? Flat(r.Branch) : [l]);

    private sealed class Builder(IReadOnlyDictionary<string, double[]> parameters, double activityL1, ReferenceNoise? noise)
    {
        /// <summary>Activations and dropout layers are counted in order: that is their noise's index.</summary>
        private int _noisy;

        public List<ReferenceLayer> Build(IEnumerable<GoldenLayer> layers) => [.. layers.Select(Build)];

        private ReferenceLayer Build(GoldenLayer l) => l.Type switch
        {
            "dense" => new ReferenceDense(l.Name!, l.In, l.Out, Values(l, "weight"), Values(l, "bias")),
            "activation" => Activation(l, _noisy++),
            "dropout" or "alpha_dropout" => new ReferenceDropout(l.Rate, l.Type == "alpha_dropout", Bits(_noisy++)),
            "batch_norm" when parameters.ContainsKey($"{l.Name}.running_mean") =>
                new ReferenceBatchNorm(l.Name!, Values(l, "gamma"), Values(l, "beta"), l.Epsilon, l.Momentum)
                {
                    RunningMean = Values(l, "running_mean"),
                    RunningVariance = Values(l, "running_var"),
                },
            "batch_norm" => new ReferenceBatchNorm(l.Name!, Values(l, "gamma"), Values(l, "beta"), l.Epsilon, l.Momentum),
            "layer_norm" => new ReferenceLayerNorm(l.Name!, Values(l, "gamma"), Values(l, "beta"), l.Epsilon),
            "residual" => new ReferenceResidual(Build(l.Layers!)),
            _ => throw new ArgumentException(l.Type),
        };

        private ReferenceElementwise Activation(GoldenLayer l, int index) => l.Function!.Name switch
        {
            "prelu" => new ReferencePRelu(l.Name!, Values(l, "slope"), activityL1),
            "rrelu" => new ReferenceRRelu(l.Function, activityL1, Bits(index)),
            _ => new ReferenceActivationLayer(l.Function, activityL1),
        };

        private double[] Values(GoldenLayer l, string part) => [.. parameters[$"{l.Name}.{part}"]];

        private Func<int, int, uint> Bits(int index) => (row, unit) =>
            noise?.Invoke(index, row, unit) ?? throw new InvalidOperationException("no noise is given");
    }
}

/// <summary>What one forward and backward pass found.</summary>
public sealed record ReferencePass(double[][] Outputs, double DataLoss, double Penalty)
{
    public double Loss => DataLoss + Penalty;
}
