using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Tests.Training;

/// <summary>A trainer's layers, parameters, running statistics and data as doubles, in the form that the reference network reads.</summary>
internal static class Exported
{
    public static (IReadOnlyList<GoldenLayer> Layers, Dictionary<string, double[]> Parameters) Of(RunPlan plan, Trainer trainer)
    {
        var parameters = new Dictionary<string, double[]>();
        var named = 0;
        return (Layers(plan.Layers, trainer.Network.Layers), parameters);

        List<GoldenLayer> Layers(IReadOnlyList<LayerPlan> plans, IReadOnlyList<Layer> layers) => [.. plans.Zip(layers, One)];

        GoldenLayer One(LayerPlan plan, Layer layer)
        {
            var name = plan is LinearPlan linear ? linear.Name : $"layer{++named}";
            if (layer is not Residual)
                foreach (var p in layer.Parameters)
                    parameters[$"{name}.{p.Name}"] = Doubles(p.Get());
            if (layer is BatchNorm norm)
                (parameters[$"{name}.running_mean"], parameters[$"{name}.running_var"]) =
                    (Doubles(norm.RunningMean), Doubles(norm.RunningVariance));
            GoldenLayer result = new() { Type = "", Name = name, Units = plan.Units };
            return plan switch
            {
                LinearPlan l => result with { Type = "dense", In = l.Inputs, Out = l.Units },
                ActivationPlan a => result with { Type = "activation", Function = Function(a.Function.Spec) },
                DropoutPlan d => result with { Type = d.Alpha ? "alpha_dropout" : "dropout", Rate = d.Rate },
                BatchNormPlan n => result with { Type = "batch_norm", Epsilon = n.Epsilon, Momentum = n.Momentum },
                LayerNormPlan n => result with { Type = "layer_norm", Epsilon = n.Epsilon },
                ResidualPlan r => result with { Type = "residual", Layers = Layers(r.Branch, ((Residual)layer).Branch.Layers) },
                _ => throw new ArgumentException(plan.ToString()),
            };
        }
    }

    public static (double[][] Inputs, double[][] Targets) Rows(DataSplit split, DataShape shape) =>
    (
        [.. split.Features.All().Chunk(shape.Features).Select(r => Doubles(r))],
        split.Labels.Length > 0 ? [.. split.Labels.Select(l => new double[] { l })]
            : [.. split.Values.Chunk(shape.Numbers).Select(r => Doubles(r))]
    );

    private static GoldenFunction Function(ActivationSpec a) => new()
    {
        Name = a.Name,
        NegativeSlope = a.NegativeSlope,
        Init = a.Init,
        PerUnit = a.Shared is { } shared ? !shared : null,
        Alpha = a.Alpha,
        Min = a.Min,
        Max = a.Max,
        Beta = a.Beta,
        Threshold = a.Threshold,
        Lambda = a.Lambda,
        Lower = a.Lower,
        Upper = a.Upper,
        Approximate = a.Approximate,
    };

    private static double[] Doubles(ReadOnlySpan<float> values)
    {
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            result[i] = values[i];
        return result;
    }
}
