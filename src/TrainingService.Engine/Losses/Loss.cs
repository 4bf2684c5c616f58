using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Losses;

/// <summary>What a loss reads of a batch, in the order of its samples.</summary>
internal readonly unsafe struct Targets(int* labels, float* values)
{
    /// <summary>Classes, readable up to a multiple of 16; unused for numbers.</summary>
    public readonly int* Labels = labels;

    /// <summary>Numbers, (samples, outputs) row by row; unused for classes.</summary>
    public readonly float* Values = values;
}

/// <summary>A loss on the outputs of the last layer, in blocks (outputs x samples).</summary>
/// <param name="weights">Of each class, by which its rows count; null where all rows count alike.</param>
internal abstract unsafe class Loss(float[]? weights = null)
{
    /// <summary>Of each class; null where all rows count alike.</summary>
    protected float[]? Weights { get; } = weights;

    /// <summary>What a batch's sum of losses is divided by to be its mean: the rows, or the sum of their classes' weights.</summary>
    public double Weight(int samples, in Targets targets)
    {
        if (Weights is null)
            return samples;
        double sum = 0;
        for (var s = 0; s < samples; s++)
            sum += Weights[targets.Labels[s]];
        return sum;
    }

    /// <summary>One divided by <see cref="Weight"/>.</summary>
    public float Scale(int samples, in Targets targets) => Weights is null ? 1f / samples : (float)(1 / Weight(samples, targets));

    /// <summary>
    /// Sum of the rows' losses, weighted where classes are; a row's loss is already a mean over its outputs where the definition has
    /// one. Unless
    /// <paramref name="gradient"/> is null it gets the gradient of <paramref name="scale"/> times that sum by each output; 0 in
    /// the padding behind the last sample.
    /// </summary>
    public abstract double Sum(float* outputs, int count, int samples, in Targets targets, float* gradient = null, float scale = 0);

    /// <summary>
    /// Rows whose class is the largest output, or for one output whose sign is right; the first of equal outputs
    /// counts, and NaN predicts nothing.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static int Correct(float* outputs, int count, int samples, in Targets targets)
    {
        var correct = 0;
        for (var first = 0; first < samples; first += 16)
        {
            var row = outputs + (long)(first / 32) * count * 32 + first % 32;
            var best = Vector512.Load(row);
            var index = Vector512<int>.Zero;
            if (count == 1)
                index = Vector512.GreaterThan(best, Vector512<float>.Zero).AsInt32() & Vector512<int>.One;
            for (var c = 1; c < count; c++)
            {
                var output = Vector512.Load(row + c * 32);
                // NaN stays best, to be sorted out below
                var larger = Vector512.GreaterThan(output, best) | ~Vector512.Equals(output, output);
                best = Vector512.ConditionalSelect(larger, output, best);
                index = Vector512.ConditionalSelect(larger.AsInt32(), Vector512.Create(c), index);
            }
            var right = Vector512.Equals(index, Vector512.Load(targets.Labels + first)).AsSingle();
            right &= Vector512.Equals(best, best) & VectorMath.Present(first, samples);
            correct += (int)ulong.PopCount(right.ExtractMostSignificantBits());
        }
        return correct;
    }

    /// <summary>The class that each row is taken for, as <see cref="Correct"/> counts it; -1 where an output is NaN.</summary>
    public static void Predict(float* outputs, int count, int samples, Span<int> classes)
    {
        for (var s = 0; s < samples; s++)
        {
            var best = outputs[Layout.Block(0, s, count)];
            var index = count == 1 && best > 0 ? 1 : 0;
            for (var c = 1; c < count && !float.IsNaN(best); c++)
                if (outputs[Layout.Block(c, s, count)] is var output && !(output <= best))
                    (best, index) = (output, c);
            classes[s] = float.IsNaN(best) ? -1 : index;
        }
    }
}

/// <summary>
/// -sum_c q_c log softmax(z)_c with q = (1 - smoothing) onehot(label) + smoothing / C (Szegedy et al. 2016), mean over
/// the rows. Gradient: softmax(z) - q.
/// </summary>
internal sealed unsafe class CrossEntropy(float smoothing) : Loss
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Sum(float* outputs, int count, int samples, in Targets targets, float* gradient = null, float scale = 0)
    {
        Vector512<double> lowTotal = default, highTotal = default;
        Vector512<float> hit = Vector512.Create(scale * (1 - smoothing)), shared = Vector512.Create(scale * smoothing / count);
        for (var first = 0; first < (samples + 31) / 32 * 32; first += 16)
        {
            var offset = (long)(first / 32) * count * 32 + first % 32;
            float* z = outputs + offset, g = gradient + offset;
            var top = Vector512.Load(z);
            for (var c = 1; c < count; c++)
                top = Vector512.Max(top, Vector512.Load(z + c * 32));
            // of all outputs, of the label's and of the exponentials, which wait in the gradient for their sum
            Vector512<float> all = default, own = default, sum = default;
            var present = VectorMath.Present(first, samples);
            var labels = first < samples ? Vector512.Load(targets.Labels + first) : default;
            for (var c = 0; c < count; c++)
            {
                var below = Vector512.Load(z + c * 32) - top;
                var power = VectorMath.Exp(below);
                all += below;
                own = Vector512.ConditionalSelect(Vector512.Equals(labels, Vector512.Create(c)).AsSingle(), below, own);
                sum += power;
                if (gradient != null)
                    power.Store(g + c * 32);
            }
            var loss = VectorMath.Log(sum) - all * Vector512.Create(smoothing / count) - own * Vector512.Create(1 - smoothing);
            var (low, high) = Vector512.Widen(loss & present);
            lowTotal += low;
            highTotal += high;
            if (gradient == null)
                continue;
            var factor = Vector512.Create(scale) / sum;
            for (var c = 0; c < count; c++)
            {
                var target = Vector512.Equals(labels, Vector512.Create(c)).AsSingle() & hit;
                (Vector512.Load(g + c * 32) * factor - shared - target & present).Store(g + c * 32);
            }
        }
        return VectorMath.Sum(lowTotal + highTotal);
    }
}

/// <summary>
/// -sum_c q_c w_c log softmax(z)_c, q as in <see cref="CrossEntropy"/>, divided by the sum of the rows' w_label: the weighted mean of
/// PyTorch's CrossEntropyLoss(weight, label_smoothing). Gradient: S softmax(z) - q w with S = sum_c q_c w_c.
/// </summary>
internal sealed unsafe class WeightedCrossEntropy(float smoothing, float[] weights) : Loss(weights)
{
    private readonly float[] _weights = weights;
    private readonly float _sum = weights.Sum();

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Sum(float* outputs, int count, int samples, in Targets targets, float* gradient = null, float scale = 0)
    {
        Vector512<double> lowTotal = default, highTotal = default;
        Vector512<float> hit = Vector512.Create(1 - smoothing), spread = Vector512.Create(smoothing / count);
        for (var first = 0; first < (samples + 31) / 32 * 32; first += 16)
        {
            var offset = (long)(first / 32) * count * 32 + first % 32;
            float* z = outputs + offset, g = gradient + offset;
            var top = Vector512.Load(z);
            for (var c = 1; c < count; c++)
                top = Vector512.Max(top, Vector512.Load(z + c * 32));
            Vector512<float> all = default, own = default, weight = default, sum = default;
            var present = VectorMath.Present(first, samples);
            var labels = first < samples ? Vector512.Load(targets.Labels + first) : default;
            for (var c = 0; c < count; c++)
            {
                var below = Vector512.Load(z + c * 32) - top;
                var power = VectorMath.Exp(below);
                var mine = Vector512.Equals(labels, Vector512.Create(c)).AsSingle();
                all += below * Vector512.Create(_weights[c]);
                own = Vector512.ConditionalSelect(mine, below, own);
                weight = Vector512.ConditionalSelect(mine, Vector512.Create(_weights[c]), weight);
                sum += power;
                if (gradient != null)
                    power.Store(g + c * 32);
            }
            var total = hit * weight + spread * Vector512.Create(_sum);
            var loss = total * VectorMath.Log(sum) - all * spread - own * hit * weight;
            var (low, high) = Vector512.Widen(loss & present);
            lowTotal += low;
            highTotal += high;
            if (gradient == null)
                continue;
            var factor = total / sum;
            for (var c = 0; c < count; c++)
            {
                var target = (Vector512.Equals(labels, Vector512.Create(c)).AsSingle() & hit * weight)
                    + spread * Vector512.Create(_weights[c]);
                ((Vector512.Load(g + c * 32) * factor - target) * Vector512.Create(scale) & present).Store(g + c * 32);
            }
        }
        return VectorMath.Sum(lowTotal + highTotal);
    }
}

/// <summary>
/// ln(1 + e^z) - y z on one output, y 0 or 1, mean over the rows. Gradient: sigmoid(z) - y. With weights a row counts w_y times, and the
/// mean divides by their sum, as in <see cref="WeightedCrossEntropy"/>.
/// </summary>
internal sealed unsafe class BinaryCrossEntropy(float[]? weights = null) : Loss(weights)
{
    public override double Sum(float* outputs, int count, int samples, in Targets targets, float* gradient = null, float scale = 0)
    {
        double total = 0;
        for (var first = 0; first < (samples + 31) / 32 * 32; first += 16)
        {
            for (var s = first; s < Math.Min(first + 16, samples); s++)
            {
                double z = outputs[s];
                var loss = Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z))) - targets.Labels[s] * z;
                total += Weights is null ? loss : Weights[targets.Labels[s]] * loss;
            }
            if (gradient == null)
                continue;
            (VectorMath.Sigmoid(Vector512.Load(outputs + first)) * Vector512.Create(scale) & VectorMath.Present(first, samples))
                .Store(gradient + first);
            for (var s = first; s < Math.Min(first + 16, samples); s++)
            {
                gradient[s] -= scale * targets.Labels[s];
                if (Weights is not null)
                    gradient[s] *= Weights[targets.Labels[s]];
            }
        }
        return total;
    }
}

/// <summary>
/// A loss of the difference between an output and its target: a number, or 1 for the row's class and 0 for the others.
/// Mean over rows, which count by the weight of their class where classes have one, and outputs.
/// </summary>
internal abstract unsafe class DifferenceLoss(bool classes, float[]? weights) : Loss(weights)
{
    protected abstract double Value(double difference);

    protected abstract float Slope(float difference);

    public override double Sum(float* outputs, int count, int samples, in Targets targets, float* gradient = null, float scale = 0)
    {
        double total = 0;
        for (var s = 0; s < Layout.Padded(samples); s++)
        {
            var weight = s < samples && Weights is not null ? Weights[targets.Labels[s]] : 1;
            for (var c = 0; c < count; c++)
            {
                var at = Layout.Block(c, s, count);
                var target = s < samples ? Target(targets, s, c, count) : 0;
                if (s < samples)
                    total += weight * Value((double)outputs[at] - target);
                if (gradient != null)
                    gradient[at] = s < samples ? weight * (scale / count * Slope(outputs[at] - target)) : 0;
            }
        }
        return total / count;
    }

    private float Target(in Targets targets, int sample, int output, int count) =>
        classes ? targets.Labels[sample] == output ? 1 : 0 : targets.Values[sample * count + output];
}

/// <summary>d^2.</summary>
internal sealed class MeanSquaredError(bool classes, float[]? weights = null) : DifferenceLoss(classes, weights)
{
    protected override double Value(double difference) => difference * difference;

    protected override float Slope(float difference) => 2 * difference;
}

/// <summary>|d| &lt;= delta ? d^2 / 2 : delta (|d| - delta / 2) (Huber 1964).</summary>
internal sealed class Huber(double delta, bool classes, float[]? weights = null) : DifferenceLoss(classes, weights)
{
    protected override double Value(double difference) =>
        Math.Abs(difference) <= delta ? difference * difference / 2 : delta * (Math.Abs(difference) - delta / 2);

    // comparisons let NaN through
    protected override float Slope(float difference) =>
        difference > delta ? (float)delta : difference < -delta ? (float)-delta : difference;
}
