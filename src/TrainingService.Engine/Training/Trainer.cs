using System.Diagnostics;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Optimizers;

namespace TrainingService.Engine.Training;

/// <summary>
/// Trains one network on one thread. Construct, subscribe, <see cref="Run"/> once, dispose (the buffers are native memory).
/// Equal plan and data give equal weights, metrics and layer points, bit for bit.
/// </summary>
public sealed class Trainer : IDisposable
{
    private readonly RunPlan _plan;
    private readonly TrainingData _data;
    private readonly Optimizer _optimizer;
    private readonly Network _network;
    private readonly LayerObserver _observer;
    private readonly Stopwatch _clock = new();
    private readonly Stopwatch _diagnosticsClock = new();
    private long _step, _samples;
    private int _epoch;
    private double _runningLoss, _gradientNorm;
    private long _runningSamples, _runningCorrect;

    /// <summary>Allocates the network and draws its initial parameters.</summary>
    public Trainer(RunPlan plan, TrainingData data)
    {
        _plan = plan;
        _data = data;
        var dense = plan.DenseLayers();
        _optimizer = Optimizer.Create(plan.Training.Optimizer!);
        _network = new(dense, Loss.Create(plan.Training.Loss!, data.Shape.Target == TargetKind.Classes), _optimizer.States, plan.Capacity, plan.Training.Seed!.Value);
        _observer = new(_network, data.Train, EvaluationRows());
        Layers = [.. dense.Select((l, i) => new LayerInfo(i, l.Name, l.Outputs, l.Activation.Name, l.Initializer.Name))];
    }

    /// <summary>The dense layers, from the input on; the output layer is last.</summary>
    public IReadOnlyList<LayerInfo> Layers { get; }

    /// <summary>Called on the training thread with each metric point.</summary>
    public Action<MetricPoint>? OnMetric { get; set; }

    /// <summary>Called on the training thread with the points of all layers at one step.</summary>
    public Action<IReadOnlyList<LayerPoint>>? OnLayers { get; set; }

    /// <summary>Where the run is; may be read from any thread.</summary>
    public TrainingProgress Progress
    {
        get
        {
            var seconds = _clock.Elapsed.TotalSeconds;
            return new(Volatile.Read(ref _epoch), Volatile.Read(ref _step), seconds, seconds > 0 ? Volatile.Read(ref _samples) / seconds : 0);
        }
    }

    internal Network Network => _network;

    private bool Classes => _data.Shape.Target == TargetKind.Classes;

    /// <summary>Trains to the end or to divergence (an outcome, not an exception).</summary>
    /// <exception cref="OperationCanceledException">Within one step of the token's cancellation.</exception>
    public TrainingResult Run(CancellationToken cancellation)
    {
        _clock.Start();
        int epochs = _plan.Training.Epochs!.Value, batch = _plan.Training.BatchSize!.Value, every = _plan.Diagnostics.EverySteps!.Value;
        var order = new int[_data.Train.Rows];
        var bestEpoch = epochs;
        var bestLoss = double.PositiveInfinity;

        MeasureLayers(0);
        OnMetric?.Invoke(new(0, 0, Split.Train, (float)_observer.MeanLoss, Classes ? (float)_observer.Accuracy : null));
        if (_data.Validation is { } before)
            OnMetric?.Invoke(Evaluate(before, Split.Validation, 0, cancellation).Point);

        Divergence? divergence = null;
        for (var epoch = 0; epoch < epochs && divergence is null; epoch++)
        {
            for (var i = 0; i < order.Length; i++)
                order[i] = i;
            new RandomStream(_plan.Training.Seed!.Value, StreamPurpose.Order, epoch).Shuffle(order);
            for (var first = 0; first < order.Length && divergence is null; first += batch)
            {
                cancellation.ThrowIfCancellationRequested();
                var rows = order.AsSpan(first, Math.Min(batch, order.Length - first));
                divergence = Step(rows);
                var end = first + batch >= order.Length;
                var position = end ? epoch + 1 : epoch + (double)(first + rows.Length) / order.Length;
                if (_step % every == 0 || end || divergence is not null)
                    EmitRunning(position);
                if (_step % every == 0 || (end && epoch == epochs - 1) || divergence is not null)
                    MeasureLayers(position);
            }
            if (divergence is not null)
                break;
            Volatile.Write(ref _epoch, epoch + 1);
            if (_data.Validation is { } validation)
            {
                var (point, loss) = Evaluate(validation, Split.Validation, epoch + 1, cancellation);
                OnMetric?.Invoke(point);
                if (loss < bestLoss)
                    (bestLoss, bestEpoch) = (loss, epoch + 1);
            }
        }
        return Finish(bestEpoch, divergence, cancellation);
    }

    /// <summary>One batch forwards and back. Answers where a number stopped being finite.</summary>
    private Divergence? Step(ReadOnlySpan<int> rows)
    {
        var step = _step + 1;
        _optimizer.Begin(_plan.Training.Optimizer!.LearningRate!.Value, step);
        _network.Load(_data.Train, rows);
        _network.Forward(step);
        var loss = _network.LossSum();
        _runningLoss += loss;
        if (Classes)
            _runningCorrect += _network.Correct();
        _runningSamples += rows.Length;
        var squares = _network.Backward(_optimizer);
        _gradientNorm = Math.Sqrt(squares);
        Volatile.Write(ref _samples, _samples + rows.Length);
        Volatile.Write(ref _step, step);
        if (double.IsFinite(loss) && double.IsFinite(squares) && _network.UpdatesAreFinite)
            return null;
        // a sum of squares may overflow while every number is still finite
        var layer = _network.FirstNonFinite();
        if (layer is null && double.IsFinite(loss))
            return null;
        return new(step, layer, double.IsFinite(loss)
            ? $"step {step} made the parameters of layer '{layer}' non-finite"
            : $"the loss was not finite at step {step}{(layer is null ? "" : $", the first non-finite numbers being in layer '{layer}'")}");
    }

    private void EmitRunning(double epoch)
    {
        OnMetric?.Invoke(new(_step, epoch, Split.Train, (float)(_runningLoss / _runningSamples), Classes ? (float)_runningCorrect / _runningSamples : null,
            LearningRate: (float)_plan.Training.Optimizer!.LearningRate!.Value, GradientNorm: (float)_gradientNorm));
        _runningLoss = 0;
        _runningSamples = _runningCorrect = 0;
    }

    private void MeasureLayers(double epoch)
    {
        _diagnosticsClock.Start();
        var points = _observer.Measure(_step, epoch);
        _diagnosticsClock.Stop();
        OnLayers?.Invoke(points);
    }

    /// <summary>Loss and accuracy, or error, on a whole split, dropout off.</summary>
    private (MetricPoint Point, double Loss) Evaluate(DataSplit split, Split name, double epoch, CancellationToken cancellation)
    {
        double loss = 0, squaredError = 0, sum = 0, sumOfSquares = 0;
        long correct = 0;
        var rows = new int[_network.Capacity];
        for (var first = 0; first < split.Rows; first += rows.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = Math.Min(rows.Length, split.Rows - first);
            for (var i = 0; i < count; i++)
                rows[i] = first + i;
            _network.Load(split, rows.AsSpan(0, count));
            _network.Forward();
            loss += _network.LossSum();
            if (Classes)
            {
                correct += _network.Correct();
                continue;
            }
            var outputs = _network.Outputs();
            for (var i = 0; i < outputs.Length; i++)
            {
                double target = split.Values[(long)first * _data.Shape.Numbers + i], error = outputs[i] - target;
                squaredError += error * error;
                sum += target;
                sumOfSquares += target * target;
            }
        }
        loss /= split.Rows;
        if (Classes)
            return (new(_step, epoch, name, (float)loss, (float)((double)correct / split.Rows)), loss);
        // R2 = 1 - sum (y - prediction)^2 / sum (y - mean y)^2, over all numbers
        var numbers = (double)split.Rows * _data.Shape.Numbers;
        var spread = sumOfSquares - sum * sum / numbers;
        return (new(_step, epoch, name, (float)loss, null, (float)Math.Sqrt(squaredError / numbers), (float)(1 - squaredError / spread)), loss);
    }

    private TrainingResult Finish(int bestEpoch, Divergence? divergence, CancellationToken cancellation)
    {
        var train = Evaluate(_data.Train, Split.Train, _epoch, cancellation).Point;
        // weights of the last step that are finite, but too large for the outputs to be
        if (divergence is null && !float.IsFinite(train.Loss))
            divergence = new(_step, _network.FirstNonFinite(), $"the loss is not finite after the last step, {_step}");
        var validation = _data.Validation is { } held ? Evaluate(held, Split.Validation, _epoch, cancellation).Point : null;
        var test = _data.Test is { } last ? Evaluate(last, Split.Test, _epoch, cancellation).Point : null;
        if (test is not null)
            OnMetric?.Invoke(test);
        var seconds = _clock.Elapsed.TotalSeconds;
        return new()
        {
            TrainLoss = train.Loss,
            TrainAccuracy = train.Accuracy,
            ValidationLoss = validation?.Loss,
            ValidationAccuracy = validation?.Accuracy,
            TestLoss = test?.Loss,
            TestAccuracy = test?.Accuracy,
            TestRmse = test?.Rmse,
            TestR2 = test?.R2,
            BestEpoch = divergence is null ? bestEpoch : _epoch,
            Seconds = seconds,
            DiagnosticsSeconds = _diagnosticsClock.Elapsed.TotalSeconds,
            SamplesPerSecond = _samples / seconds,
            ParameterCount = _plan.ParameterCount,
            WeightsSha256 = _network.Sha256(),
            Divergence = divergence,
        };
    }

    /// <summary>The first rows of one seeded order of the training split.</summary>
    private int[] EvaluationRows()
    {
        var rows = Enumerable.Range(0, _data.Train.Rows).ToArray();
        new RandomStream(_plan.Training.Seed!.Value, StreamPurpose.EvaluationRows, 0).Shuffle(rows);
        return rows[..Math.Min(rows.Length, _plan.Diagnostics.EvaluationRows!.Value)];
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
