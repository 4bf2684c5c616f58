using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>What an evaluation counts of one layer. Sums are over the rows seen so far.</summary>
internal struct ActivationCounts
{
    public long Zeros, Off, Saturated;
    public double Sum, SumOfSquares, SumOfMagnitudes;
}

/// <summary>An activation bound to its parameters: the loops over a layer's blocks (units x samples, see Layout).</summary>
internal abstract unsafe class Activation
{
    /// <summary>True if the negative slope is trained.</summary>
    public abstract bool LearnsSlope { get; }

    /// <summary>h = f(z). <paramref name="slopes"/>: one per unit, <paramref name="slopeStride"/> apart (0 where shared); unused without learned slopes.</summary>
    public abstract void Forward(float* z, float* h, int units, int blocks, float* slopes, int slopeStride);

    /// <summary>
    /// In place: gradients dC/dh in <paramref name="g"/> become dC/dz. Sums them over the samples into <paramref name="biasGradient"/> (one per unit) and,
    /// for learned slopes, dC/dslope into <paramref name="slopeGradient"/> (set per unit, or summed where shared).
    /// </summary>
    public abstract void Backward(float* z, float* h, float* g, int units, int blocks, float* slopes, int slopeStride, float* biasGradient, float* slopeGradient);

    /// <summary>Counts the first <paramref name="samples"/> samples; <paramref name="active"/> counts per unit the samples with z &gt; 0 (or NaN).</summary>
    public abstract void Count(float* z, float* h, int units, int samples, float* slopes, int slopeStride, ref ActivationCounts counts, Span<int> active);

    /// <summary>E[f(z)^2] and E[f'(z)^2] for z ~ N(0, deviation^2), by the midpoint rule on [-12, 12] deviations.</summary>
    public abstract (double Value, double Derivative) SecondMoments(double deviation);
}

/// <inheritdoc/>
internal sealed unsafe class Activation<TOp>(TOp op) : Activation where TOp : struct, IActivation<TOp>
{
    private readonly Vector512<float> _saturated = Vector512.Create(0.05f * LargestDerivative(op));

    public override bool LearnsSlope => TOp.LearnsSlope;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Forward(float* z, float* h, int units, int blocks, float* slopes, int slopeStride)
    {
        var f = op;
        for (var block = 0; block < blocks; block++)
            for (var unit = 0; unit < units; unit++, z += 32, h += 32)
            {
                if (TOp.LearnsSlope)
                    f = TOp.WithSlope(f, slopes[unit * slopeStride]);
                f.Value(Vector512.Load(z)).Store(h);
                f.Value(Vector512.Load(z + 16)).Store(h + 16);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Backward(float* z, float* h, float* g, int units, int blocks, float* slopes, int slopeStride, float* biasGradient, float* slopeGradient)
    {
        var f = op;
        if (TOp.LearnsSlope && slopeStride == 0)
            *slopeGradient = 0;
        for (var unit = 0; unit < units; unit++)
        {
            if (TOp.LearnsSlope)
                f = TOp.WithSlope(f, slopes[unit * slopeStride]);
            var bias = Vector512<float>.Zero;
            var slope = Vector512<float>.Zero;
            for (var block = 0; block < blocks; block++)
                for (var half = 0; half < 32; half += 16)
                {
                    var at = (long)block * units * 32 + unit * 32 + half;
                    var input = Vector512.Load(z + at);
                    var gradient = Vector512.Load(g + at);
                    if (TOp.LearnsSlope)
                        slope = Vector512.FusedMultiplyAdd(gradient, Vector512.MinNative(Vector512<float>.Zero, input), slope);
                    gradient *= f.Derivative(input, Vector512.Load(h + at));
                    gradient.Store(g + at);
                    bias += gradient;
                }
            biasGradient[unit] = VectorMath.Sum(bias);
            if (TOp.LearnsSlope)
                slopeGradient[unit * slopeStride] = VectorMath.Sum(slope) + (slopeStride == 0 ? slopeGradient[0] : 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Count(float* z, float* h, int units, int samples, float* slopes, int slopeStride, ref ActivationCounts counts, Span<int> active)
    {
        var f = op;
        for (var first = 0; first < samples; first += 16)
        {
            var offset = (long)(first / 32) * units * 32 + first % 32;
            var lanes = samples - first >= 16 ? uint.MaxValue : (1u << (samples - first)) - 1;
            var mask = Vector512.LessThan(Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), Vector512.Create(samples - first)).AsSingle();
            Vector512<float> sum = default, squares = default, magnitudes = default;
            for (var unit = 0; unit < units; unit++, offset += 32)
            {
                if (TOp.LearnsSlope)
                    f = TOp.WithSlope(f, slopes[unit * slopeStride]);
                var input = Vector512.Load(z + offset);
                var output = Vector512.Load(h + offset) & mask;
                var off = (uint)Vector512.LessThanOrEqual(input, Vector512<float>.Zero).ExtractMostSignificantBits() & lanes & 0xffff;
                counts.Off += uint.PopCount(off);
                active[unit] += (int)uint.PopCount(~off & lanes & 0xffff);
                counts.Zeros += uint.PopCount((uint)Vector512.Equals(output, Vector512<float>.Zero).ExtractMostSignificantBits() & lanes);
                counts.Saturated += uint.PopCount((uint)Vector512.LessThan(Vector512.Abs(f.Derivative(input, output)), _saturated).ExtractMostSignificantBits() & lanes);
                sum += output;
                squares = Vector512.FusedMultiplyAdd(output, output, squares);
                magnitudes += Vector512.Abs(output);
            }
            counts.Sum += VectorMath.Sum(sum);
            counts.SumOfSquares += VectorMath.Sum(squares);
            counts.SumOfMagnitudes += VectorMath.Sum(magnitudes);
        }
    }

    public override (double Value, double Derivative) SecondMoments(double deviation)
    {
        const int Intervals = 24_000;
        const double Step = 24.0 / Intervals;
        double value = 0, derivative = 0;
        var outputs = stackalloc float[32];
        for (var i = 0; i < Intervals; i += 16)
        {
            var points = Vector512<float>.Zero;
            for (var j = 0; j < 16; j++)
                points = points.WithElement(j, (float)(deviation * Middle(i + j)));
            var h = op.Value(points);
            h.Store(outputs);
            op.Derivative(points, h).Store(outputs + 16);
            for (var j = 0; j < 16; j++)
            {
                var density = Step * Math.Exp(-Middle(i + j) * Middle(i + j) / 2) / Math.Sqrt(2 * Math.PI);
                value += density * outputs[j] * outputs[j];
                derivative += density * outputs[16 + j] * outputs[16 + j];
            }
        }
        return (value, derivative);

        // never at 0, where some derivatives jump
        static double Middle(int interval) => (interval + 0.5) * Step - 12;
    }

    /// <summary>max |f'| on [-30, 30], where every activation shows its steepest place.</summary>
    private static float LargestDerivative(TOp op)
    {
        var largest = Vector512<float>.Zero;
        for (var z = -30f; z <= 30; z += 1 / 64f)
        {
            var input = Vector512.Create(z);
            largest = Vector512.Max(largest, Vector512.Abs(op.Derivative(input, op.Value(input))));
        }
        return largest[0];
    }
}
