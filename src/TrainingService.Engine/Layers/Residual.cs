using TrainingService.Engine.Kernels;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>x + branch(x) (He, Zhang, Ren &amp; Sun 2016, Deep residual learning, eq. 1).</summary>
internal sealed unsafe class Residual : Layer
{
    private readonly FloatBuffer _straight;

    public Residual(ResidualPlan plan, Workspace workspace, ref LayerIndices next) : base(workspace, plan.Units)
    {
        Branch = Sequence.Create(plan.Branch, workspace, ref next);
        Parameters = [.. Branch.Layers.SelectMany(l => l.Parameters)];
        _straight = workspace.NewBuffer((long)workspace.Capacity * plan.Units);
    }

    public Sequence Branch { get; }

    public override IReadOnlyList<Parameters> Parameters { get; }

    public override IEnumerable<FloatBuffer> Learned => Branch.Layers.SelectMany(l => l.Learned);

    public override void Learn(ref TensorReader numbers) => Branch.Learn(ref numbers);

    public override void Tell(ref Span<float> numbers) => Branch.Tell(ref numbers);

    public override void Forward(float* input) =>
        Reduction.Add(input, Branch.Forward(input), Output, (int)Count);

    public override void Backward(float* input, bool wanted)
    {
        var count = (int)Count;
        new Span<float>(Gradient, count).CopyTo(_straight.Span(0, count));
        Branch.Backward(input, wanted);
        if (wanted)
            Reduction.Add(Gradient, _straight.At(0, count), Gradient, count);
    }
}
