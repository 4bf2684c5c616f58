using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Activations;

/// <summary>What an evaluation counts of one layer. Sums are over the rows seen so far.</summary>
internal sealed class ActivationCounts(int units)
{
    public long Zeros, Off, Saturated, Above95, Above99;
    public double Sum, SumOfSquares, SumOfMagnitudes;

    /// <summary>Per unit: rows with z &gt; 0 (or NaN), and rows with f'(z) below 5 % of the largest f'.</summary>
    public readonly int[] Active = new int[units], SaturatedRows = new int[units];

    /// <summary>Per unit 16 lanes of rows: sums of |h|, and the largest z.</summary>
    public readonly float[] Magnitudes = new float[16 * units], Highest = new float[16 * units];

    public void Clear()
    {
        (Zeros, Off, Saturated, Above95, Above99) = (0, 0, 0, 0, 0);
        (Sum, SumOfSquares, SumOfMagnitudes) = (0, 0, 0);
        Array.Clear(Active);
        Array.Clear(SaturatedRows);
        Array.Clear(Magnitudes);
        Array.Fill(Highest, float.NegativeInfinity);
    }

    /// <summary>
    /// Whether a unit is saturated on more than <paramref name="share"/> of the rows seen; never without bound. Where f is bounded on one
    /// side only by being off there, a unit that is off is dead or sparse, not saturated.
    /// </summary>
    public bool IsSaturated(Activation function, int unit, int rows, double share) => function.Bound is not null
        && SaturatedRows[unit] - (function.DiesWhenOff ? rows - Active[unit] : 0) > share * rows;
}

/// <summary>
/// An activation bound to its parameters: the loops over a layer's blocks (units x samples, see Layout).
/// Where the slope is learned, <c>slopes</c> has one per unit, <c>slopeStride</c> apart (0 where the layer shares one).
/// </summary>
internal abstract unsafe class Activation
{
    /// <summary>True if the negative slope is trained.</summary>
    public abstract bool LearnsSlope { get; }

    /// <summary>
    /// h = f(z) for blocks <paramref name="from"/> to <paramref name="to"/>. <paramref name="noise"/> is the key of random
    /// activations, 0 when evaluating.
    /// </summary>
    public abstract void Forward(float* z, float* h, int units, int from, int to, float* slopes, int slopeStride, ulong noise);

    /// <summary>
    /// In place, for units <paramref name="from"/> to <paramref name="to"/>: gradients dC/dh in <paramref name="g"/> become dC/dz, after
    /// <paramref name="l1"/> sign(h) was added for the samples that exist. Learned slopes get their unit's dC/dslope in
    /// <paramref name="slopeGradient"/>.
    /// </summary>
    public abstract void Backward(float* z, float* h, float* g, int units, int samples, int from,
        int to, float* slopes, int slopeStride, float* slopeGradient, ulong noise, float l1);

    /// <summary>Adds the first <paramref name="samples"/> samples to the counts.</summary>
    public abstract void Count(float* z, float* h, int units, int samples, float* slopes, int slopeStride, ActivationCounts counts);

    /// <summary>
    /// True if f' = 0 for every z &lt;= 0: a unit that is off on every row gets no gradient at all. False where the
    /// slope is learned, since it may move.
    /// </summary>
    public abstract bool DiesWhenOff { get; }

    /// <summary>Largest |f(z)| over all z; null where there is none.</summary>
    public abstract double? Bound { get; }

    /// <summary>f(z) and f'(z).</summary>
    public abstract (float Value, float Derivative) At(float z);

    /// <summary>
    /// Over z ~ N(<paramref name="mean"/>, <paramref name="deviation"/>^2), of the function as it evaluates, by the midpoint rule.
    /// </summary>
    public abstract NormalMoments Moments(double mean, double deviation);
}

/// <inheritdoc/>
internal sealed unsafe class Activation<TOp>(TOp op) : Activation where TOp : struct, IActivation<TOp>
{
    private readonly Vector512<float> _saturated = Vector512.Create(0.05f * LargestDerivative(op));

    public override bool LearnsSlope => TOp.LearnsSlope;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Forward(float* z, float* h, int units, int from, int to, float* slopes, int slopeStride, ulong noise)
    {
        var f = op;
        z += (long)from * units * 32;
        h += (long)from * units * 32;
        for (var block = from; block < to; block++)
        {
            var lowNoise = TOp.Random ? Noise.Samples(noise, block * 32) : default;
            var highNoise = TOp.Random ? Noise.Samples(noise, block * 32 + 16) : default;
            for (var unit = 0; unit < units; unit++, z += 32, h += 32)
            {
                if (TOp.LearnsSlope)
                    f = TOp.WithSlope(f, slopes[unit * slopeStride]);
                if (TOp.Random && noise != 0)
                    f = TOp.WithBits(op, Noise.Bits(noise, unit, lowNoise));
                f.Value(Vector512.Load(z)).Store(h);
                if (TOp.Random && noise != 0)
                    f = TOp.WithBits(op, Noise.Bits(noise, unit, highNoise));
                f.Value(Vector512.Load(z + 16)).Store(h + 16);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Backward(float* z, float* h, float* g, int units, int samples, int from,
        int to, float* slopes, int slopeStride, float* slopeGradient, ulong noise, float l1)
    {
        var f = op;
        if (!TOp.LearnsSlope && !TOp.Random && l1 == 0)
        {
            // all that most layers need, and nothing in its way
            for (var first = (long)from * 32; samples > 0; samples -= 32, first += (long)units * 32)
                for (var at = first; at < first + (to - from) * 32; at += 16)
                    (Vector512.Load(g + at) * f.Derivative(Vector512.Load(z + at), Vector512.Load(h + at))).Store(g + at);
            return;
        }
        var penalty = Vector512.Create(l1);
        for (var unit = from; unit < to; unit++)
        {
            if (TOp.LearnsSlope)
                f = TOp.WithSlope(f, slopes[unit * slopeStride]);
            var slope = Vector512<float>.Zero;
            var at = (long)unit * 32;
            for (var first = 0; first < samples; first += 32, at += (long)units * 32)
                for (var half = 0; half < 32; half += 16)
                {
                    Vector512<float> input = Vector512.Load(z + at + half),
                        output = Vector512.Load(h + at + half), gradient = Vector512.Load(g + at + half);
                    if (TOp.Random && noise != 0)
                        f = TOp.WithBits(op, Noise.Bits(noise, unit, Noise.Samples(noise, first + half)));
                    if (l1 != 0)
                    {
                        // sign(h) is 0 at 0
                        var nonzero = ~Vector512.Equals(output, Vector512<float>.Zero) & VectorMath.Present(first + half, samples);
                        gradient += Vector512.CopySign(penalty, output) & nonzero;
                    }
                    if (TOp.LearnsSlope)
                        slope = Vector512.FusedMultiplyAdd(gradient, Vector512.MinNative(Vector512<float>.Zero, input), slope);
                    (gradient * f.Derivative(input, output)).Store(g + at + half);
                }
            if (TOp.LearnsSlope)
                slopeGradient[unit] = VectorMath.Sum(slope);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Count(float* z, float* h, int units, int samples, float* slopes, int slopeStride, ActivationCounts counts)
    {
        var f = op;
        var bound = Bound ?? 0;
        Vector512<float> saturated = _saturated, above95 = Vector512.Create((float)(0.95 * bound)),
            above99 = Vector512.Create((float)(0.99 * bound));
        var bounded = Bound is not null;
        Vector512<double> sum = default, squares = default, magnitudes = default;
        fixed (int* active = counts.Active, saturatedRows = counts.SaturatedRows)
        fixed (float* unitMagnitudes = counts.Magnitudes, unitHighest = counts.Highest)
            for (var unit = 0; unit < units; unit++)
            {
                if (TOp.LearnsSlope)
                    f = TOp.WithSlope(f, slopes[unit * slopeStride]);
                Vector512<float> unitSum = default, unitSquares = default, magnitude = default;
                var highest = Vector512.Load(unitHighest + unit * 16);
                int off = 0, dull = 0;
                for (var first = 0; first < samples; first += 16)
                {
                    var offset = ((long)(first / 32) * units + unit) * 32 + first % 32;
                    var mask = VectorMath.Present(first, samples);
                    var lanes = (uint)mask.ExtractMostSignificantBits();
                    var input = Vector512.Load(z + offset);
                    var output = Vector512.Load(h + offset) & mask;
                    off += (int)uint.PopCount(
                        (uint)Vector512.LessThanOrEqual(input, Vector512<float>.Zero).ExtractMostSignificantBits() & lanes);
                    counts.Zeros +=
                        uint.PopCount((uint)Vector512.Equals(output, Vector512<float>.Zero).ExtractMostSignificantBits() & lanes);
                    var flat = Vector512.LessThan(Vector512.Abs(f.Derivative(input, output)), saturated);
                    dull += (int)uint.PopCount((uint)flat.ExtractMostSignificantBits() & lanes);
                    if (bounded)
                    {
                        counts.Above95 +=
                            uint.PopCount((uint)Vector512.GreaterThan(Vector512.Abs(output), above95).ExtractMostSignificantBits());
                        counts.Above99 +=
                            uint.PopCount((uint)Vector512.GreaterThan(Vector512.Abs(output), above99).ExtractMostSignificantBits());
                    }
                    // in this order one NaN doesn't hide the other rows: where an operand is NaN, x86 answers the second one
                    highest = Vector512.MaxNative(Vector512.ConditionalSelect(mask, input, highest), highest);
                    unitSum += output;
                    unitSquares = Vector512.FusedMultiplyAdd(output, output, unitSquares);
                    magnitude += Vector512.Abs(output);
                }
                counts.Off += off;
                counts.Saturated += dull;
                active[unit] += samples - off;
                saturatedRows[unit] += dull;
                highest.Store(unitHighest + unit * 16);
                (Vector512.Load(unitMagnitudes + unit * 16) + magnitude).Store(unitMagnitudes + unit * 16);
                sum += Doubles(unitSum);
                squares += Doubles(unitSquares);
                magnitudes += Doubles(magnitude);
            }
        counts.Sum += VectorMath.Sum(sum);
        counts.SumOfSquares += VectorMath.Sum(squares);
        counts.SumOfMagnitudes += VectorMath.Sum(magnitudes);
    }

    public override (float Value, float Derivative) At(float z)
    {
        var input = Vector512.Create(z);
        var output = op.Value(input);
        return (output[0], op.Derivative(input, output)[0]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<double> Doubles(Vector512<float> x) => Vector512.WidenLower(x) + Vector512.WidenUpper(x);

    public override bool DiesWhenOff { get; } = !TOp.LearnsSlope && FlatWhenOff(op);

    public override double? Bound { get; } = LargestValue(op);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override NormalMoments Moments(double mean, double deviation)
    {
        var nodes = deviation > 8 ? NormalNodes.Crowded : NormalNodes.Even;
        var f = op;
        Vector512<double> spread = Vector512.Create(deviation), centre = Vector512.Create(mean);
        Vector512<double> value = default, square = default, fourth = default,
            slope = default, slopeSquare = default, slopeFourth = default, off = default, flat = default,
            least = Vector512.Create((double)_saturated[0]);
        fixed (double* points = nodes.Points, weights = nodes.Weights)
            for (var i = 0; i < NormalNodes.Count; i += 8)
            {
                var z = Vector512.FusedMultiplyAdd(Vector512.Load(points + i), spread, centre);
                var narrow = Vector512.Narrow(z, z);
                var output = f.Value(narrow);
                var weight = Vector512.Load(weights + i);
                Vector512<double> h = Vector512.WidenLower(output),
                    d = Vector512.WidenLower(f.Derivative(narrow, output)), hh = h * h, dd = d * d;
                value = Vector512.FusedMultiplyAdd(weight, h, value);
                square = Vector512.FusedMultiplyAdd(weight, hh, square);
                fourth = Vector512.FusedMultiplyAdd(weight, hh * hh, fourth);
                slope = Vector512.FusedMultiplyAdd(weight, d, slope);
                slopeSquare = Vector512.FusedMultiplyAdd(weight, dd, slopeSquare);
                slopeFourth = Vector512.FusedMultiplyAdd(weight, dd * dd, slopeFourth);
                off += weight & Vector512.LessThanOrEqual(z, Vector512<double>.Zero);
                flat += weight & Vector512.LessThan(Vector512.Abs(d), least);
            }
        return new(Vector512.Create(Total(value), Total(square), Total(fourth),
            Total(slope), Total(slopeSquare), Total(slopeFourth), Total(off), Total(flat)));

        // lane by lane, so that the sum is the same on every machine
        static double Total(Vector512<double> lanes)
        {
            double sum = 0;
            for (var lane = 0; lane < 8; lane++)
                sum += lanes[lane];
            return sum;
        }
    }

    /// <summary>
    /// max |f'| on [-30, 30], where default parameters put the steepest place: with others it may be less than the largest (softplus with a
    /// small beta), or 0 (a shrink of more than 30), so that nothing counts as saturated.
    /// </summary>
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

    private static bool FlatWhenOff(TOp op)
    {
        for (var z = 0f; z > -1e4f; z = 1.1f * z - 1e-3f)
        {
            var input = Vector512.Create(z);
            if (op.Derivative(input, op.Value(input))[0] != 0)
                return false;
        }
        return true;
    }

    /// <summary>What |f| comes to far out, where every bounded activation has its bound.</summary>
    private static double? LargestValue(TOp op)
    {
        const float Far = 1e30f;
        var largest = Math.Max(Math.Abs((double)op.Value(Vector512.Create(Far))[0]), Math.Abs((double)op.Value(Vector512.Create(-Far))[0]));
        return largest < Math.Sqrt(Far) ? largest : null;
    }
}
