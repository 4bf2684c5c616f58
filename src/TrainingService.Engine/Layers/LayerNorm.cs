using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>
/// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance over each sample's units (Ba, Kiros &amp; Hinton 2016).
/// </summary>
internal sealed unsafe class LayerNorm : Norm
{
    private readonly FloatBuffer _mean, _inverse;
    private readonly Action<int, int> _forward, _parameterGradients, _backward;
    private float* _input;

    public LayerNorm(LayerNormPlan plan, Workspace workspace) : base(plan, workspace)
    {
        _mean = workspace.NewBuffer(workspace.Capacity);
        _inverse = workspace.NewBuffer(workspace.Capacity);
        _forward = Forward;
        _parameterGradients = ParameterGradients;
        _backward = Backward;
    }

    public override void Forward(float* input)
    {
        _input = input;
        Workspace.Team.Split(Workspace.Blocks, _forward);
    }

    public override void Backward(float* input, bool wanted)
    {
        _input = input;
        Workspace.Team.Split(Units, _parameterGradients);
        if (wanted)
            Workspace.Team.Split(Workspace.Blocks, _backward);
        Update(Gamma);
        Update(Beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Forward(int from, int to)
    {
        float* output = Output, gamma = Gamma.Values, beta = Beta.Values;
        for (var first = from * 32; first < to * 32; first += 16)
        {
            var at = Layout.Block(0, first, Units);
            Vector512<float> sum = default, squares = default;
            for (var unit = 0; unit < Units; unit++)
                sum += Vector512.Load(_input + at + unit * 32);
            var mean = sum / Vector512.Create((float)Units);
            for (var unit = 0; unit < Units; unit++)
            {
                var difference = Vector512.Load(_input + at + unit * 32) - mean;
                squares = Vector512.FusedMultiplyAdd(difference, difference, squares);
            }
            var inverse =
                Vector512<float>.One / Vector512.Sqrt(squares / Vector512.Create((float)Units) + Vector512.Create((float)Plan.Epsilon));
            mean.Store(_mean.At(first, 16));
            inverse.Store(_inverse.At(first, 16));
            for (var unit = 0; unit < Units; unit++)
            {
                var normalized = (Vector512.Load(_input + at + unit * 32) - mean) * inverse;
                Vector512.FusedMultiplyAdd(normalized, Vector512.Create(gamma[unit]), Vector512.Create(beta[unit]))
                    .Store(output + at + unit * 32);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ParameterGradients(int from, int to)
    {
        var gradients = Gradient;
        for (var unit = from; unit < to; unit++)
        {
            Vector512<float> sum = default, product = default;
            for (var first = 0; first < Workspace.Blocks * 32; first += 16)
            {
                var at = Layout.Block(unit, first, Units);
                var gradient = Vector512.Load(gradients + at);
                sum += gradient;
                var normalized =
                    (Vector512.Load(_input + at) - Vector512.Load(_mean.At(first, 16))) * Vector512.Load(_inverse.At(first, 16));
                product = Vector512.FusedMultiplyAdd(gradient, normalized, product);
            }
            Beta.Gradient[unit] = VectorMath.Sum(sum);
            Gamma.Gradient[unit] = VectorMath.Sum(product);
        }
    }

    /// <summary>
    /// With g = gamma dy: dx = (g - mean(g) - xhat mean(g xhat)) / sqrt(variance + epsilon), the means over the sample's units.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Backward(int from, int to)
    {
        float* gradients = Gradient, gamma = Gamma.Values;
        for (var first = from * 32; first < to * 32; first += 16)
        {
            var at = Layout.Block(0, first, Units);
            Vector512<float> mean = Vector512.Load(_mean.At(first, 16)),
                inverse = Vector512.Load(_inverse.At(first, 16)), sum = default, product = default;
            for (var unit = 0; unit < Units; unit++)
            {
                var gradient = Vector512.Load(gradients + at + unit * 32) * Vector512.Create(gamma[unit]);
                sum += gradient;
                product = Vector512.FusedMultiplyAdd(gradient, (Vector512.Load(_input + at + unit * 32) - mean) * inverse, product);
            }
            Vector512<float> meanGradient = sum / Vector512.Create((float)Units), meanProduct = product / Vector512.Create((float)Units);
            for (var unit = 0; unit < Units; unit++)
            {
                var normalized = (Vector512.Load(_input + at + unit * 32) - mean) * inverse;
                var gradient = Vector512.Load(gradients + at + unit * 32) * Vector512.Create(gamma[unit]);
                ((gradient - meanGradient - normalized * meanProduct) * inverse).Store(gradients + at + unit * 32);
            }
        }
    }
}
