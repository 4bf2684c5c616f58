namespace TrainingService.Host.Studies;

/// <summary>All studies.</summary>
public static class StudyCatalog
{
    public static IReadOnlyList<Study> All { get; } =
    [
        new ReluVsLeakyRelu(), new InitPairing(), new DyingUnits(), new BornDeadNets(), new SparsityKnee(), new SlopeSweep(),
        new ActivationCost(), new Saturation(), new DropoutVsSparsity(), new DeadLayers(), new ZeroCentring(), new Capacity(),
    ];

    public static Study? Find(string name) => All.FirstOrDefault(study => study.Name == name);
}
