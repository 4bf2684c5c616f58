using TrainingService.Engine.Activations;
using TrainingService.Engine.Kernels;

namespace TrainingService.Engine.Layers;

/// <summary>Dropout or alpha dropout while training; passes its input on when evaluating.</summary>
internal sealed unsafe class DropoutLayer : Layer
{
    private readonly double _rate;
    private readonly int _index;
    private readonly float _factor, _offset, _dropped;
    private readonly Action<int, int> _forward, _backward;
    private float* _input;

    public DropoutLayer(DropoutPlan plan, Workspace workspace, int index) : base(workspace, plan.Units)
    {
        (_rate, _index) = (plan.Rate, index);
        (_factor, _offset, _dropped) = plan.Alpha ? AlphaConstants(plan.Rate) : ((float)(1 / (1 - plan.Rate)), 0, 0);
        _forward = Forward;
        _backward = Backward;
    }

    public override void Forward(float* input)
    {
        _input = input;
        Workspace.Team.Split(Workspace.Blocks, _forward);
    }

    public override void Backward(float* input, bool wanted)
    {
        if (wanted && Workspace.Training)
            Workspace.Team.Split(Workspace.Blocks, _backward);
    }

    /// <summary>
    /// Dropped entries become a' = -scale alpha, then all go through a x + b with a = (q + a'^2 q (1 - q))^(-1/2), b = -a (1 - q) a',
    /// q = 1 - rate (Klambauer et al. 2017, section 2).
    /// </summary>
    internal static (float Factor, float Offset, float Dropped) AlphaConstants(double rate)
    {
        double kept = 1 - rate, low = -Selu.Scale * Selu.Alpha;
        var a = 1 / Math.Sqrt(kept + low * low * kept * rate);
        var b = -a * rate * low;
        return ((float)a, (float)b, (float)(a * low + b));
    }

    private void Forward(int from, int to)
    {
        if (Workspace.Training)
            Dropout.Apply(_input, Output, Units, from, to, _rate, _factor, _offset,
                _dropped, Noise.Key(Workspace.Seed, _index, Workspace.Step));
        else
            new Span<float>(_input + (long)from * Units * 32, (to - from) * Units * 32)
                .CopyTo(new(Output + (long)from * Units * 32, (to - from) * Units * 32));
    }

    private void Backward(int from, int to) =>
        Dropout.Apply(Gradient, Gradient, Units, from, to, _rate, _factor, 0, 0, Noise.Key(Workspace.Seed, _index, Workspace.Step));
}
