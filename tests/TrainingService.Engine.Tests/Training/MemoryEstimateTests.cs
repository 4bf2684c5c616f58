using System.Collections;
using System.Diagnostics;
using System.Reflection;
using System.Text.RegularExpressions;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>
/// What a plan promised against what its trainer really holds, found by walking its objects, and against what a process really takes.
/// </summary>
public partial class MemoryEstimateTests
{
    [Theory]
    [InlineData("sgd", 0, 64, 30, 20)]
    [InlineData("sgd", 0.9, 100, 700, 500)]
    [InlineData("adam", 0, 1000, 2000, 1000)]
    [InlineData("adam", 0, 7, 3, 3)]
    public void The_estimate_covers_the_buffers_and_is_not_far_above(string optimizer, double momentum, int batch, int first, int second)
    {
        var data = Runs.Blobs(train: 2000);
        OptimizerSpec spec = optimizer == "sgd" ? new() { Name = "sgd", Momentum = momentum } : new() { Name = "adam" };
        LayerSpec dense = new() { Type = "dense", Units = second };
        foreach (var (model, clip) in new (ModelSpec, double?)[]
        {
            (new() { HiddenLayers = [first, second] }, null),
            (new() { HiddenLayers = [first, second], Dropout = 0.5, Normalization = "batch_norm" }, 1),
            (new() { Layers = [dense, new() { Type = "residual", Layers = [new() { Type = "layer_norm" }, dense] }] }, null),
        })
        {
            var plan = Runs.Plan(data, model, new() { Epochs = 1, BatchSize = batch, Optimizer = spec, ClipNorm = clip });
            using var trainer = new Trainer(plan, data);
            var held = Held(trainer, []);
            // lists of rows and the like are not worth their place in the formula
            Assert.InRange(plan.MemoryBytes, held * 0.98 - 32_768, held * 1.25 + 65_536);
            var state = trainer.Capture().Length;
            Assert.InRange(plan.StateBytes, state * 0.98 - 32_768, state * 1.25 + 65_536);
        }
    }

    private sealed record Shape(ModelSpec Model, TrainingSpec Training,
        DiagnosticsSpec Diagnostics, int Rows = 200, int Features = 20, bool Number = false)
    {
        public DataShape Data => new(Features, Number ? TargetKind.Number : TargetKind.Classes, Number ? 0 : 3, Rows, 100, 100);

        public RunPlan Plan => Runs.Plan(new(Data, Empty, null, null), Model, Training, Diagnostics);

        /// <summary>The same kinds of layers, but so small that they take next to nothing.</summary>
        public Shape Small => this with
        {
            Model = Model with
            {
                HiddenLayers = Model.HiddenLayers is null ? null : [40, 40],
                Layers = Model.Layers is null ? null : Layers(40),
            },
            Training = Training with { BatchSize = 64 },
            Rows = 70,
        };

        private static DataSplit Empty => new(0, [], [], []);
    }

    private static readonly TrainingSpec Short = new() { Epochs = 2, BatchSize = 64 };
    private static readonly TrainingSpec Adam = Short with { Optimizer = new() { Name = "adam", LearningRate = 1e-4 } };
    private static readonly DiagnosticsSpec Few = new() { EvaluationRows = 100 };

    private static readonly Dictionary<string, Shape> Shapes = new()
    {
        ["tiny"] = new(new() { HiddenLayers = [8] }, Short, Few),
        ["wide"] = new(new() { HiddenLayers = [3000, 3000] }, Short, Few),
        ["deep"] = new(new() { HiddenLayers = [.. Enumerable.Repeat(300, 200)] }, Short, Few),
        ["adam"] = new(new() { HiddenLayers = [2500, 2500] }, Adam, Few),
        ["early stopping"] = new(new() { HiddenLayers = [2500, 2500] }, Adam with { EarlyStopping = new() }, Few),
        ["clipped"] = new(new() { HiddenLayers = [2500, 2500] }, Short with { ClipNorm = 1 }, Few),
        ["effective rank"] = new(new() { HiddenLayers = [600, 600] }, Short with { BatchSize = 1000 },
            new() { EvaluationRows = 4000, EffectiveRank = true }, 4000),
        ["batch norm"] = new(new() { HiddenLayers = [1500, 1500, 1500], Normalization = "batch_norm" },
            Short with { BatchSize = 2000 }, Few, 4000),
        ["residual"] = new(new() { Layers = Layers(1200) }, Short with { BatchSize = 1000 }, Few, 2000),
        ["many rows"] = new(new() { HiddenLayers = [32] }, Short with { Epochs = 1, BatchSize = 1000 }, Few, 1_000_000),
        ["orthogonal"] = new(new() { HiddenLayers = [1500, 1500], Initializer = new() { Name = "orthogonal" } }, Short, Few),
        ["one feature"] = new(new() { HiddenLayers = [60_000] }, Short, Few, Features: 1, Number: true),
    };

    private static LayerSpec[] Layers(int units)
    {
        LayerSpec dense = new() { Type = "dense", Units = units };
        LayerSpec block = new() { Type = "residual", Layers = [new() { Type = "layer_norm" }, dense, dense] };
        return [dense, block, block, block];
    }

    public static TheoryData<string> Names => [.. Shapes.Keys];

    private const string Variable = "TRAININGSERVICE_TESTS_MEMORY";

    /// <summary>Of this program in a process of its own. What is below the noise of the collector counts as nothing.</summary>
    [Theory, MemberData(nameof(Names)), Trait("Category", "Slow")]
    public async Task The_estimate_is_within_15_percent_of_a_run_in_a_process_of_its_own(string name)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "peaks are read from /proc");
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "TrainingService.Engine.Tests"),
            ["-method", $"{typeof(MemoryEstimateTests).FullName}.{nameof(A_child_tells_its_peak)}", "-noColor"])
        {
            Environment = { [Variable] = name },
            RedirectStandardOutput = true,
        };
        using var child = Process.Start(start);
        Assert.NotNull(child);
        var output = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        var told = PeakLine().Match(output);
        Assert.True(told.Success, output);
        var (peak, estimate) = (long.Parse(told.Groups[1].Value), Shapes[name].Plan.MemoryBytes);
        TestContext.Current.TestOutputHelper?.WriteLine($"estimate {estimate / 1e6:F1} MB, peak {peak / 1e6:F1} MB");
        Assert.InRange(estimate, 0.85 * peak - 2e6, 1.15 * peak + 2e6);
    }

    [Fact]
    public void A_child_tells_its_peak()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } name)
            return;
        // the code itself, and what else the runtime needs to run it
        Train(Shapes[name].Small);
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        File.WriteAllText("/proc/self/clear_refs", "5");
        var before = Bytes("VmRSS");
        Train(Shapes[name]);
        Console.WriteLine($"peak: {Bytes("VmHWM") - before}");
    }

    /// <summary>As a worker does, with the units at the end.</summary>
    private static void Train(Shape shape)
    {
        TrainingData data = new(shape.Data, Split(shape.Data, shape.Rows),
            Split(shape.Data, shape.Data.ValidationRows), Split(shape.Data, shape.Data.TestRows));
        using var trainer = new Trainer(shape.Plan, data);
        trainer.Run(TestContext.Current.CancellationToken);
        IReadOnlyList<UnitPoint>[] units = [.. trainer.Layers.Select(l => trainer.Units(l.Index))];
        GC.KeepAlive(data);
        GC.KeepAlive(units);
    }

    private static DataSplit Split(DataShape shape, int rows)
    {
        var random = new RandomStream(1, StreamPurpose.Order, rows);
        var (features, classes) = (new float[rows * shape.Features], shape.Target == TargetKind.Classes);
        foreach (ref var value in features.AsSpan())
            value = (float)random.Uniform();
        var (labels, values) = (new int[classes ? rows : 0], new float[classes ? 0 : rows]);
        foreach (ref var label in labels.AsSpan())
            label = random.Below(shape.Classes);
        foreach (ref var value in values.AsSpan())
            value = (float)random.Uniform();
        return new(rows, features, labels, values);
    }

    /// <summary>Resident memory, in kB there.</summary>
    private static long Bytes(string name) =>
        1024 * long.Parse(File.ReadLines("/proc/self/status")
            .First(line => line.StartsWith(name + ":", StringComparison.Ordinal)).Split('\t', ' ')[^2]);

    [GeneratedRegex(@"peak: (-?\d+)")]
    private static partial Regex PeakLine();

    /// <summary>Bytes of all native buffers and arrays of numbers reachable from an object.</summary>
    private static long Held(object? item, HashSet<object> seen)
    {
        if (item is null or string or Pointer or MemberInfo or Delegate || item.GetType().IsPrimitive || !seen.Add(item))
            return 0;
        if (item is FloatBuffer buffer)
            return buffer.Length * sizeof(float);
        if (item is Array array && array.GetType().GetElementType()!.IsPrimitive)
            return Buffer.ByteLength(array);
        if (item is IEnumerable sequence)
            return sequence.Cast<object?>().Sum(e => Held(e, seen));
        if (item.GetType().Namespace?.StartsWith("TrainingService", StringComparison.Ordinal) != true)
            return 0;
        long sum = 0;
        for (var type = item.GetType(); type is not null; type = type.BaseType)
            sum += type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
                .Where(f => !f.FieldType.IsPointer).Sum(f => Held(f.GetValue(item), seen));
        return sum;
    }
}
