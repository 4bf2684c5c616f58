using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta per unit, over the batch while training (variance divided by B), by running statistics when
/// evaluating: running = (1 - momentum) running + momentum new, the new variance divided by B - 1 (Ioffe &amp; Szegedy 2015; PyTorch's conventions).
/// </summary>
internal sealed unsafe class BatchNorm : Layer
{
    private readonly NormPlan _plan;
    private readonly FloatBuffer _mean, _inverse, _runningMean, _runningVariance;
    private readonly Parameters _gamma, _beta;
    private readonly Action<int, int> _forward, _backward;
    private float* _input;

    public BatchNorm(NormPlan plan, Workspace workspace) : base(workspace, plan.Units)
    {
        _plan = plan;
        _gamma = Layers.Parameters.Vector("gamma", plan.Units, workspace.States);
        _beta = Layers.Parameters.Vector("beta", plan.Units, workspace.States);
        new Span<float>(_gamma.Values, plan.Units).Fill(1);
        Parameters = [_gamma, _beta];
        _mean = new(plan.Units);
        _inverse = new(plan.Units);
        _runningMean = new(plan.Units);
        _runningVariance = new(plan.Units);
        new Span<float>(_runningVariance.Pointer, plan.Units).Fill(1);
        _forward = Forward;
        _backward = Backward;
    }

    public override IReadOnlyList<Parameters> Parameters { get; }

    public override IEnumerable<FloatBuffer> State => base.State.Append(_runningMean).Append(_runningVariance);

    public Span<float> RunningMean => new(_runningMean.Pointer, Units);

    public Span<float> RunningVariance => new(_runningVariance.Pointer, Units);

    public override void Forward(float* input)
    {
        _input = input;
        Workspace.Team.Split(Units, _forward);
    }

    public override void Backward(float* input, bool wanted)
    {
        _input = input;
        Workspace.Team.Split(Units, _backward);
        Update(_gamma);
        Update(_beta);
    }

    public override void Dispose()
    {
        base.Dispose();
        _mean.Dispose();
        _inverse.Dispose();
        _runningMean.Dispose();
        _runningVariance.Dispose();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Forward(int from, int to)
    {
        int samples = Workspace.Samples, padded = Workspace.Blocks * 32;
        for (var unit = from; unit < to; unit++)
        {
            float mean = _runningMean.Pointer[unit], variance = _runningVariance.Pointer[unit];
            if (Workspace.Training)
            {
                var sum = Vector512<float>.Zero;
                for (var first = 0; first < padded; first += 16)
                    sum += Vector512.Load(_input + At(unit, first)) & VectorMath.Present(first, samples);
                mean = VectorMath.Sum(sum) / samples;
                var squares = Vector512<float>.Zero;
                for (var first = 0; first < padded; first += 16)
                {
                    var difference = Vector512.Load(_input + At(unit, first)) - Vector512.Create(mean) & VectorMath.Present(first, samples);
                    squares = Vector512.FusedMultiplyAdd(difference, difference, squares);
                }
                variance = VectorMath.Sum(squares) / samples;
                var momentum = (float)_plan.Momentum;
                _runningMean.Pointer[unit] += momentum * (mean - _runningMean.Pointer[unit]);
                // one sample has no unbiased variance
                if (samples > 1)
                    _runningVariance.Pointer[unit] += momentum * (variance * samples / (samples - 1) - _runningVariance.Pointer[unit]);
            }
            var inverse = 1 / MathF.Sqrt(variance + (float)_plan.Epsilon);
            _mean.Pointer[unit] = mean;
            _inverse.Pointer[unit] = inverse;
            Vector512<float> scale = Vector512.Create(inverse * _gamma.Values[unit]), centre = Vector512.Create(mean), shift = Vector512.Create(_beta.Values[unit]);
            for (var first = 0; first < padded; first += 16)
                Vector512.FusedMultiplyAdd(Vector512.Load(_input + At(unit, first)) - centre, scale, shift).Store(Output + At(unit, first));
        }
    }

    /// <summary>dx = gamma / sqrt(variance + epsilon) (dy - mean(dy) - xhat mean(dy xhat)); without the means where the statistics are fixed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Backward(int from, int to)
    {
        int samples = Workspace.Samples, padded = Workspace.Blocks * 32;
        for (var unit = from; unit < to; unit++)
        {
            Vector512<float> centre = Vector512.Create(_mean.Pointer[unit]), inverse = Vector512.Create(_inverse.Pointer[unit]), sum = default, product = default;
            for (var first = 0; first < padded; first += 16)
            {
                var gradient = Vector512.Load(Workspace.Gradient + At(unit, first));
                sum += gradient;
                product = Vector512.FusedMultiplyAdd(gradient, (Vector512.Load(_input + At(unit, first)) - centre) * inverse, product);
            }
            _beta.Gradient[unit] = VectorMath.Sum(sum);
            _gamma.Gradient[unit] = VectorMath.Sum(product);
            var scale = inverse * Vector512.Create(_gamma.Values[unit]);
            var meanGradient = Vector512.Create(Workspace.Training ? _beta.Gradient[unit] / samples : 0);
            var meanProduct = Vector512.Create(Workspace.Training ? _gamma.Gradient[unit] / samples : 0);
            for (var first = 0; first < padded; first += 16)
            {
                var normalized = (Vector512.Load(_input + At(unit, first)) - centre) * inverse;
                var gradient = Vector512.Load(Workspace.Gradient + At(unit, first)) - meanGradient - normalized * meanProduct;
                (gradient * scale & VectorMath.Present(first, samples)).Store(Workspace.Gradient + At(unit, first));
            }
        }
    }

    private long At(int unit, int sample) => Layout.Block(unit, sample, Units);
}
