using System.Text.Json;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>An activation with its parameters; names and defaults as in the golden files.</summary>
public sealed record GoldenFunction
{
    public required string Name { get; init; }
    public double? NegativeSlope { get; init; }
    public double? Init { get; init; }
    public bool? PerUnit { get; init; }
    public double? Alpha { get; init; }
    public double? Min { get; init; }
    public double? Max { get; init; }
    public double? Beta { get; init; }
    public double? Threshold { get; init; }
    public double? Lambda { get; init; }
    public double? Lower { get; init; }
    public double? Upper { get; init; }
    public string? Approximate { get; init; }
}

public sealed record GoldenActivationFile(IReadOnlyList<GoldenActivation> Activations);

public sealed record GoldenActivation(string Id, GoldenFunction Function, double[] X, GoldenValues F64, GoldenValueTolerance Tolerance,
    GoldenKinks? Kinks = null);

public sealed record GoldenValues(double[] F, double[] Df, double[]? Dslope = null);

public sealed record GoldenValueTolerance(double F, double Df);

/// <summary>Points where f or f' jumps.</summary>
public sealed record GoldenKinks(double[] X, GoldenValues F64);

/// <summary>A whole small training run.</summary>
public sealed record GoldenTrajectory
{
    public required string Name { get; init; }
    public required IReadOnlyList<GoldenLayer> Layers { get; init; }
    public required GoldenLoss Loss { get; init; }
    public required GoldenOptimizer Optimizer { get; init; }
    public double ActivityL1 { get; init; }
    public double? ClipNorm { get; init; }
    public int BatchSize { get; init; }
    public int Batches { get; init; }
    public int Steps { get; init; }
    public required IReadOnlyDictionary<string, GoldenParameter> Parameters { get; init; }
    public required double[][] Inputs { get; init; }
    public required JsonElement Targets { get; init; }
    public required GoldenNumbers F64 { get; init; }
    public required GoldenTolerance Tolerance { get; init; }

    /// <summary>A row each: the class, or the numbers.</summary>
    public double[][] TargetRows =>
        [.. Targets.EnumerateArray().Select(t => t.ValueKind == JsonValueKind.Array ? t.Deserialize<double[]>()! : [t.GetDouble()])];

    public IReadOnlyDictionary<string, double[]> Initial => Parameters.ToDictionary(p => p.Key, p => p.Value.Initial);

    /// <summary>The rows of a step, counted from 0.</summary>
    public Range Rows(int step) => (step % Batches * BatchSize)..((step % Batches + 1) * BatchSize);
}

public sealed record GoldenLayer
{
    public required string Type { get; init; }
    public string? Name { get; init; }
    public int In { get; init; }
    public int Out { get; init; }
    public int Units { get; init; }
    public double Rate { get; init; }
    public double Epsilon { get; init; }
    public double Momentum { get; init; }
    public GoldenFunction? Function { get; init; }
    public IReadOnlyList<GoldenLayer>? Layers { get; init; }
}

public sealed record GoldenLoss(string Name, double LabelSmoothing = 0, double Delta = 1)
{
    /// <summary>Whether a target is the number of a class.</summary>
    public bool Classes => Name is "cross_entropy" or "binary_cross_entropy";
}

public sealed record GoldenOptimizer
{
    public required string Name { get; init; }
    public double LearningRate { get; init; }
    public double Momentum { get; init; }
    public bool Nesterov { get; init; }
    public double WeightDecay { get; init; }
    public double Beta1 { get; init; }
    public double Beta2 { get; init; }
    public double Alpha { get; init; }
    public double Epsilon { get; init; }
}

public sealed record GoldenParameter(int[] Shape, double[] Initial);

public sealed record GoldenNumbers
{
    public required double[] Losses { get; init; }
    public double[]? DataLosses { get; init; }
    public double[]? Penalties { get; init; }
    public double[]? GradientNorms { get; init; }
    public required double[][] LogitsStep1 { get; init; }
    public required IReadOnlyDictionary<string, double[]> GradientsStep1 { get; init; }
    public IReadOnlyDictionary<string, double[]>? ClippedGradientsStep1 { get; init; }
    public required IReadOnlyDictionary<string, double[]> ParametersStep1 { get; init; }
    public required IReadOnlyDictionary<string, double[]> ParametersEnd { get; init; }
    public IReadOnlyDictionary<string, double[]>? RunningStep1 { get; init; }
    public IReadOnlyDictionary<string, double[]>? RunningEnd { get; init; }
    public IReadOnlyDictionary<string, double[][]>? Slopes { get; init; }
    public required double[][] EvalLogits { get; init; }
    public double EvalLoss { get; init; }
}

public sealed record GoldenTolerance(double Losses, double Logits, double GradientsStep1, double ParametersStep1, double ParametersEnd);

/// <summary>A larger run whose weights and data come from <see cref="SplitMix64"/>.</summary>
public sealed record GoldenBig
{
    public required string Name { get; init; }
    public ulong Seed { get; init; }
    public required IReadOnlyList<GoldenLayer> Layers { get; init; }
    public required GoldenLoss Loss { get; init; }
    public required GoldenOptimizer Optimizer { get; init; }
    public double ActivityL1 { get; init; }
    public double? ClipNorm { get; init; }
    public int BatchSize { get; init; }
    public int Batches { get; init; }
    public int Steps { get; init; }
    public int Classes { get; init; }
    public required GoldenBigCheck Check { get; init; }
    public required GoldenBigRun F64 { get; init; }
    public required GoldenBigTolerance Tolerance { get; init; }
}

public sealed record GoldenBigCheck(double[] FirstWeights, double[] FirstInputs,
    int[] FirstLabels, IReadOnlyDictionary<string, GoldenSums> Initial);

public sealed record GoldenBigRun(double[] Losses, IReadOnlyDictionary<string, GoldenSums> End, double EvalLoss);

public sealed record GoldenSums(double Sum, double SumOfSquares);

public sealed record GoldenBigTolerance(double Losses, double Checksums);

public sealed record GoldenScheduleFile(int Steps, IReadOnlyList<GoldenSchedule> Schedules);

public sealed record GoldenSchedule(string Id, GoldenScheduleSpec Schedule,
    double BaseLearningRate, double[] LearningRates, double[]? Momenta = null);

public sealed record GoldenScheduleSpec
{
    public required string Name { get; init; }
    public int? StepSize { get; init; }
    public double? Gamma { get; init; }
    public int? TMax { get; init; }
    public double? EtaMin { get; init; }
    public double? MaxLearningRate { get; init; }
    public int? TotalSteps { get; init; }
    public double? PctStart { get; init; }
    public double? DivFactor { get; init; }
    public double? FinalDivFactor { get; init; }
    public bool? CycleMomentum { get; init; }
    public double? BaseMomentum { get; init; }
    public double? MaxMomentum { get; init; }
}
