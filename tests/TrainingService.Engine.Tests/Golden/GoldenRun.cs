using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Tests.Activations;
using TrainingService.Engine.Tests.Layers;
using TrainingService.Engine.Training;

namespace TrainingService.Engine.Tests.Golden;

/// <summary>
/// Takes one number of a golden file, the engine's, the allowed |actual - expected| / max(1, |expected|), and what it is.
/// </summary>
public delegate void GoldenCheck(double expected, double actual, double tolerance, string what);

/// <summary>What a golden file holds, played on the engine.</summary>
internal static class GoldenRun
{
    public static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>The cases of a file of any of the formats, told apart by what they hold.</summary>
    /// <exception cref="JsonException">It is none of them.</exception>
    public static IEnumerable<(string Case, Action<GoldenCheck> Play)> Cases(JsonElement file)
    {
        bool Has(string name) => file.ValueKind == JsonValueKind.Object && file.TryGetProperty(name, out _);
        if (Has("activations"))
            return Read<GoldenActivationFile>(file).Activations.Select(a => (a.Id, (Action<GoldenCheck>)(check => Play(a, check))));
        if (Has("schedules"))
        {
            var schedules = Read<GoldenScheduleFile>(file);
            return schedules.Schedules.Select(s => (s.Id, (Action<GoldenCheck>)(check => Play(s, schedules.Steps, check))));
        }
        if (Has("check") && Read<GoldenBig>(file) is var big)
            return [(big.Name, check => Play(big, check))];
        if (Has("parameters") && Read<GoldenTrajectory>(file) is var trajectory)
            return [(trajectory.Name, check => Play(trajectory, check))];
        throw new JsonException("it holds neither activations, schedules, a trajectory nor a generated trajectory");
    }

    public static void Play(GoldenActivation golden, GoldenCheck check)
    {
        var engine = ActivationHarness.Of(golden.Function);
        Points(golden.X, golden.F64, "");
        if (golden.Kinks is { } kinks)
            Points(kinks.X, kinks.F64, " at a kink");

        void Points(double[] x, GoldenValues expected, string where)
        {
            All(expected.F, engine.Values(x), golden.Tolerance.F, $"f{where}", check);
            All(expected.Df, engine.Derivatives(x), golden.Tolerance.Df, $"f'{where}", check);
            if (expected.Dslope is { } slopes)
                All(slopes, engine.SlopeDerivatives(x), golden.Tolerance.Df, $"df/dslope{where}", check);
        }
    }

    /// <summary>Errors are relative to the expected number itself: a rate is small by nature.</summary>
    public static void Play(GoldenSchedule golden, int steps, GoldenCheck check)
    {
        var rate = golden.Schedule.MaxLearningRate ?? golden.BaseLearningRate;
        var total = golden.Schedule.TotalSteps ?? steps;
        TrainingSpec training = new()
        {
            Epochs = 1,
            BatchSize = 1,
            Optimizer = new() { Name = "sgd", LearningRate = rate },
            Schedule = GoldenSpecs.Schedule(golden.Schedule)
        };
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(new(), training, new(), new(1, TargetKind.Classes, 2, total, 0, 0), errors)
            ?? throw new ArgumentException(errors[0].Message);
        for (var i = 0; i < golden.LearningRates.Length; i++)
        {
            Relative(golden.LearningRates[i], At(i).LearningRate, $"rate of update {i}");
            if (golden.Momenta is { } momenta)
                Relative(momenta[i], At(i).Momentum ?? double.NaN, $"momentum of update {i}");
        }

        (double LearningRate, double? Momentum) At(long step) => plan.Training.Schedule.At(step, plan.Training.Optimizer, plan.Steps);

        void Relative(double expected, double actual, string what)
        {
            const double tolerance = 1e-12;
            if (expected == 0)
                check(0, actual, tolerance, what);
            else
                check(1, actual / expected, tolerance, what);
        }
    }

    public static void Play(GoldenTrajectory golden, GoldenCheck check)
    {
        var (run, allowed, targets) = (golden.F64, golden.Tolerance, golden.TargetRows);
        PlayGradients(golden, null, run.GradientsStep1, check);
        if (run.ClippedGradientsStep1 is { } clipped)
            PlayGradients(golden, golden.ClipNorm, clipped, check);
        using var network = new EngineNetwork(golden.Layers, golden.Loss,
            GoldenSpecs.Optimizer(golden.Optimizer), golden.BatchSize, golden.ActivityL1, golden.ClipNorm);
        network.Set(golden.Initial);
        for (var step = 0; step < golden.Steps; step++)
        {
            Slopes(step);
            network.Load(golden.Inputs[golden.Rows(step)], targets[golden.Rows(step)]);
            network.Inner.Forward(step + 1);
            check(run.Losses[step], network.MeanLoss + network.MeanPenalty, allowed.Losses, $"loss of step {step + 1}");
            if (run.DataLosses is { } data)
                check(data[step], network.MeanLoss, allowed.Losses, $"data loss of step {step + 1}");
            if (run.Penalties is { } penalties)
                check(penalties[step], network.MeanPenalty, allowed.Losses, $"penalty of step {step + 1}");
            if (step == 0)
                Rows(run.LogitsStep1, network.Outputs(), allowed.Logits, "outputs of step 1", check);
            var norm = network.Backward();
            if (run.GradientNorms is { } norms)
                check(norms[step], norm, allowed.Losses, $"gradient norm of step {step + 1}");
            if (step > 0)
                continue;
            Named(run.ParametersStep1, network.Parameters(), allowed.ParametersStep1, "after step 1", check);
            Named(run.RunningStep1, network.Running(), allowed.ParametersStep1, "after step 1", check);
        }
        Slopes(golden.Steps);
        Named(run.ParametersEnd, network.Parameters(), allowed.ParametersEnd, "at the end", check);
        Named(run.RunningEnd, network.Running(), allowed.ParametersEnd, "at the end", check);
        network.Load(golden.Inputs[golden.Rows(0)], targets[golden.Rows(0)]);
        network.Inner.Forward();
        Rows(run.EvalLogits, network.Outputs(), allowed.Logits, "evaluated outputs", check);
        check(run.EvalLoss, network.MeanLoss, allowed.Losses, "evaluated loss");

        void Slopes(int step)
        {
            foreach (var (name, values) in run.Slopes ?? new Dictionary<string, double[][]>())
                All(values[step], network.Parameters()[name], allowed.ParametersEnd, $"{name} after step {step}", check);
        }
    }

    public static void Play(GoldenBig golden, GoldenCheck check)
    {
        var data = BigRun.Of(golden);
        using var network = new EngineNetwork(golden.Layers, golden.Loss,
            GoldenSpecs.Optimizer(golden.Optimizer), golden.BatchSize, golden.ActivityL1, golden.ClipNorm);
        network.Set(data.Parameters);
        for (var step = 0; step < golden.Steps; step++)
        {
            Load(step);
            network.Inner.Forward(step + 1);
            check(golden.F64.Losses[step], network.MeanLoss + network.MeanPenalty, golden.Tolerance.Losses, $"loss of step {step + 1}");
            network.Backward();
        }
        var end = network.Parameters();
        foreach (var (name, sums) in golden.F64.End)
        {
            check(sums.Sum, end[name].Sum(), golden.Tolerance.Checksums, $"sum of {name}");
            check(sums.SumOfSquares, end[name].Sum(v => v * v), golden.Tolerance.Checksums, $"squares of {name}");
        }
        Load(0);
        network.Inner.Forward();
        check(golden.F64.EvalLoss, network.MeanLoss, golden.Tolerance.Losses, "evaluated loss");

        void Load(int step)
        {
            var (inputs, labels) = data.Batch(golden, step);
            network.Load(inputs, labels);
        }
    }

    private static void PlayGradients(GoldenTrajectory golden, double? clipNorm,
        IReadOnlyDictionary<string, double[]> expected, GoldenCheck check)
    {
        using var network = new EngineNetwork(golden.Layers, golden.Loss, null, golden.BatchSize, golden.ActivityL1, clipNorm);
        network.Set(golden.Initial);
        network.Load(golden.Inputs[golden.Rows(0)], golden.TargetRows[golden.Rows(0)]);
        network.Inner.Forward(1);
        network.Backward();
        Named(expected, network.Gradients(), golden.Tolerance.GradientsStep1, clipNorm is null ? "gradient" : "clipped gradient", check);
    }

    private static T Read<T>(JsonElement file) => file.Deserialize<T>(Json)!;

    private static void Named(IReadOnlyDictionary<string, double[]>? expected,
        Dictionary<string, double[]> actual, double tolerance, string what, GoldenCheck check)
    {
        if (expected?.Keys.Concat(actual.Keys)
            .FirstOrDefault(name => !expected.ContainsKey(name) || !actual.ContainsKey(name)) is { } alone)
            throw new ArgumentException($"only one side has '{alone}'");
        foreach (var (name, values) in expected ?? new Dictionary<string, double[]>())
            All(values, actual[name], tolerance, $"{name} {what}", check);
    }

    private static void Rows(double[][] expected, double[][] actual, double tolerance, string what, GoldenCheck check) =>
        All([.. expected.SelectMany(r => r)], [.. actual.SelectMany(r => r)], tolerance, what, check);

    private static void All(double[] expected, double[] actual, double tolerance, string what, GoldenCheck check)
    {
        if (expected.Length != actual.Length)
            throw new ArgumentException($"{what}: {expected.Length} numbers are expected, but there are {actual.Length}");
        for (var i = 0; i < expected.Length; i++)
            check(expected[i], actual[i], tolerance, $"{what}[{i}]");
    }
}
