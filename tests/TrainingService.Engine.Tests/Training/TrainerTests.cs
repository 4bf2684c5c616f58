using TrainingService.Engine.Layers;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Tests.References;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

public class TrainerTests
{
    [Fact]
    public void Learns_classes()
    {
        var run = Runs.Train(Runs.Blobs(), training: new() { Epochs = 10, BatchSize = 16 });
        Assert.True(run.Result.TestAccuracy > 0.9, $"test accuracy {run.Result.TestAccuracy}");
        Assert.True(run.Result.TrainLoss < 0.2);
        Assert.Null(run.Result.TestRmse);
    }

    [Theory, InlineData("sgd"), InlineData("adam"), InlineData("adamw"), InlineData("rmsprop")]
    public void Learns_numbers(string optimizer)
    {
        var run = Runs.Train(Runs.Numbers(), new() { HiddenLayers = [32], Activation = new() { Name = "tanh" } },
            new() { Epochs = 60, BatchSize = 16, Optimizer = new() { Name = optimizer, LearningRate = optimizer == "sgd" ? 0.05 : 0.01 } });
        Assert.True(run.Result.TestR2 > 0.98, $"R2 {run.Result.TestR2}");
        Assert.Equal(run.Result.TestLoss!.Value, run.Result.TestRmse!.Value * run.Result.TestRmse.Value, 1e-5);
        Assert.Null(run.Result.TestAccuracy);
    }

    [Theory, InlineData("cross_entropy"), InlineData("binary_cross_entropy"), InlineData("mse")]
    public void Learns_two_classes_with_every_loss(string loss)
    {
        var run = Runs.Train(Runs.Blobs(classes: 2), training: new() { Epochs = 10, BatchSize = 16, Loss = loss });
        Assert.True(run.Result.TestAccuracy > 0.9, $"{loss}: {run.Result.TestAccuracy}");
        Assert.Equal(loss == "binary_cross_entropy" ? 1 : 2, run.Layers[^1].Units);
    }

    [Theory, InlineData("short"), InlineData("long")]
    public void Minibatches_follow_the_reference_step_by_step(string form)
    {
        var data = Runs.Blobs(train: 50);
        LayerSpec dense = new() { Type = "dense", Units = 7 };
        ModelSpec model = form == "short" ? new() { HiddenLayers = [7, 5], Activation = new() { Name = "tanh" } } : new()
        {
            Layers = [dense, new() { Type = "dropout", Rate = 0.2 },
                new() { Type = "residual", Layers = [new() { Type = "batch_norm" }, dense] }, new() { Type = "layer_norm" }, dense],
            Activation = new() { Name = "rrelu", Lower = -1, Upper = 1 },
        };
        const double rate = 0.05;
        var plan = Runs.Plan(data, model, new()
        {
            Epochs = 2,
            BatchSize = 16,
            Seed = 3,
            Optimizer = new() { Name = "sgd", LearningRate = rate },
            Schedule = new() { Name = "exponential", Gamma = 0.9 },
            ClipNorm = form == "short" ? null : 0.5,
            ActivityL1 = 0.01,
        });
        using var trainer = new Trainer(plan, data);
        var (layers, parameters) = Exported.Of(plan, trainer);
        var step = 0L;
        var reference = ReferenceNetwork.Of(layers, parameters, new("cross_entropy"), 0.01, (layer, row, unit) =>
        {
            var key = Engine.Kernels.Noise.Key(3, layer, step);
            return Engine.Kernels.Noise.Bits(key, unit, Engine.Kernels.Noise.Samples(key, row))[0];
        });
        trainer.Run(TestContext.Current.CancellationToken);
        var (inputs, targets) = Exported.Rows(data.Train, data.Shape);
        var moments = reference.Parameters.ToDictionary(p => p, p => new double[p.Values.Length]);
        for (var epoch = 0; epoch < 2; epoch++)
        {
            var order = Enumerable.Range(0, 50).ToArray();
            new RandomStream(3, StreamPurpose.Order, epoch).Shuffle(order);
            foreach (var rows in order.Chunk(16))
            {
                step++;
                reference.Gradients([.. rows.Select(r => inputs[r])], [.. rows.Select(r => targets[r])]);
                if (plan.Training.ClipNorm is { } norm)
                    reference.Clip(norm);
                foreach (var (p, m) in moments)
                    for (var i = 0; i < m.Length; i++)
                        p.Values[i] -= rate * Math.Pow(0.9, step - 1) * (m[i] = 0.9 * m[i] + p.Gradient[i]);
            }
        }
        var trained = Exported.Of(plan, trainer).Parameters;
        Assert.All(reference.Parameters, p => Close.Assert(p.Values, trained[p.Name], 5e-6, p.Name));
    }

    [Theory, InlineData("sgd", null), InlineData("adam", null), InlineData("rmsprop", 1.0)]
    public void A_step_allocates_nothing(string optimizer, double? clipNorm)
    {
        var data = Runs.Blobs();
        LayerSpec dense = new() { Type = "dense", Units = 20, Activation = new() { Name = "prelu" } };
        ModelSpec model = new()
        {
            Layers = [dense, new() { Type = "batch_norm" },
                new() { Type = "residual", Layers = [dense, new() { Type = "layer_norm" }, new() { Type = "dropout", Rate = 0.1 }, dense] },
                dense],
        };
        TrainingSpec training = new()
        {
            Epochs = 3,
            BatchSize = 2,
            Optimizer = new() { Name = optimizer, LearningRate = 1e-3 },
            ClipNorm = clipNorm,
            ActivityL1 = 0.01,
            Schedule = new() { Name = "one_cycle" }
        };
        var plan = Runs.Plan(data, model, training, new() { EverySteps = 100_000 });
        foreach (var threads in new[] { 1, 2 })
        {
            using var trainer = new Trainer(plan, data, threads);
            var allocated = new List<long>(1000);
            trainer.AfterStep = () => allocated.Add(GC.GetAllocatedBytesForCurrentThread());
            trainer.Run(TestContext.Current.CancellationToken);
            // steps 120 to 190 lie within one epoch
            Assert.Equal(0, allocated[190] - allocated[120]);
        }
    }

    [Fact]
    public void Final_metrics_are_those_of_the_final_weights()
    {
        var data = Runs.Blobs();
        var plan = Runs.Plan(data, new() { HiddenLayers = [16], Dropout = 0.5 });
        using var trainer = new Trainer(plan, data);
        var result = trainer.Run(TestContext.Current.CancellationToken);
        var (layers, parameters) = Exported.Of(plan, trainer);
        var reference = ReferenceNetwork.Of(layers, parameters, new("cross_entropy"));
        foreach (var (split, loss, accuracy) in new[]
        {
            (data.Train, result.TrainLoss, result.TrainAccuracy),
            (data.Validation!, result.ValidationLoss!.Value, result.ValidationAccuracy),
            (data.Test!, result.TestLoss!.Value, result.TestAccuracy),
        })
        {
            var (inputs, targets) = Exported.Rows(split, data.Shape);
            Close.Assert(reference.Loss(inputs, targets, training: false), loss, 2e-6, "loss");
            var outputs = reference.Forward(inputs, training: false);
            Assert.Equal(outputs.Zip(targets).Average(p => p.First[(int)p.Second[0]] == p.First.Max() ? 1.0 : 0), accuracy!.Value, 1e-6);
        }
    }

    [Fact]
    public void Regression_metrics_are_in_the_targets_unit()
    {
        var data = Runs.Numbers();
        var plan = Runs.Plan(data);
        using var trainer = new Trainer(plan, data);
        var result = trainer.Run(TestContext.Current.CancellationToken);
        var (layers, parameters) = Exported.Of(plan, trainer);
        var (inputs, targets) = Exported.Rows(data.Test!, data.Shape);
        var outputs = ReferenceNetwork.Of(layers, parameters, new("mse")).Forward(inputs, training: false);
        var scale = result.TargetScale!;
        var errors = outputs.Zip(targets).Select(p => scale.Means[0] + scale.Deviation * p.First[0] - p.Second[0]).ToArray();
        var mean = targets.Average(t => t[0]);
        Assert.Equal(Math.Sqrt(errors.Average(e => e * e)), result.TestRmse!.Value, 1e-5);
        Assert.Equal(1 - errors.Sum(e => e * e) / targets.Sum(t => (t[0] - mean) * (t[0] - mean)), result.TestR2!.Value, 1e-5);
    }

    [Fact]
    public void Points_come_at_the_start_every_few_steps_and_at_the_end()
    {
        var run = Runs.Train(Runs.Blobs(), training: new() { Epochs = 3, BatchSize = 16 }, diagnostics: new() { EverySteps = 10 });
        // 13 steps an epoch
        Assert.Equal([0L, 10, 20, 30, 39], run.Points.Select(p => p[0].Step));
        Assert.All(run.Points, p => Assert.Equal(["hidden1", "hidden2", "output"], p.Select(l => run.Layers[l.Layer].Name)));
        Assert.Equal(3, run.Points[^1][0].Epoch);
        Assert.Equal([13L, 26, 39], run.Metrics.Where(m => m.Split == Split.Validation && m.Step > 0).Select(m => m.Step));
        Assert.Contains(run.Metrics, m => m.Split == Split.Train && m.Step == 0);
        Assert.All(run.Metrics, m => Assert.True(m.Epoch is >= 0 and <= 3));
        Assert.Equal(run.Metrics.Select(m => m.Step).Order(), run.Metrics.Select(m => m.Step));
        Assert.Single(run.Metrics, m => m.Split == Split.Test);
        Assert.All(run.Metrics.Where(m => m.Split == Split.Train && m.Step > 0),
            m => Assert.True(m.LearningRate == 0.05f && m.GradientNorm > 0));
    }

    [Fact]
    public void No_step_is_reported_twice_for_one_split()
    {
        // 200 rows in batches of 20: step 10 is both an evaluation and an epoch's end
        var run = Runs.Train(Runs.Blobs(), training: new() { Epochs = 2, BatchSize = 20 }, diagnostics: new() { EverySteps = 10 });
        Assert.Equal(run.Metrics.Count, run.Metrics.Select(m => (m.Step, m.Split)).Distinct().Count());
        Assert.Equal([0L, 10, 20], run.Points.Select(p => p[0].Step));
    }

    [Fact]
    public void The_best_epoch_has_the_lowest_validation_loss()
    {
        var run = Runs.Train(Runs.Blobs(),
            training: new() { Epochs = 8, BatchSize = 16, Optimizer = new() { Name = "sgd", LearningRate = 0.5 } });
        var losses = run.Metrics.Where(m => m.Split == Split.Validation && m.Step > 0).Select(m => m.Loss).ToList();
        Assert.Equal(8, losses.Count);
        Assert.Equal(losses.IndexOf(losses.Min()) + 1, run.Result.BestEpoch);
        Assert.Equal(losses[^1], run.Result.ValidationLoss);
    }

    [Fact]
    public void Without_held_out_rows_their_metrics_are_null()
    {
        var run = Runs.Train(Runs.Blobs(validation: 0, test: 0));
        var result = run.Result;
        Assert.Equal((null, null, null, null, 3),
            (result.ValidationLoss, result.ValidationAccuracy, result.TestLoss, result.TestAccuracy, result.BestEpoch));
        Assert.All(run.Metrics, m => Assert.Equal(Split.Train, m.Split));
    }

    [Theory, InlineData(1), InlineData(31), InlineData(32), InlineData(33), InlineData(300), InlineData(700)]
    public void Any_batch_size_trains(int batchSize)
    {
        var data = Runs.Blobs(train: 700);
        var run = Runs.Train(data, training: new() { Epochs = 1, BatchSize = batchSize });
        Assert.Null(run.Result.Divergence);
        Assert.Equal((700 + batchSize - 1) / batchSize, run.Points[^1][0].Step);
    }

    [Fact]
    public void Cancelling_stops_at_the_next_step()
    {
        var data = Runs.Blobs();
        using var trainer =
            new Trainer(Runs.Plan(data, training: new() { Epochs = 1000, BatchSize = 16 }, diagnostics: new() { EverySteps = 1 }), data);
        using var cancellation = new CancellationTokenSource();
        trainer.OnLayers = points =>
        {
            if (points[0].Step == 17)
                cancellation.Cancel();
        };
        Assert.Throws<OperationCanceledException>(() => trainer.Run(cancellation.Token));
        Assert.Equal(17, trainer.Progress.Step);
        Assert.Equal(1, trainer.Progress.Epoch);
    }

    [Fact]
    public void Cancelling_does_not_wait_for_a_long_step()
    {
        // 1.5e11 operations in the step: seconds, of which the cancellation leaves a fraction
        var data = Runs.Blobs(train: 1536, validation: 0, test: 0);
        ModelSpec model = new() { HiddenLayers = [4096, 4096], Initializer = new() { Name = "zeros" } };
        TrainingSpec training = new() { Epochs = 1, BatchSize = 1536, Optimizer = new() { Name = "sgd", Momentum = 0 } };
        using var trainer = new Trainer(Runs.Plan(data, model, training, new() { EvaluationRows = 1 }), data);
        using var cancellation = new CancellationTokenSource();
        trainer.OnMetric = _ => cancellation.CancelAfter(100);
        Assert.Throws<OperationCanceledException>(() => trainer.Run(cancellation.Token));
        Assert.Equal(0, trainer.Progress.Step);
    }

    [Fact]
    public void Progress_can_be_read_from_another_thread()
    {
        var data = Runs.Blobs();
        using var trainer = new Trainer(Runs.Plan(data, training: new() { Epochs = 200, BatchSize = 16 }), data);
        Assert.Equal(0, trainer.Progress.Step);
        var running = Task.Run(() => trainer.Run(CancellationToken.None), TestContext.Current.CancellationToken);
        var last = 0L;
        while (!running.IsCompleted)
        {
            var progress = trainer.Progress;
            Assert.True(progress.Step >= last && progress.SamplesPerSecond >= 0);
            last = progress.Step;
        }
        Assert.Equal((200, 2600L), (trainer.Progress.Epoch, trainer.Progress.Step));
    }

    [Fact]
    public void A_deep_and_a_wide_net_train()
    {
        var data = Runs.Blobs();
        ModelSpec deep = new() { HiddenLayers = [.. Enumerable.Repeat(5, 200)], Activation = new() { Name = "selu" } },
            wide = new() { HiddenLayers = [3000] };
        Assert.Null(Runs.Train(data, deep, new() { Epochs = 1 }).Result.Divergence);
        Assert.Null(Runs.Train(data, wide, new() { Epochs = 1 }).Result.Divergence);
    }
}
