using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Metrics;

/// <summary>log10 of norm(dC/dz_1) / norm(dC/dz_L) over the first and the last hidden layer.</summary>
public static class GradientFlow
{
    /// <summary>Index of the last hidden layer.</summary>
    public static int Last(IReadOnlyList<LayerInfo> layers) => layers.Count - 2;

    public static double Of(LayerRow first, LayerRow last, IReadOnlyList<LayerInfo> layers)
    {
        // Over all units and rows, the norm is the root mean square times a root of the width; the number of rows is the same in both.
        double Norm(LayerRow row) => row.GradientRms * Math.Sqrt(layers[row.Layer].Units);
        return Math.Log10(Norm(first) / Norm(last));
    }
}
