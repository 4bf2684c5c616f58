using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta per unit, over the batch while training (variance divided by B), by running
/// statistics when evaluating: running = (1 - momentum) running + momentum new, the new variance divided by B - 1 (Ioffe &amp; Szegedy
/// 2015; PyTorch's conventions).
/// </summary>
internal sealed unsafe class BatchNorm : Norm
{
    private readonly FloatBuffer _mean, _inverse, _runningMean, _runningVariance;
    private readonly Action<int, int> _forward, _backward;
    private readonly float _momentum;
    private float* _input;

    public BatchNorm(BatchNormPlan plan, Workspace workspace) : base(plan, workspace)
    {
        _momentum = (float)plan.Momentum;
        _mean = workspace.NewBuffer(plan.Units);
        _inverse = workspace.NewBuffer(plan.Units);
        _runningMean = workspace.NewBuffer(plan.Units);
        _runningVariance = workspace.NewBuffer(plan.Units);
        RunningVariance.Fill(1);
        _forward = Forward;
        _backward = Backward;
    }

    public override IEnumerable<FloatBuffer> Learned => base.Learned.Append(_runningMean).Append(_runningVariance);

    public Span<float> RunningMean => _runningMean.Span(0, Units);

    public Span<float> RunningVariance => _runningVariance.Span(0, Units);

    public override void Learn(ref TensorReader numbers)
    {
        base.Learn(ref numbers);
        numbers.Next(Units).CopyTo(RunningMean);
        numbers.Next(Units).CopyTo(RunningVariance);
    }

    public override void Tell(ref Span<float> numbers)
    {
        base.Tell(ref numbers);
        RunningMean.CopyTo(numbers);
        RunningVariance.CopyTo(numbers[Units..]);
        numbers = numbers[(2 * Units)..];
    }

    public override void Forward(float* input)
    {
        _input = input;
        Workspace.Team.Split(Units, _forward);
    }

    public override void Backward(float* input, bool wanted)
    {
        _input = input;
        Workspace.Team.Split(Units, _backward);
        Update(Gamma);
        Update(Beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Forward(int from, int to)
    {
        var (samples, blocks, stride) = (Workspace.Samples, Workspace.Blocks, Units * 32L);
        var training = Workspace.Training;
        var momentum = _momentum;
        var epsilon = (float)Plan.Epsilon;
        float* runningMean = _runningMean.At(0, Units), runningVariance = _runningVariance.At(0, Units), allOutputs = Output;
        for (var unit = from; unit < to; unit++)
        {
            float* input = _input + unit * 32L, output = allOutputs + unit * 32L;
            float mean = runningMean[unit], variance = runningVariance[unit];
            if (training)
            {
                mean = Sum(input, stride, blocks, samples) / samples;
                variance = SumOfSquares(input, stride, blocks, samples, mean) / samples;
                runningMean[unit] += momentum * (mean - runningMean[unit]);
                // one sample has no unbiased variance
                if (samples > 1)
                    runningVariance[unit] += momentum * (variance * samples / (samples - 1) - runningVariance[unit]);
            }
            var inverse = 1 / MathF.Sqrt(variance + epsilon);
            *_mean.At(unit, 1) = mean;
            *_inverse.At(unit, 1) = inverse;
            Vector512<float> scale = Vector512.Create(inverse * Gamma.Values[unit]),
                centre = Vector512.Create(mean), shift = Vector512.Create(Beta.Values[unit]);
            for (var block = 0; block < blocks; block++, input += stride, output += stride)
            {
                Vector512.FusedMultiplyAdd(Vector512.Load(input) - centre, scale, shift).Store(output);
                Vector512.FusedMultiplyAdd(Vector512.Load(input + 16) - centre, scale, shift).Store(output + 16);
            }
        }
    }

    private static float Sum(float* x, long stride, int blocks, int samples)
    {
        Vector512<float> low = default, high = default;
        for (var block = 0; block < blocks - 1; block++, x += stride)
        {
            low += Vector512.Load(x);
            high += Vector512.Load(x + 16);
        }
        var rest = samples - (blocks - 1) * 32;
        low += Vector512.Load(x) & VectorMath.Present(0, rest);
        high += Vector512.Load(x + 16) & VectorMath.Present(16, rest);
        return VectorMath.Sum(low + high);
    }

    private static float SumOfSquares(float* x, long stride, int blocks, int samples, float mean)
    {
        Vector512<float> low = default, high = default, centre = Vector512.Create(mean);
        for (var block = 0; block < blocks - 1; block++, x += stride)
        {
            Vector512<float> a = Vector512.Load(x) - centre, b = Vector512.Load(x + 16) - centre;
            low = Vector512.FusedMultiplyAdd(a, a, low);
            high = Vector512.FusedMultiplyAdd(b, b, high);
        }
        var rest = samples - (blocks - 1) * 32;
        Vector512<float> c = Vector512.Load(x) - centre & VectorMath.Present(0, rest),
            d = Vector512.Load(x + 16) - centre & VectorMath.Present(16, rest);
        return VectorMath.Sum(Vector512.FusedMultiplyAdd(c, c, low) + Vector512.FusedMultiplyAdd(d, d, high));
    }

    /// <summary>
    /// dx = gamma / sqrt(variance + epsilon) (dy - mean(dy) - xhat mean(dy xhat)); without the means where the statistics are fixed.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Backward(int from, int to)
    {
        var (samples, blocks, stride) = (Workspace.Samples, Workspace.Blocks, Units * 32L);
        var training = Workspace.Training;
        var allGradients = Gradient;
        for (var unit = from; unit < to; unit++)
        {
            float* input = _input + unit * 32L, gradient = allGradients + unit * 32L;
            Vector512<float> centre = Vector512.Create(*_mean.At(unit, 1)), inverse = Vector512.Create(*_inverse.At(unit, 1));
            Vector512<float> sumLow = default, sumHigh = default, productLow = default, productHigh = default;
            // the padding's gradients are 0
            for (var block = 0; block < blocks; block++)
            {
                Vector512<float> low = Vector512.Load(gradient + block * stride), high = Vector512.Load(gradient + block * stride + 16);
                sumLow += low;
                sumHigh += high;
                productLow = Vector512.FusedMultiplyAdd(low, (Vector512.Load(input + block * stride) - centre) * inverse, productLow);
                productHigh = Vector512.FusedMultiplyAdd(high,
                    (Vector512.Load(input + block * stride + 16) - centre) * inverse, productHigh);
            }
            Beta.Gradient[unit] = VectorMath.Sum(sumLow + sumHigh);
            Gamma.Gradient[unit] = VectorMath.Sum(productLow + productHigh);
            var scale = inverse * Vector512.Create(Gamma.Values[unit]);
            var meanGradient = Vector512.Create(training ? Beta.Gradient[unit] / samples : 0);
            var meanProduct = Vector512.Create(training ? Gamma.Gradient[unit] / samples : 0);
            for (var block = 0; block < blocks; block++)
                for (var half = 0; half < 32; half += 16)
                {
                    var at = block * stride + half;
                    var normalized = (Vector512.Load(input + at) - centre) * inverse;
                    var result = (Vector512.Load(gradient + at) - meanGradient - normalized * meanProduct) * scale;
                    (block < blocks - 1 ? result : result & VectorMath.Present(block * 32 + half, samples)).Store(gradient + at);
                }
        }
    }
}
