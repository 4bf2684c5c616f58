using System.Collections.Concurrent;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Activations;

namespace TrainingService.Engine.Prediction;

/// <summary>
/// An activation's moments at any mean and deviation; around mean 0 by cubic interpolation between those at steps of 1/16 in
/// ln(deviation), made when needed.
/// </summary>
internal sealed class PreflightMoments
{
    private const int StepsPerUnit = 16;

    /// <summary>Functions whose tables are kept; a sweep over slopes may have more.</summary>
    private const int MostKept = 256;

    private static readonly ConcurrentDictionary<ActivationFunction, PreflightMoments> Kept = [];

    private readonly Activation _activation;
    private readonly ConcurrentDictionary<int, NormalMoments> _table = [];

    private PreflightMoments(Activation activation) => _activation = activation;

    /// <summary>Those of the function, whose table grows with use: the integrals behind it are most of what a prediction costs.</summary>
    public static PreflightMoments Of(ActivationFunction function)
    {
        if (Kept.Count >= MostKept)
            Kept.Clear();
        return Kept.GetOrAdd(function, known => new(known.Bind()));
    }

    /// <inheritdoc cref="Activation.DiesWhenOff"/>
    public bool DiesWhenOff => _activation.DiesWhenOff;

    /// <inheritdoc cref="Activation.Bound"/>
    public double? Bound => _activation.Bound;

    public NormalMoments At(double mean, double deviation)
    {
        var place = Math.Log(deviation) * StepsPerUnit;
        // beyond the range of floats nothing is smooth
        if (mean != 0 || !(Math.Abs(place) < 80 * StepsPerUnit))
            return _activation.Moments(mean, deviation);
        var below = (int)Math.Floor(place);
        var t = place - below;
        // Lagrange through the points at -1, 0, 1 and 2
        return new(Entry(below - 1) * (-t * (t - 1) * (t - 2) / 6) + Entry(below) * ((t + 1) * (t - 1) * (t - 2) / 2)
            + Entry(below + 1) * (-(t + 1) * t * (t - 2) / 2) + Entry(below + 2) * ((t + 1) * t * (t - 1) / 6));
    }

    /// <summary>d ln E[f^2] / d ln(deviation^2) at mean 0.</summary>
    public double Elasticity(double deviation)
    {
        const double Step = 0.05;
        return Math.Log(At(0, deviation * Math.Exp(Step)).Square / At(0, deviation * Math.Exp(-Step)).Square) / (4 * Step);
    }

    private Vector512<double> Entry(int place)
    {
        if (!_table.TryGetValue(place, out var moments))
            _table[place] = moments = _activation.Moments(0, Math.Exp((double)place / StepsPerUnit));
        return moments.Values;
    }
}
