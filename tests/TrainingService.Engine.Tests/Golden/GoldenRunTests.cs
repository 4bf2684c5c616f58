using TrainingService.Engine.Layers;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Tests.Layers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>The engine's numbers against PyTorch's, within the tolerances of the files.</summary>
[Trait("Category", "Kernel")]
public class GoldenRunTests
{
    public static TheoryData<string> Trajectories => [.. GoldenFiles.TrajectoryNames];

    public static TheoryData<string> Activations => [.. GoldenFiles.Activations.Select(a => a.Id)];

    public static TheoryData<string> Schedules => [.. GoldenFiles.Schedules().Schedules.Select(s => s.Id)];

    [Theory, MemberData(nameof(Trajectories))]
    public void Trains_like_PyTorch(string name) => GoldenRun.Play(GoldenFiles.Trajectory(name), Close.Assert);

    [Fact]
    public void Follows_the_larger_generated_run() => GoldenRun.Play(GoldenFiles.Big(), Close.Assert);

    [Theory, MemberData(nameof(Activations))]
    public void Activations_are_PyTorchs(string id) => GoldenRun.Play(GoldenFiles.Activation(id), Close.Assert);

    [Theory, MemberData(nameof(Schedules))]
    public void Schedules_are_PyTorchs(string id)
    {
        var file = GoldenFiles.Schedules();
        GoldenRun.Play(file.Schedules.Single(s => s.Id == id), file.Steps, Close.Assert);
    }

    [Theory, MemberData(nameof(Trajectories))]
    public void A_user_can_order_the_same_network(string name)
    {
        var golden = GoldenFiles.Trajectory(name);
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(GoldenSpecs.Model(golden), GoldenSpecs.Training(golden), new(), GoldenSpecs.Data(golden), errors);
        Assert.Empty(errors);
        Assert.Equal(Flat(EngineNetwork.Plans(golden.Layers)), Flat(plan!.Layers));
        Assert.Equal(GoldenSpecs.Optimizer(golden.Optimizer), plan.Training.Optimizer.Spec);
    }

    /// <summary>Without what a golden file does not tell: names and initialisers.</summary>
    private static IEnumerable<LayerPlan> Flat(IEnumerable<LayerPlan> layers) => layers.SelectMany(layer => layer switch
    {
        LinearPlan linear => [linear with { Name = "", Initializer = null!, BiasInitializer = null!, Activation = null! }],
        ResidualPlan residual => Flat(residual.Branch).Append(residual with { Branch = [] }),
        _ => (IEnumerable<LayerPlan>)[layer],
    });
}
