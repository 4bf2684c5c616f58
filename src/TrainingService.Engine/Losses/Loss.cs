using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Losses;

/// <summary>What a loss reads of a batch, in the order of its samples.</summary>
internal readonly unsafe struct Targets(int* labels, float* values)
{
    /// <summary>Classes; unused for numbers.</summary>
    public readonly int* Labels = labels;

    /// <summary>Numbers, (samples, outputs) row by row; unused for classes.</summary>
    public readonly float* Values = values;
}

/// <summary>A loss on the outputs of the last layer, in blocks (outputs x samples).</summary>
internal abstract unsafe class Loss
{
    /// <summary>Sum of the rows' losses; a row's loss is already a mean over its outputs where the definition has one.</summary>
    public abstract double Sum(float* outputs, int count, int samples, in Targets targets);

    /// <summary>The gradient of <paramref name="scale"/> times that sum by each output; 0 in the padding behind the last sample.</summary>
    public abstract void Gradient(float* outputs, float* gradient, int count, int samples, in Targets targets, float scale);

    public static Loss Create(string name, bool classes) => name switch
    {
        "cross_entropy" => new CrossEntropy(),
        "binary_cross_entropy" => new BinaryCrossEntropy(),
        "mse" => new MeanSquaredError(classes),
        _ => throw new ArgumentException($"no loss '{name}'", nameof(name)),
    };

    /// <summary>Rows whose class is the largest output, or for one output whose sign is right; the first of equal outputs counts.</summary>
    public static int Correct(float* outputs, int count, int samples, in Targets targets)
    {
        var correct = 0;
        for (var s = 0; s < samples; s++)
        {
            var row = outputs + (long)(s / 32) * count * 32 + s % 32;
            var best = 0;
            for (var c = 1; c < count; c++)
                if (row[c * 32] > row[best * 32])
                    best = c;
            // NaN outputs predict nothing
            if (count == 1 ? float.IsFinite(row[0]) && row[0] > 0 == (targets.Labels[s] == 1) : best == targets.Labels[s] && !float.IsNaN(row[best * 32]))
                correct++;
        }
        return correct;
    }

    /// <summary>All bits set in the lanes of samples that exist.</summary>
    protected static Vector512<float> Present(int first, int samples) =>
        Vector512.LessThan(Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), Vector512.Create(samples - first)).AsSingle();
}

/// <summary>-log softmax(z)[label], mean over the rows. Gradient: softmax(z) - onehot(label).</summary>
internal sealed unsafe class CrossEntropy : Loss
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override double Sum(float* outputs, int count, int samples, in Targets targets)
    {
        double total = 0;
        var lane = stackalloc float[16];
        for (var first = 0; first < samples; first += 16)
        {
            var z = outputs + (long)(first / 32) * count * 32 + first % 32;
            var (top, sum) = Softmax(z, count);
            top.Store(lane);
            for (var s = 0; s < 16 && first + s < samples; s++)
                total += Math.Log(sum[s]) + (lane[s] - (double)z[targets.Labels[first + s] * 32 + s]);
        }
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Gradient(float* outputs, float* gradient, int count, int samples, in Targets targets, float scale)
    {
        for (var first = 0; first < (samples + 31) / 32 * 32; first += 16)
        {
            var offset = (long)(first / 32) * count * 32 + first % 32;
            var (top, sum) = Softmax(outputs + offset, count);
            var present = Present(first, samples);
            var factor = Vector512.Create(scale) / sum;
            for (var c = 0; c < count; c++)
                (VectorMath.Exp(Vector512.Load(outputs + offset + c * 32) - top) * factor & present).Store(gradient + offset + c * 32);
            for (var s = 0; s < 16 && first + s < samples; s++)
                gradient[offset + targets.Labels[first + s] * 32 + s] -= scale;
        }
    }

    /// <summary>The largest output of 16 rows and the sum of e^(z - largest).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Top, Vector512<float> Sum) Softmax(float* z, int count)
    {
        var top = Vector512.Load(z);
        for (var c = 1; c < count; c++)
            top = Vector512.Max(top, Vector512.Load(z + c * 32));
        var sum = Vector512<float>.Zero;
        for (var c = 0; c < count; c++)
            sum += VectorMath.Exp(Vector512.Load(z + c * 32) - top);
        return (top, sum);
    }
}

/// <summary>ln(1 + e^z) - y z on one output, y 0 or 1, mean over the rows. Gradient: sigmoid(z) - y.</summary>
internal sealed unsafe class BinaryCrossEntropy : Loss
{
    public override double Sum(float* outputs, int count, int samples, in Targets targets)
    {
        double total = 0;
        for (var s = 0; s < samples; s++)
        {
            double z = outputs[(long)(s / 32) * 32 + s % 32];
            total += Math.Max(z, 0) + Math.Log(1 + Math.Exp(-Math.Abs(z))) - targets.Labels[s] * z;
        }
        return total;
    }

    public override void Gradient(float* outputs, float* gradient, int count, int samples, in Targets targets, float scale)
    {
        for (var first = 0; first < (samples + 31) / 32 * 32; first += 16)
        {
            var offset = (long)(first / 32) * 32 + first % 32;
            (VectorMath.Sigmoid(Vector512.Load(outputs + offset)) * Vector512.Create(scale) & Present(first, samples)).Store(gradient + offset);
            for (var s = 0; s < 16 && first + s < samples; s++)
                gradient[offset + s] -= scale * targets.Labels[first + s];
        }
    }
}

/// <summary>(z - y)^2, mean over rows and outputs; y the number, or 1 for the row's class and 0 for the others. Gradient: 2 (z - y) / outputs.</summary>
internal sealed unsafe class MeanSquaredError(bool classes) : Loss
{
    private float Target(in Targets targets, int sample, int output, int count) =>
        classes ? targets.Labels[sample] == output ? 1 : 0 : targets.Values[sample * count + output];

    public override double Sum(float* outputs, int count, int samples, in Targets targets)
    {
        double total = 0;
        for (var s = 0; s < samples; s++)
            for (var c = 0; c < count; c++)
            {
                var difference = (double)outputs[(long)(s / 32) * count * 32 + c * 32 + s % 32] - Target(targets, s, c, count);
                total += difference * difference;
            }
        return total / count;
    }

    public override void Gradient(float* outputs, float* gradient, int count, int samples, in Targets targets, float scale)
    {
        for (var s = 0; s < (samples + 31) / 32 * 32; s++)
            for (var c = 0; c < count; c++)
            {
                var at = (long)(s / 32) * count * 32 + c * 32 + s % 32;
                gradient[at] = s < samples ? 2 * scale / count * (outputs[at] - Target(targets, s, c, count)) : 0;
            }
    }
}
