namespace TrainingService.Engine.Diagnostics;

/// <summary>
/// How the gradient fares on its way back: log10 of norm(dC/dz_1) / norm(dC/dz_L) over the first and the last hidden layer
/// (Glorot &amp; Bengio 2010, Understanding the difficulty of training deep feedforward neural networks); the norms are over all units
/// and rows. 0 is a gradient that keeps its size, -2 one of which a hundredth is left, <c>-Infinity</c> one that ends on its way.
/// Null where there is none to follow: no hidden layer, or both norms are 0. <c>NaN</c> where a norm isn't finite.
/// </summary>
public static class GradientFlow
{
    /// <summary>Index of the last hidden layer; negative without any.</summary>
    public static int Last(IReadOnlyList<LayerInfo> layers) => layers.Count - 2;

    /// <param name="points">One evaluation, in the order of the layers.</param>
    /// <param name="layers">The dense layers.</param>
    public static double? Of(IReadOnlyList<LayerPoint> points, IReadOnlyList<LayerInfo> layers) =>
        Last(layers) is >= 0 and var last && last < points.Count ? Of(points[0].GradientRms, points[last].GradientRms, layers) : null;

    /// <param name="firstRms"><see cref="LayerPoint.GradientRms"/> of the first hidden layer.</param>
    /// <param name="lastRms">Of the last one.</param>
    /// <param name="layers">The dense layers, at least one of them hidden.</param>
    public static double? Of(float firstRms, float lastRms, IReadOnlyList<LayerInfo> layers) =>
        // the number of rows is the same in both
        OfNorms(firstRms * Math.Sqrt(layers[0].Units), lastRms * Math.Sqrt(layers[Last(layers)].Units));

    /// <param name="first">norm(dC/dz_1).</param>
    /// <param name="last">norm(dC/dz_L).</param>
    public static double? OfNorms(double first, double last) =>
        !double.IsFinite(first) || !double.IsFinite(last) ? double.NaN : first == 0 && last == 0 ? null : Math.Log10(first / last);
}
