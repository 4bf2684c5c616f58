using TrainingService.Engine.Activations;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Layers;

/// <summary>h = f(z), with the slopes where they are learned.</summary>
internal sealed unsafe class ActivationLayer : Layer
{
    private readonly ActivationPlan _plan;
    private readonly int _index, _slopeStride;
    private readonly Parameters? _slopes;
    private readonly Action<int, int> _forward, _backward;
    private readonly Memory.FloatBuffer _unitGradients;
    private float* _input;

    public ActivationLayer(ActivationPlan plan, Workspace workspace, int index) : base(workspace, plan.Units)
    {
        (_plan, _index) = (plan, index);
        Function = plan.Function.Bind();
        _slopeStride = plan.Slopes > 1 ? 1 : 0;
        _slopes = plan.Slopes > 0 ? Layers.Parameters.Vector("slope", plan.Slopes, workspace) : null;
        _slopes?.Set(Enumerable.Repeat((float)(plan.Function.Slope?.Initial ?? 0), plan.Slopes).ToArray());
        _unitGradients = workspace.NewBuffer(plan.Slopes > 0 ? plan.Units : 0);
        Parameters = _slopes is null ? [] : [_slopes];
        _forward = Forward;
        _backward = Backward;
    }

    public Activation Function { get; }

    public override IReadOnlyList<Parameters> Parameters { get; }

    /// <summary>Null where no slope is learned.</summary>
    public Parameters? Slopes => _slopes;

    public int SlopeStride => _slopeStride;

    private float* SlopeValues => _slopes is null ? null : _slopes.Values;

    private ulong Key => Workspace.Training ? Noise.Key(Workspace.Seed, _index, Workspace.Step) : 0;

    public override void Forward(float* input)
    {
        _input = input;
        Workspace.Team.Split(Workspace.Blocks, _forward);
    }

    public override void Backward(float* input, bool wanted)
    {
        _input = input;
        Workspace.Team.Split(Units, _backward);
        Observe();
        if (_slopes is null)
            return;
        if (_slopeStride == 1)
        {
            _unitGradients.Span(0, Units).CopyTo(new(_slopes.Gradient, Units));
        }
        else
        {
            double sum = 0;
            foreach (var gradient in _unitGradients.Span(0, Units))
                sum += gradient;
            *_slopes.Gradient = (float)sum;
        }
        Update(_slopes);
    }

    private void Forward(int from, int to) =>
        Function.Forward(_input, Output, Units, from, to, SlopeValues, _slopeStride, Key);

    private void Backward(int from, int to) => Function.Backward(_input, Output, Gradient, Units,
        Workspace.Samples, from, to, SlopeValues, _slopeStride, _unitGradients.All, Key, Workspace.ActivityL1);
}
