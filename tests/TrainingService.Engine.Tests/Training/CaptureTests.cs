using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>A run that is captured, thrown away and continued elsewhere is the run that went through, bit for bit.</summary>
public class CaptureTests
{
    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 12 };

    private static readonly ModelSpec Residual = new()
    {
        Layers =
        [
            Dense, new() { Type = "batch_norm" },
            new()
            {
                Type = "residual",
                Layers = [Dense, new() { Type = "batch_norm" }, new() { Type = "alpha_dropout", Rate = 0.2 }, Dense],
            },
            new() { Type = "layer_norm" }, Dense with { Activation = new() { Name = "prelu", Shared = false } },
            new() { Type = "dropout", Rate = 0.3 },
        ],
        Activation = new() { Name = "rrelu" },
        Initializer = new() { Name = "lsuv" },
    };

    public static TheoryData<string, TrainingSpec> Trainings => new()
    {
        { "adam", new() { Optimizer = new() { Name = "adam", LearningRate = 0.01 }, Schedule = new() { Name = "one_cycle" },
            EarlyStopping = new() { Patience = 2 } } },
        { "sgd", new() { Optimizer = new() { Name = "sgd", LearningRate = 0.5 }, ClipNorm = 0.5, ActivityL1 = 0.001,
            EarlyStopping = new() { Patience = 3, MinDelta = 0.01 } } },
        { "rmsprop", new() { Optimizer = new() { Name = "rmsprop", Momentum = 0.5 }, LabelSmoothing = 0.1,
            Schedule = new() { Name = "cosine", WarmupSteps = 5 } } },
        { "adamw", new() { Optimizer = new() { Name = "adamw" }, Schedule = new() { Name = "step", StepSize = 7 } } },
    };

    [Theory, MemberData(nameof(Trainings))]
    public void Goes_on_as_if_nothing_had_happened(string name, TrainingSpec training)
    {
        Assert.Equal(name, training.Optimizer!.Name);
        var data = Runs.Blobs();
        // 13 steps an epoch: in the middle of one, at its end, and in the last one
        var plan = Runs.Plan(data, Residual, training with { Epochs = 6, BatchSize = 16, Seed = 4 }, new() { EverySteps = 5 });
        var states = new Dictionary<long, byte[]>();
        var whole = Run(plan, data, 1, null, t =>
        {
            if (t.Progress.Step is 1 or 7 or 13 or 30 or 65 or 78)
                states[t.Progress.Step] = t.Capture();
        });
        Assert.True(states.Count >= 4);
        foreach (var (step, state) in states)
            foreach (var threads in new[] { 1, 2 })
            {
                var rest = Run(plan, data, threads, state, _ => { });
                // what is told at the end may be of an earlier step: that of the weights that early stopping returns to
                Assert.Equal(whole.Metrics.Where(m => m.Step > step || m.Split == Split.Test), rest.Metrics);
                var returned = whole.Result.WeightsStep < whole.Metrics.Max(m => m.Step);
                Assert.Equal(whole.Points.Where(p => p[0].Step > step || (returned && p == whole.Points[^1])).SelectMany(p => p),
                    rest.Points.SelectMany(p => p));
                Assert.Equal(Runs.Untimed(whole.Result), Runs.Untimed(rest.Result));
            }
    }

    /// <summary>Units that die and revive on the way, so that what is remembered of them is not trivial.</summary>
    [Fact]
    public void The_lives_of_units_go_on_elsewhere()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, new() { HiddenLayers = [40, 30], Normalization = "layer_norm" },
            new() { Epochs = 6, BatchSize = 16, Optimizer = new() { Name = "sgd", LearningRate = 0.5 } }, new() { EverySteps = 5 });
        var states = new Dictionary<long, byte[]>();
        var whole = Run(plan, data, 1, null, t =>
        {
            if (t.Progress.Step is 3 or 17 or 40)
                states[t.Progress.Step] = t.Capture();
        });
        Assert.Contains(whole.Units[0].Concat(whole.Units[1]), u => u.DiedAtStep is not null);
        Assert.Contains(whole.Points.SelectMany(p => p), p => p.RevivedFraction > 0);
        foreach (var (step, state) in states)
        {
            var rest = Run(plan, data, 1, state, _ => { });
            Assert.Equal(whole.Points.SelectMany(p => p).Where(p => p.Step > step), rest.Points.SelectMany(p => p));
            Assert.Equal(whole.Units[0], rest.Units[0]);
            Assert.Equal(whole.Units[1], rest.Units[1]);
        }
    }

    [Fact]
    public void A_restored_state_can_be_captured_again()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, Residual, new() { Epochs = 3, BatchSize = 16, EarlyStopping = new() });
        byte[] state = [], again = [];
        Run(plan, data, 1, null, t => state = t.Progress.Step == 20 ? t.Capture() : state);
        using var trainer = new Trainer(plan, data);
        trainer.Restore(state);
        Assert.Equal((20, 1), (trainer.Progress.Step, trainer.Progress.Epoch));
        again = trainer.Capture();
        Assert.Equal(state, again);
    }

    [Fact]
    public void A_cancelled_run_can_be_continued()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, Residual, new() { Epochs = 3, BatchSize = 16 });
        var whole = Run(plan, data, 1, null, _ => { });
        using var cancellation = new CancellationTokenSource();
        byte[] state = [];
        Assert.Throws<OperationCanceledException>(() => Run(plan, data, 1, null, t =>
        {
            if (t.Progress.Step != 17)
                return;
            state = t.Capture();
            cancellation.Cancel();
        }, cancellation));
        Assert.Equal(whole.Result.WeightsSha256, Run(plan, data, 1, state, _ => { }).Result.WeightsSha256);
    }

    private static readonly ModelSpec Small = new() { HiddenLayers = [4], Normalization = "batch_norm" };
    private static readonly TrainingSpec Stopping = new() { Epochs = 3, BatchSize = 16, EarlyStopping = new() };

    [Fact]
    public void A_state_of_another_plan_is_refused()
    {
        var data = Runs.Blobs();
        var state = StateOf(Small, Stopping, new());
        // in the model, its size being the same, in the training and in the diagnostics
        foreach (var other in new[]
        {
            Runs.Plan(data, Small with { Activation = new() { Name = "elu" } }, Stopping),
            Runs.Plan(data, Small, Stopping with { Seed = 2 }),
            Runs.Plan(data, Small, Stopping, new() { EverySteps = 7 }), Runs.Plan(data, Small with { HiddenLayers = [400] }, Stopping),
        })
            Refuses(other, state,
                "The captured training state belongs to another plan: the hash of its model, training, diagnostics and data shape is ");
    }

    [Fact]
    public void A_state_of_another_version_is_refused()
    {
        var state = StateOf(Small, Stopping, new());
        state[8] = 99;
        Refuses(Runs.Plan(Runs.Blobs(), Small, Stopping), state,
            "The captured training state has version 99, but this engine reads version 2.");
    }

    [Fact]
    public void Something_else_is_refused()
    {
        var plan = Runs.Plan(Runs.Blobs(), Small, Stopping);
        foreach (byte[] other in (byte[][])[[], [1, 2, 3], new byte[5000]])
            Refuses(plan, other, "This is no captured training state: it does not begin with TRAINRUN.");
    }

    [Fact]
    public void A_state_that_is_cut_short_is_refused()
    {
        var state = StateOf(Small, Stopping, new());
        var plan = Runs.Plan(Runs.Blobs(), Small, Stopping);
        Refuses(plan, state[..20], "The captured training state is cut short: 20 bytes do not even hold its head.");
        Refuses(plan, state[..60], "The captured training state is cut short: its contents have ");
        Refuses(plan, state[..^1], "The captured training state is cut short: its contents have ");
        Refuses(plan, [.. state, 0], "The captured training state has something appended: its contents have ");
    }

    [Fact]
    public void A_damaged_state_is_refused()
    {
        var state = StateOf(Small, Stopping, new());
        var plan = Runs.Plan(Runs.Blobs(), Small, Stopping);
        foreach (var place in new[] { 20, 60, state.Length / 2, state.Length - 1 })
        {
            var damaged = (byte[])state.Clone();
            damaged[place] ^= 1;
            Refuses(plan, damaged,
                "The captured training state is damaged: its bytes do not have the checksum that they were written with.");
        }
    }

    private static byte[] StateOf(ModelSpec model, TrainingSpec training, DiagnosticsSpec diagnostics)
    {
        var data = Runs.Blobs();
        byte[] state = [];
        Run(Runs.Plan(data, model, training, diagnostics), data, 1, null, t => state = t.Capture());
        return state;
    }

    /// <summary>With this sentence, or one that begins so, and without a trace in the trainer.</summary>
    private static void Refuses(RunPlan plan, byte[] state, string sentence)
    {
        using var trainer = new Trainer(plan, Runs.Blobs());
        var before = trainer.Capture();
        Assert.StartsWith(sentence, Assert.Throws<InvalidStateException>(() => trainer.Restore(state)).Message);
        Assert.Equal(before, trainer.Capture());
    }

    private static FinishedRun Run(RunPlan plan, TrainingData data, int threads, byte[]? state, Action<Trainer> after,
        CancellationTokenSource? cancellation = null)
    {
        using var trainer = new Trainer(plan, data, threads);
        var (metrics, points) = (new List<MetricPoint>(), new List<IReadOnlyList<LayerPoint>>());
        trainer.OnMetric = metrics.Add;
        trainer.OnLayers = points.Add;
        trainer.AfterStep = () => after(trainer);
        if (state is not null)
            trainer.Restore(state);
        var result = trainer.Run(cancellation?.Token ?? TestContext.Current.CancellationToken);
        return new(result, metrics, points, trainer.Layers) { Units = [.. trainer.Layers.Select(l => trainer.Units(l.Index))] };
    }
}
