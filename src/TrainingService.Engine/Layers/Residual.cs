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
        _straight = new((long)workspace.Capacity * plan.Units);
    }

    public Sequence Branch { get; }

    public override IReadOnlyList<Parameters> Parameters { get; }

    public override IEnumerable<FloatBuffer> State => Branch.Layers.SelectMany(l => l.State);

    public override void Forward(float* input) =>
        Reduction.Add(input, Branch.Forward(input), Output, Count);

    public override void Backward(float* input, bool wanted)
    {
        new Span<float>(Workspace.Gradient, Count).CopyTo(new(_straight.Pointer, Count));
        Branch.Backward(input, wanted);
        if (wanted)
            Reduction.Add(Workspace.Gradient, _straight.Pointer, Workspace.Gradient, Count);
    }

    public override void Dispose()
    {
        foreach (var layer in Branch.Layers)
            layer.Dispose();
        _straight.Dispose();
        base.Dispose();
    }

    private int Count => Workspace.Blocks * 32 * Units;
}
