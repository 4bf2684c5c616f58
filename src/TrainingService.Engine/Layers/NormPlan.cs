using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Layers;

/// <summary>(x - mean) / sqrt(variance + epsilon) * gamma + beta.</summary>
internal abstract record NormPlan(int Units, double Epsilon) : LayerPlan(Units)
{
    public override long Parameters => 2L * Units;

    public override long PaddedParameters => 2L * Layout.Padded(Units);
}
