using System.Runtime.Intrinsics;

namespace TrainingService.Engine.Activations;

/// <summary>
/// Expectations of an activation f over z ~ N(mean, deviation^2): the E[f^2] and E[f'^2] of mean-field theory (Poole et al.
/// 2016; Schoenholz et al. 2017), and the fourth powers that say how far a layer of finite width strays from them. A vector,
/// so that interpolation is one line.
/// </summary>
internal readonly record struct NormalMoments(Vector512<double> Values)
{
    /// <summary>E[f].</summary>
    public double Value => Values[0];

    /// <summary>E[f^2].</summary>
    public double Square => Values[1];

    /// <summary>E[f^4].</summary>
    public double Fourth => Values[2];

    /// <summary>E[f'].</summary>
    public double Slope => Values[3];

    /// <summary>E[f'^2].</summary>
    public double SlopeSquare => Values[4];

    /// <summary>E[f'^4].</summary>
    public double SlopeFourth => Values[5];

    /// <summary>P(z &lt;= 0).</summary>
    public double Off => Values[6];

    /// <summary>P(|f'(z)| is less than 5 % of its most): the share of saturated entries.</summary>
    public double Saturated => Values[7];
}

/// <summary>Points x and weights of a midpoint rule for E[f(x)], x ~ N(0, 1). No point is 0, where some derivatives jump.</summary>
internal sealed class NormalNodes
{
    public const int Count = 24_000;

    /// <summary>Steps of 0.001 on [-12, 12]: for functions that change over distances of about 1.</summary>
    public static NormalNodes Even { get; } = new(u => 12 * u, _ => 12);

    /// <summary>x = 8 u^3: crowded around 0, where f(deviation x) does all its changing if the deviation is large.</summary>
    public static NormalNodes Crowded { get; } = new(u => 8 * u * u * u, u => 24 * u * u);

    private NormalNodes(Func<double, double> point, Func<double, double> slope)
    {
        for (var i = 0; i < Count; i++)
        {
            var u = (2 * i + 1.0 - Count) / Count;
            Points[i] = point(u);
            Weights[i] = slope(u) * Math.Exp(-Points[i] * Points[i] / 2);
        }
        var sum = Weights.Sum();
        for (var i = 0; i < Count; i++)
            Weights[i] /= sum;
    }

    public double[] Points { get; } = new double[Count];

    public double[] Weights { get; } = new double[Count];
}
