using TrainingService.Engine.Layers;

namespace TrainingService.Host.Models;

/// <summary>Each activation of the catalogue in ONNX's operators, as it is when it evaluates.</summary>
internal static class OnnxActivations
{
    /// <summary>Adds the nodes that compute f(z); answers the name of h.</summary>
    public static string Add(OnnxNodes graph, ActivationStep step, string z)
    {
        var spec = step.Function.Spec;
        return step.Function.Name switch
        {
            "celu" => graph.Add("Celu", [z], ("alpha", Of(spec.Alpha))),
            "elu" => graph.Add("Elu", [z], ("alpha", Of(spec.Alpha))),
            "gelu" => spec.Approximate == "tanh" ? GeluTanh(graph, z) : Gelu(graph, z),
            "hard_shrink" => graph.Add("Shrink", [z], ("lambd", Of(spec.Lambda)), ("bias", 0.0)),
            "hard_sigmoid" => graph.Add("HardSigmoid", [z], ("alpha", 1 / 6.0), ("beta", 0.5)),
            "hard_silu" => graph.Add("HardSwish", [z]),
            "hard_tanh" => graph.Add("Clip", [z, graph.Constant(Of(spec.Min)), graph.Constant(Of(spec.Max))]),
            "identity" => z,
            "leaky_relu" => graph.Add("LeakyRelu", [z], ("alpha", Of(spec.NegativeSlope))),
            "log_sigmoid" => graph.Add("Neg", [graph.Add("Softplus", [graph.Add("Neg", [z])])]),
            "mish" => graph.Add("Mul", [z, graph.Add("Tanh", [graph.Add("Softplus", [z])])]),
            "prelu" when step.Slope is { } slope => graph.Add("PRelu", [z, graph.Constant(slope)]),
            "relu" => graph.Add("Relu", [z]),
            "relu6" => graph.Add("Clip", [z, graph.Constant(0), graph.Constant(6)]),
            "rrelu" => graph.Add("LeakyRelu", [z], ("alpha", (Of(spec.Lower) + Of(spec.Upper)) / 2)),
            "selu" => graph.Add("Selu", [z], ("alpha", 1.6732632423543772), ("gamma", 1.0507009873554805)),
            "sigmoid" => graph.Add("Sigmoid", [z]),
            "silu" => graph.Add("Mul", [z, graph.Add("Sigmoid", [z])]),
            "soft_shrink" => graph.Add("Shrink", [z], ("lambd", Of(spec.Lambda)), ("bias", Of(spec.Lambda))),
            "softplus" => Softplus(graph, z, Of(spec.Beta), Of(spec.Threshold)),
            "softsign" => graph.Add("Softsign", [z]),
            "tanh" => graph.Add("Tanh", [z]),
            "tanh_shrink" => graph.Add("Sub", [z, graph.Add("Tanh", [z])]),
            var name => throw new NotSupportedException($"There is no form of '{name}' in ONNX yet."),
        };
    }

    // z/2 (1 + erf(z / sqrt 2))
    private static string Gelu(OnnxNodes graph, string z)
    {
        var erf = graph.Add("Erf", [graph.Add("Mul", [z, graph.Constant(Math.Sqrt(0.5))])]);
        return graph.Add("Mul", [graph.Add("Mul", [z, graph.Constant(0.5)]), graph.Add("Add", [erf, graph.Constant(1)])]);
    }

    // z s(2 sqrt(2/pi) (z + 0.044715 z^3)), s the logistic function
    private static string GeluTanh(OnnxNodes graph, string z)
    {
        var twice = 2 * Math.Sqrt(2 / Math.PI);
        var square = graph.Add("Mul", [z, z]);
        var slope = graph.Add("Add", [graph.Add("Mul", [square, graph.Constant(twice * 0.044715)]), graph.Constant(twice)]);
        return graph.Add("Mul", [z, graph.Add("Sigmoid", [graph.Add("Mul", [z, slope])])]);
    }

    // beta z > threshold ? z : ln(1 + e^(beta z)) / beta
    private static string Softplus(OnnxNodes graph, string z, double beta, double threshold)
    {
        var x = graph.Add("Mul", [z, graph.Constant(beta)]);
        var soft = graph.Add("Mul", [graph.Add("Softplus", [x]), graph.Constant(1 / beta)]);
        return graph.Add("Where", [graph.Add("Greater", [x, graph.Constant(threshold)]), z, soft]);
    }

    private static double Of(double? parameter) => parameter ?? throw new ArgumentException("a resolved activation has its parameters");
}
