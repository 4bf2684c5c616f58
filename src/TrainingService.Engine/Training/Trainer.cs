using System.Diagnostics;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Memory;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Training;

/// <summary>
/// Trains one network. Construct, subscribe, <see cref="Run"/> once, dispose (the buffers are native memory).
/// Equal plan and data give equal weights, metrics and layer points, bit for bit, with any number of threads and on any instruction set.
/// </summary>
public sealed class Trainer : IDisposable
{
    /// <summary>A batch's worth: enough for a variance to a few percent, however small the run's own batches are.</summary>
    private const int ScalingRows = 256;

    /// <summary>Most steps between two metric points, which cost nothing, however far the layers' evaluations are apart.</summary>
    private const int MetricSteps = 100;

    private readonly RunPlan _plan;
    private readonly TrainingData _data;
    private readonly Optimizer _optimizer;
    private readonly Network _network;
    private readonly LayerObserver _observer;
    private readonly Stopwatch _clock = new();
    private readonly Stopwatch _diagnosticsClock = new();
    private readonly int[] _order;
    private CancellationToken _cancellation;
    private int _orderedEpoch = -1;
    private double? _epochBegan, _fastestEpoch;

    // where the run is: all of it is captured
    private long _step, _samples;
    private int _epoch, _position;
    private double _runningLoss, _gradientNorm, _learningRate;
    private long _runningSamples, _runningCorrect;
    private double _bestLoss = double.PositiveInfinity;
    private int _bestEpoch;
    private bool _keptBest;

    // what early stopping returns to
    private readonly FloatBuffer? _best;

    /// <summary>Allocates the network and draws its initial parameters.</summary>
    /// <param name="plan">What to train.</param>
    /// <param name="data">Of the shape that the plan was checked against.</param>
    /// <param name="threads">That this run may use, the caller's included; more than one pays for wide layers.</param>
    /// <param name="cancellation">Of the construction, which takes minutes where wide layers are made orthogonal;
    /// <see cref="Run"/> has its own.</param>
    /// <exception cref="OperationCanceledException">Soon after the token's cancellation; whatever was made by then is freed.</exception>
    public Trainer(RunPlan plan, TrainingData data, int threads = 1, CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(threads, 1);
        (_plan, _data) = (plan, data);
        var training = plan.Training;
        _optimizer = training.Optimizer.Create();
        _network = new(plan.Layers, data.Shape.Features, plan.CreateLoss(), _optimizer.States,
            plan.Capacity, training.Seed, threads, plan.StoresGradients, cancellation)
        {
            ActivityL1 = training.ActivityL1,
        };
        try
        {
            _best = training.EarlyStopping is null ? null : _network.NewSnapshot();
            _order = new int[data.Train.Rows];
            var evaluationRows = plan.PickEvaluationRows();
            ScaleInitialWeights(evaluationRows);
            _observer = new(_network, data.Train, evaluationRows, plan.Diagnostics.Rules.SaturatedActivations.Rows);
            Layers = plan.DenseLayers;
        }
        catch
        {
            _network.Dispose();
            throw;
        }
    }

    /// <summary>The dense layers, from the input on; the output layer is last.</summary>
    public IReadOnlyList<LayerInfo> Layers { get; }

    /// <summary>Called on the training thread with each metric point.</summary>
    public Action<MetricPoint>? OnMetric { get; set; }

    /// <summary>Called on the training thread with the points of all layers at one step.</summary>
    public Action<IReadOnlyList<LayerPoint>>? OnLayers { get; set; }

    /// <summary>
    /// Called on the training thread after each step, when all that belongs to it has been told: the moment to <see cref="Capture"/>.
    /// </summary>
    public Action? AfterStep { get; set; }

    /// <summary>Where the run is; may be read from any thread.</summary>
    public TrainingProgress Progress
    {
        get
        {
            var seconds = _clock.Elapsed.TotalSeconds;
            return new(Volatile.Read(ref _epoch), Volatile.Read(ref _step),
                seconds, seconds > 0 ? Volatile.Read(ref _samples) / seconds : 0);
        }
    }

    /// <summary>
    /// The units of a layer as the last evaluation found them; to be called on the training thread or after
    /// <see cref="Run"/>, however that ended.
    /// </summary>
    public IReadOnlyList<UnitPoint> Units(int layer) => _observer.Units(layer);

    internal Network Network => _network;

    private bool Classes => _data.Shape.Target == TargetKind.Classes;

    /// <summary>Trains to the end, or to divergence (an outcome, not an exception).</summary>
    /// <exception cref="OperationCanceledException">Soon after the token's cancellation: within one product of one layer
    /// on a few thousand rows.</exception>
    public TrainingResult Run(CancellationToken cancellation)
    {
        _clock.Start();
        _network.Cancellation = cancellation;
        _cancellation = cancellation;
        int epochs = _plan.Training.Epochs, batch = _plan.Training.BatchSize, every = _plan.Diagnostics.EverySteps;
        var told = Math.Min(every, MetricSteps);
        if (_step == 0)
        {
            MeasureLayers(0, atEnd: true);
            OnMetric?.Invoke(new()
            {
                Step = 0,
                Epoch = 0,
                Split = Split.Train,
                Loss = (float)_observer.MeanLoss,
                Accuracy = Classes ? (float)_observer.Accuracy : null,
            });
            if (_data.Validation is { } held)
                OnMetric?.Invoke(Evaluate(held, Split.Validation, 0).Point);
        }
        Divergence? divergence = null;
        while (_epoch < epochs && divergence is null && !OutOfPatience)
        {
            cancellation.ThrowIfCancellationRequested();
            ShuffleOnce();
            var rows = _order.AsSpan(_position, Math.Min(batch, _order.Length - _position));
            var end = _position + rows.Length == _order.Length;
            divergence = Step(rows, measured: end || (_step + 1) % every == 0 || (_step + 1) % told == 0);
            _position += rows.Length;
            var passed = end ? _epoch + 1 : _epoch + (double)_position / _order.Length;
            if (_step % told == 0 || end || divergence is not null)
                EmitRunning(passed);
            if (end && divergence is null)
                EndEpoch();
            var last = divergence is not null || _epoch == epochs || OutOfPatience;
            if (_step % every == 0 || last)
                MeasureLayers(passed, last);
            AfterStep?.Invoke();
        }
        return Finish(divergence);
    }

    /// <summary>
    /// All that a later <see cref="Restore"/> needs to go on as if nothing had happened; to be called on the training
    /// thread, in <see cref="AfterStep"/>.
    /// </summary>
    public byte[] Capture() => CapturedState.Write(_plan.Hash(), writer =>
    {
        foreach (var number in (long[])[_step, _samples, _epoch, _position, _runningSamples, _runningCorrect, _bestEpoch])
            writer.Write(number);
        foreach (var number in (double[])[_runningLoss, _gradientNorm, _learningRate, _bestLoss])
            writer.Write(number);
        writer.Write(_keptBest);
        if (_keptBest)
            _best?.Capture(writer);
        _observer.Capture(writer);
        _network.Capture(writer);
    });

    /// <summary>
    /// Goes back to where <see cref="Capture"/> was called in a run of an equal plan and data; to be called before <see cref="Run"/>.
    /// </summary>
    /// <exception cref="InvalidStateException">
    /// The state is of another plan or version, cut short or damaged; the trainer is as it was. Whether the data
    /// are the same is not looked at.
    /// </exception>
    public void Restore(byte[] state)
    {
        using var reader = CapturedState.Read(state, _plan.Hash());
        (_step, _samples, _epoch, _position) = (reader.ReadInt64(), reader.ReadInt64(), (int)reader.ReadInt64(), (int)reader.ReadInt64());
        (_runningSamples, _runningCorrect, _bestEpoch) = (reader.ReadInt64(), reader.ReadInt64(), (int)reader.ReadInt64());
        (_runningLoss, _gradientNorm, _learningRate, _bestLoss) =
            (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _keptBest = reader.ReadBoolean();
        if (_keptBest)
            _best?.Restore(reader);
        _observer.Restore(reader);
        _network.Restore(reader);
    }

    /// <summary>What initialisers do that look at data.</summary>
    private void ScaleInitialWeights(int[] rows)
    {
        if (!_network.Observed.Any(l => Scaled(l.Linear.Plan)))
            return;
        _network.ScaleToUnitVariance(Scaled, _data.Train, rows.AsSpan(0, Math.Min(rows.Length, ScalingRows)));

        bool Scaled(LinearPlan plan) => plan.Initializer.ScaledOnBatch(_network.Observed.Count);
    }

    private void ShuffleOnce()
    {
        if (_orderedEpoch == _epoch)
            return;
        for (var i = 0; i < _order.Length; i++)
            _order[i] = i;
        new RandomStream(_plan.Training.Seed, StreamPurpose.Order, _epoch).Shuffle(_order);
        _orderedEpoch = _epoch;
        _epochBegan = _position == 0 ? TrainingSeconds : null;
    }

    /// <summary>One batch forwards and back. Answers where a number stopped being finite.</summary>
    private Divergence? Step(ReadOnlySpan<int> rows, bool measured)
    {
        var step = _step + 1;
        (_learningRate, var momentum) = _plan.Training.Schedule.At(_step, _plan.Training.Optimizer, _plan.Steps);
        _optimizer.Begin(_learningRate, momentum, step);
        _network.Load(_data.Train, rows);
        _network.Forward(step);
        if (Classes)
            _runningCorrect += _network.Correct();
        var loss = _network.Backward(_optimizer, _plan.Training.ClipNorm, measured) + _network.PenaltySum();
        _runningLoss += loss;
        _runningSamples += rows.Length;
        _observer.Follow(step);
        _gradientNorm = _network.GradientNorm;
        Volatile.Write(ref _samples, _samples + rows.Length);
        Volatile.Write(ref _step, step);
        if (double.IsFinite(loss) && _network.UpdatesAreFinite)
            return null;
        // a sum of squares may overflow while every number is still finite
        var layer = _network.FirstNonFinite();
        if (layer is null && double.IsFinite(loss))
            return null;
        return new(step, layer, double.IsFinite(loss)
            ? $"step {step} made the parameters of layer '{layer}' non-finite"
            : $"the loss was not finite at step {step}{(layer is null ? "" : $", the first non-finite numbers being in layer '{layer}'")}");
    }

    private double TrainingSeconds => (_clock.Elapsed - _diagnosticsClock.Elapsed).TotalSeconds;

    private void EndEpoch()
    {
        if (TrainingSeconds - _epochBegan is { } spent && !(spent > _fastestEpoch))
            _fastestEpoch = spent;
        Volatile.Write(ref _epoch, _epoch + 1);
        _position = 0;
        if (_data.Validation is not { } held)
        {
            _bestEpoch = _epoch;
            return;
        }
        var (point, loss) = Evaluate(held, Split.Validation, _epoch);
        OnMetric?.Invoke(point);
        if (!(loss < _bestLoss - (_plan.Training.EarlyStopping?.MinDelta ?? 0)))
            return;
        (_bestLoss, _bestEpoch) = (loss, _epoch);
        if (_best is null)
            return;
        _network.CopyTo(_best);
        _keptBest = true;
    }

    private bool OutOfPatience => _plan.Training.EarlyStopping is { } stopping && _epoch - _bestEpoch >= stopping.Patience;

    private void EmitRunning(double epoch)
    {
        OnMetric?.Invoke(new()
        {
            Step = _step,
            Epoch = epoch,
            Split = Split.Train,
            Loss = (float)(_runningLoss / _runningSamples),
            Accuracy = Classes ? (float)_runningCorrect / _runningSamples : null,
            LearningRate = (float)_learningRate,
            GradientNorm = (float)_gradientNorm,
        });
        _runningLoss = 0;
        _runningSamples = _runningCorrect = 0;
    }

    private void MeasureLayers(double epoch, bool atEnd)
    {
        _diagnosticsClock.Start();
        var points = _observer.Measure(_step, epoch, atEnd, atEnd && _plan.Diagnostics.EffectiveRank, _cancellation);
        _diagnosticsClock.Stop();
        OnLayers?.Invoke(points);
    }

    /// <summary>Loss and accuracy, or error, on a whole split, dropout off.</summary>
    private (MetricPoint Point, double Loss) Evaluate(DataSplit split, Split name, double epoch)
    {
        double loss = 0, squaredError = 0, sum = 0, sumOfSquares = 0;
        long correct = 0;
        var rows = new int[_network.Capacity];
        for (var first = 0; first < split.Rows; first += rows.Length)
        {
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
            for (var s = 0; s < count; s++)
                for (var unit = 0; unit < _data.Shape.Numbers; unit++)
                {
                    double target = split.Values[(long)(first + s) * _data.Shape.Numbers + unit], error = _network.Output(s, unit) - target;
                    squaredError += error * error;
                    sum += target;
                    sumOfSquares += target * target;
                }
        }
        loss /= split.Rows;
        var point = new MetricPoint { Step = _step, Epoch = epoch, Split = name, Loss = (float)loss };
        if (Classes)
            return (point with { Accuracy = (float)((double)correct / split.Rows) }, loss);
        // R2 = 1 - sum (y - prediction)^2 / sum (y - mean y)^2, over all numbers
        var numbers = (double)split.Rows * _data.Shape.Numbers;
        var spread = sumOfSquares - sum * sum / numbers;
        return (point with { Rmse = (float)Math.Sqrt(squaredError / numbers), R2 = (float)(1 - squaredError / spread) }, loss);
    }

    private TrainingResult Finish(Divergence? divergence)
    {
        if (divergence is null && _best is not null && _keptBest && _bestEpoch < _epoch)
            _network.CopyFrom(_best);
        var train = Evaluate(_data.Train, Split.Train, _epoch).Point;
        // weights of the last step that are finite, but too large for the outputs to be
        if (divergence is null && !float.IsFinite(train.Loss))
            divergence = new(_step, _network.FirstNonFinite(), $"the loss is not finite after the last step, {_step}");
        var validation = _data.Validation is { } held ? Evaluate(held, Split.Validation, _epoch).Point : null;
        var test = _data.Test is { } last ? Evaluate(last, Split.Test, _epoch).Point : null;
        if (test is not null)
            OnMetric?.Invoke(test);
        var seconds = _clock.Elapsed.TotalSeconds;
        // Of outputs that aren't numbers some class comes out all the same, and a share of the rows happens to have it.
        float? Share(MetricPoint? point) => divergence is null ? point?.Accuracy : null;
        return new()
        {
            TrainLoss = train.Loss,
            TrainAccuracy = Share(train),
            ValidationLoss = validation?.Loss,
            ValidationAccuracy = Share(validation),
            ValidationRmse = validation?.Rmse,
            ValidationR2 = validation?.R2,
            TestLoss = test?.Loss,
            TestAccuracy = Share(test),
            TestRmse = test?.Rmse,
            TestR2 = test?.R2,
            BestEpoch = _bestEpoch,
            Seconds = seconds,
            FastestEpochSeconds = _fastestEpoch,
            DiagnosticsSeconds = _diagnosticsClock.Elapsed.TotalSeconds,
            SamplesPerSecond = _samples / seconds,
            ParameterCount = _plan.ParameterCount,
            WeightsSha256 = _network.Sha256(),
            EngineVersion = EngineInfo.Version,
            InstructionSet = EngineInfo.InstructionSet,
            Divergence = divergence,
        };
    }

    /// <inheritdoc/>
    public void Dispose() => _network.Dispose();
}
