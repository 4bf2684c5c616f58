using System.Diagnostics;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Prediction;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>A start that is cancelled ends soon; one that is cancelled or fails leaves neither native memory nor threads behind.</summary>
public unsafe class FailedStartTests
{
    // threads come and go with other tests: what is left behind must stand out
    private const int Attempts = 40, Threads = 4, Others = 60;

    private static readonly Initializer Zeros = InitializerRegistry.Standard("zeros");
    private static readonly LinearPlan Four = new("four", 4, 4, Zeros, Zeros, ActivationRegistry.Standard("identity"));
    private static readonly CancellationToken Cancelled = new(canceled: true);

    private sealed record Unbuildable() : LayerPlan(4)
    {
        public override NetStep Step(string place, StoredTensors tensors) => throw new ArgumentException("no such layer");

        public override Layer Create(Workspace workspace, ref LayerIndices next) => throw new ArgumentException("no such layer");

        public override PreflightSignal Predict(PreflightWalk walk, PreflightSignal x) => throw new ArgumentException("no such layer");
    }

    [Fact]
    public void A_network_that_fails_in_the_middle_leaves_nothing_behind() => LeavesNothing(() =>
        Assert.Throws<ArgumentException>(
            () => Network([Four, new BatchNormPlan(4, 1e-5, 0.1), new ResidualPlan(4, [Four, new Unbuildable()])], Threads)));

    [Fact]
    public void A_network_without_threads_leaves_no_buffers_behind() => LeavesNothing(() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Network([Four], threads: 0)));

    [Fact]
    public void A_trainer_that_is_cancelled_leaves_nothing_behind() => LeavesNothing(() =>
    {
        var data = Runs.Blobs();
        Assert.Throws<OperationCanceledException>(() => new Trainer(Runs.Plan(data), data, Threads, Cancelled));
    });

    /// <summary>The layer's Gram-Schmidt takes half a minute, in which the cancellation falls.</summary>
    [Fact]
    public void A_wide_orthogonal_layer_can_be_cancelled_while_it_is_made()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, new() { HiddenLayers = [3500, 3500], Initializer = new() { Name = "orthogonal" } });
        using var cancellation = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
        var held = FloatBuffer.Held;
        Assert.Throws<OperationCanceledException>(() => new Trainer(plan, data, 1, cancellation.Token));
        Assert.Equal(held, FloatBuffer.Held);
    }

    [Fact]
    public void Every_initializer_can_be_cancelled()
    {
        float[] weight = new float[12], bias = new float[4];
        foreach (var info in InitializerRegistry.All)
        {
            var initializer = InitializerRegistry.Standard(info.Name);
            Fans fans = new(3, 4, ActivationRegistry.Standard("relu"));
            Assert.Throws<OperationCanceledException>(() =>
            {
                fixed (float* w = weight, b = bias)
                    Initializer.Fill(initializer, Zeros, fans, 1, 0, new(w, 4, 3, panels: false), default, Cancelled);
            });
        }
    }

    [Fact]
    public void Scaling_on_a_batch_can_be_cancelled()
    {
        var data = Runs.Blobs(features: 4);
        using var network = Network([Four], 1);
        network.Cancellation = Cancelled;
        Assert.Throws<OperationCanceledException>(() => network.ScaleToUnitVariance(_ => true, data.Train, [0, 1, 2]));
    }

    [Fact]
    public void A_pre_flight_can_be_cancelled()
    {
        var data = Runs.Blobs();
        Assert.Throws<OperationCanceledException>(() => Preflight.Predict(Runs.Plan(data), data, Cancelled));
        PreflightSignal signal = new(4, [0], [1], false, 0, default);
        Assert.Throws<OperationCanceledException>(() => new PreflightWalk(1, Cancelled).Forward([Four], signal));
        using var later = new CancellationTokenSource();
        var walk = new PreflightWalk(1, later.Token);
        walk.Forward([Four], signal);
        later.Cancel();
        Assert.Throws<OperationCanceledException>(() => walk.Backward(new([1], [1], default)));
    }

    private static Network Network(IReadOnlyList<LayerPlan> layers, int threads) =>
        new(layers, 4, new MeanSquaredError(true), 2, 32, 1, threads);

    private static void LeavesNothing(Action attempt)
    {
        var (held, threads) = (FloatBuffer.Held, ThreadsNow());
        for (var i = 0; i < Attempts; i++)
            attempt();
        Assert.Equal(held, FloatBuffer.Held);
        Assert.InRange(ThreadsNow(), 0, threads + Others);
    }

    private static int ThreadsNow()
    {
        using var process = Process.GetCurrentProcess();
        return process.Threads.Count;
    }
}
