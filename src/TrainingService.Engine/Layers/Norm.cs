namespace TrainingService.Engine.Layers;

/// <summary>What the norms share: y = gamma xhat + beta per unit, from 1 and 0 on.</summary>
internal abstract unsafe class Norm : Layer
{
    protected Norm(NormPlan plan, Workspace workspace) : base(workspace, plan.Units)
    {
        Plan = plan;
        Gamma = Layers.Parameters.Vector("gamma", plan.Units, workspace);
        Beta = Layers.Parameters.Vector("beta", plan.Units, workspace);
        new Span<float>(Gamma.Values, plan.Units).Fill(1);
        Parameters = [Gamma, Beta];
    }

    public override IReadOnlyList<Parameters> Parameters { get; }

    protected NormPlan Plan { get; }

    protected Parameters Gamma { get; }

    protected Parameters Beta { get; }
}
