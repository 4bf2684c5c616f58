namespace TrainingService.Host.Metrics;

/// <summary>log10 of norm(dC/dz_1)/norm(dC/dz_L) over the first and the last hidden layer (Glorot and Bengio 2010): negative where the gradient vanishes on its way back.</summary>
public static class GradientFlow
{
    /// <summary>Over all units and rows, the norm is the root mean square times a root of the width; the number of rows is the same in both.</summary>
    public static double Norm(double rms, int units) => rms * Math.Sqrt(units);

    public static double Of(double firstNorm, double lastNorm) => Math.Log10(firstNorm / lastNorm);
}
