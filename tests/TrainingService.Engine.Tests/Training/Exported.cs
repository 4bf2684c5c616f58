using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Tests.Training;

/// <summary>A trainer's parameters and data as doubles, in the form that the reference network reads.</summary>
internal static unsafe class Exported
{
    public static (IReadOnlyList<GoldenLayer> Layers, Dictionary<string, double[]> Parameters) Of(Trainer trainer)
    {
        var layers = new List<GoldenLayer>();
        var parameters = new Dictionary<string, double[]>();
        foreach (var layer in trainer.Network.Layers)
        {
            var (plan, name) = (layer.Plan, layer.Plan.Name);
            layers.Add(new() { Type = "dense", Name = name, In = plan.Inputs, Out = plan.Outputs });
            var a = plan.Activation;
            GoldenFunction function = new()
            {
                Name = a.Name,
                NegativeSlope = a.NegativeSlope,
                Init = a.Init,
                Alpha = a.Alpha,
                Beta = a.Beta,
                Threshold = a.Threshold,
                Approximate = a.Approximate,
            };
            layers.Add(new() { Type = "activation", Name = name, Units = plan.Outputs, Function = function });
            parameters[$"{name}.weight"] = Doubles(layer.GetWeight());
            parameters[$"{name}.bias"] = Doubles(new(layer.Bias.Values, plan.Outputs));
            parameters[$"{name}.slope"] = Doubles(new(layer.Slopes.Values, plan.Slopes));
        }
        return (layers, parameters);
    }

    public static (double[][] Inputs, double[][] Targets) Rows(DataSplit split, DataShape shape) =>
    (
        [.. split.Features.Chunk(shape.Features).Select(r => Doubles(r))],
        split.Labels.Length > 0 ? [.. split.Labels.Select(l => new double[] { l })] : [.. split.Values.Chunk(shape.Numbers).Select(r => Doubles(r))]
    );

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            result[i] = values[i];
        return result;
    }
}
