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
    internal const int ScalingRows = 256;

    /// <summary>Most steps between two metric points, which cost nothing, however far the layers' evaluations are apart.</summary>
    private const int MetricSteps = 100;

    /// <summary>Most classes that a confusion matrix and the scores of each class are told of.</summary>
    private const int MatrixClasses = 50, ScoredClasses = 200;

    private readonly RunPlan _plan;

    // as the network learns it, and with the target in its own unit
    private readonly TrainingData _data, _own;
    private readonly TargetScale _scale;

    // of a loss in the target's unit, both losses being squares (or huber's, whose corner scales with them)
    private readonly double _lossUnit;
    private readonly Optimizer _optimizer;
    private readonly Network _network;
    private readonly LayerObserver _observer;
    private readonly Stopwatch _clock = new();
    private readonly int[] _order;

    // rows that are evaluated at once
    private readonly int[] _evaluated;
    private CancellationToken _cancellation;
    private int _orderedEpoch = -1;
    private double? _epochBegan, _fastestEpoch;
    private TrainingTimes _before;
    private volatile Action? _afterStep;

    // where the run is: all of it is captured
    private long _step, _samples;
    private int _epoch, _position;
    private double _runningLoss, _runningWeight, _runningPenalty, _gradientNorm, _learningRate;
    private long _runningSamples, _runningCorrect;
    private double _bestScore = double.PositiveInfinity;
    private long _bestStep;
    private int _bestEpoch;
    private bool _keptBest;

    // by this trainer, which may have been restored behind it
    private bool _endMeasured;

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
        (_plan, _own, _data) = (plan, data, plan.Standardized(data));
        data = _data;
        _scale = plan.ScaleOf(_own);
        _lossUnit = _scale.Deviation * _scale.Deviation;
        var training = plan.Training;
        _optimizer = training.Optimizer.Create();
        _network = new(plan.Layers, data.Shape.Features, plan.CreateLoss(data.Train), _optimizer.States,
            plan.Capacity, training.Seed, threads, plan.StoresGradients, cancellation)
        {
            ActivityL1 = training.ActivityL1,
        };
        try
        {
            _best = training.EarlyStopping is null ? null : _network.NewSnapshot();
            (_order, _evaluated) = (new int[data.Train.Rows], new int[_network.Capacity]);
            var evaluationRows = plan.PickEvaluationRows();
            ScaleInitialWeights(_network, data, evaluationRows);
            var some = evaluationRows[..plan.RowsBetween];
            // in the order of the data, as its loss is summed up elsewhere
            if (evaluationRows.Length == data.Train.Rows)
                Array.Sort(evaluationRows);
            _observer = new(_network, data.Train, evaluationRows, some, plan.Diagnostics.Rules.SaturatedActivations.Rows, plan.EpochSteps);
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

    /// <summary>
    /// Called on the training thread with the points of all layers at one step, in the order of steps; after <see cref="OnReturn"/> once
    /// more.
    /// </summary>
    public Action<IReadOnlyList<LayerPoint>>? OnLayers { get; set; }

    /// <summary>
    /// Called on the training thread when early stopping goes back to the weights of an earlier step, with that step. What was measured of
    /// layers from there on is no longer of this run's weights: <see cref="OnLayers"/> follows with the points that take its place.
    /// </summary>
    public Action<long>? OnReturn { get; set; }

    /// <summary>
    /// Called on the training thread after each step but the last, when all that belongs to it has been told: the moment to
    /// <see cref="Capture"/>. May be set from any thread, while the run goes on.
    /// </summary>
    public Action? AfterStep { get => _afterStep; set => _afterStep = value; }

    /// <summary>Where the run is; may be read from any thread.</summary>
    public TrainingProgress Progress
    {
        get
        {
            var seconds = Seconds;
            return new(Volatile.Read(ref _epoch), Volatile.Read(ref _step),
                seconds, seconds > 0 ? Volatile.Read(ref _samples) / seconds : 0);
        }
    }

    /// <summary>What the run has taken, the parts before a <see cref="Restore"/> included; to be read on the training thread.</summary>
    public TrainingTimes Times => new(Seconds, _before.DiagnosticsSeconds + _observer.Clock.Elapsed.TotalSeconds, _fastestEpoch);

    private double Seconds => _before.Seconds + _clock.Elapsed.TotalSeconds;

    /// <summary>
    /// The units of a layer as the last evaluation found them; to be called on the training thread or after
    /// <see cref="Run"/>, however that ended.
    /// </summary>
    public IReadOnlyList<UnitPoint> Units(int layer) => _observer.Units(layer);

    /// <summary>
    /// What an evaluation needs of the net as it is now: the numbers of its tensors (see <see cref="TrainedNet"/>), one behind the other.
    /// To be called on the training thread or after <see cref="Run"/>.
    /// </summary>
    public float[] Weights()
    {
        var numbers = new float[TrainedNet.Count(_plan)];
        _network.Tell(numbers);
        return numbers;
    }

    /// <summary>The net as it is now, to be asked and disposed; to be called where <see cref="Weights"/> may be.</summary>
    public TrainedNet Net() => new(_plan, Weights(), _scale);

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
            MeasureLayers(0, 0, atEnd: true);
            OnMetric?.Invoke(new()
            {
                Step = 0,
                Epoch = 0,
                Split = Split.Train,
                Loss = (float)(_observer.MeanLoss * _lossUnit),
                Accuracy = Classes ? (float)_observer.Accuracy : null,
            });
            if (_data.Validation is { } held)
                OnMetric?.Invoke(Evaluate(held, _own.Validation, Split.Validation, 0).Point);
        }
        Divergence? divergence = null;
        while (_epoch < epochs && divergence is null && !OutOfPatience)
        {
            cancellation.ThrowIfCancellationRequested();
            ShuffleOnce();
            var left = _order.Length - _position;
            var rows = _order.AsSpan(_position, left == batch + 1 && _plan.JoinsLast ? left : Math.Min(batch, left));
            var end = _position + rows.Length == _order.Length;
            divergence = Step(rows, measured: end || (_step + 1) % every == 0 || (_step + 1) % told == 0);
            _position += rows.Length;
            var passed = end ? _epoch + 1 : _epoch + (double)_position / _order.Length;
            if (_step % told == 0 || end || divergence is not null)
                EmitRunning(passed);
            if (end && divergence is null)
                EndEpoch();
            var last = divergence is not null || _epoch == epochs || OutOfPatience;
            // weights that are thrown away are not measured at the end, but those that are returned to
            if (last ? !Returns(divergence) : _step % every == 0)
                MeasureLayers(_step, passed, last);
            if (!last)
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
        foreach (var number in (long[])[_step, _samples, _epoch, _position, _runningSamples, _runningCorrect, _bestEpoch, _bestStep])
            writer.Write(number);
        foreach (var number in (double[])[_runningLoss, _runningWeight, _runningPenalty, _gradientNorm, _learningRate, _bestScore])
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
    /// <param name="state">What was captured.</param>
    /// <param name="before">What the run had taken by then, to which the rest is added.</param>
    /// <param name="ofAnotherPlan">Whether it may be of a plan that differs, though not in what there is to be kept: the run goes on
    /// with this trainer's plan. A state that doesn't fit leaves the trainer unusable.</param>
    /// <exception cref="InvalidStateException">
    /// The state is of another plan or version, cut short or damaged; the trainer is as it was. Whether the data
    /// are the same is not looked at.
    /// </exception>
    public void Restore(byte[] state, TrainingTimes before = default, bool ofAnotherPlan = false)
    {
        using var reader = CapturedState.Read(state, ofAnotherPlan ? null : _plan.Hash());
        try
        {
            Read(reader, before);
        }
        catch (EndOfStreamException)
        {
            throw new InvalidStateException("The captured training state is of a net with fewer numbers.");
        }
        if (reader.BaseStream.Position < reader.BaseStream.Length)
            throw new InvalidStateException("The captured training state is of a net with more numbers.");
    }

    private void Read(BinaryReader reader, TrainingTimes before)
    {
        (_before, _fastestEpoch) = (before, before.FastestEpochSeconds);
        (_step, _samples, _epoch, _position) = (reader.ReadInt64(), reader.ReadInt64(), (int)reader.ReadInt64(), (int)reader.ReadInt64());
        (_runningSamples, _runningCorrect, _bestEpoch, _bestStep) =
            (reader.ReadInt64(), reader.ReadInt64(), (int)reader.ReadInt64(), reader.ReadInt64());
        (_runningLoss, _runningWeight, _runningPenalty) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        (_gradientNorm, _learningRate, _bestScore) = (reader.ReadDouble(), reader.ReadDouble(), reader.ReadDouble());
        _keptBest = reader.ReadBoolean();
        if (_keptBest)
            _best?.Restore(reader);
        _observer.Restore(reader, _keptBest);
        _network.Restore(reader);
    }

    /// <summary>What initialisers do that look at data.</summary>
    internal static void ScaleInitialWeights(Network network, TrainingData data, int[] rows)
    {
        if (network.Observed.Any(l => Scaled(l.Linear.Plan)))
            network.ScaleToUnitVariance(Scaled, data.Train, rows.AsSpan(0, Math.Min(rows.Length, ScalingRows)));

        bool Scaled(LinearPlan plan) => plan.Initializer.ScaledOnBatch(network.Observed.Count);
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
        double loss = _network.Backward(_optimizer, _plan.Training.ClipNorm, measured), penalty = _network.PenaltySum();
        _runningLoss += loss;
        _runningWeight += _network.LossWeight;
        _runningPenalty += penalty;
        _runningSamples += rows.Length;
        loss += penalty;
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

    private double TrainingSeconds => (_clock.Elapsed - _observer.Clock.Elapsed).TotalSeconds;

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
        var watched = _plan.Training.EarlyStopping?.Metric;
        var evaluation = Evaluate(held, _own.Validation, Split.Validation, _epoch, counted: watched == EarlyStoppingPlan.BalancedAccuracy);
        OnMetric?.Invoke(evaluation.Point);
        // the lower the better
        var score = watched switch
        {
            EarlyStoppingPlan.Accuracy => -evaluation.Accuracy,
            EarlyStoppingPlan.BalancedAccuracy => -evaluation.Confusion?.BalancedAccuracy ?? double.NaN,
            EarlyStoppingPlan.Rmse => evaluation.Rmse,
            EarlyStoppingPlan.R2 => -evaluation.R2,
            _ => evaluation.Loss,
        };
        if (!(score < _bestScore - (_plan.Training.EarlyStopping?.MinDelta ?? 0)))
            return;
        (_bestScore, _bestEpoch, _bestStep) = (score, _epoch, _step);
        if (_best is null)
            return;
        _network.CopyTo(_best);
        _observer.Keep();
        _keptBest = true;
    }

    /// <summary>Whether early stopping goes back to weights that are not the last.</summary>
    private bool Returns(Divergence? divergence) => divergence is null && _keptBest && _bestEpoch < _epoch;

    private bool OutOfPatience => _plan.Training.EarlyStopping is { } stopping && _epoch - _bestEpoch >= stopping.Patience;

    private void EmitRunning(double epoch)
    {
        OnMetric?.Invoke(new()
        {
            Step = _step,
            Epoch = epoch,
            Split = Split.Train,
            Loss = (float)(_runningLoss / _runningWeight * _lossUnit),
            Penalty = _plan.Training.ActivityL1 > 0 ? (float)(_runningPenalty / _runningSamples * _lossUnit) : null,
            Accuracy = Classes ? (float)_runningCorrect / _runningSamples : null,
            LearningRate = (float)_learningRate,
            GradientNorm = (float)_gradientNorm,
        });
        _runningLoss = _runningWeight = _runningPenalty = 0;
        _runningSamples = _runningCorrect = 0;
    }

    private void MeasureLayers(long step, double epoch, bool atEnd)
    {
        var points = _observer.Measure(step, epoch, atEnd, atEnd && _plan.Diagnostics.EffectiveRank, _cancellation);
        _endMeasured = atEnd && step > 0;
        OnLayers?.Invoke(points);
    }

    /// <summary>What a split showed; NaN where it has no such metric.</summary>
    private readonly record struct Evaluation(MetricPoint Point,
        double Loss, double Accuracy, double Rmse, double R2, Confusion? Confusion);

    /// <summary>Loss and accuracy, or error, on a whole split, dropout off.</summary>
    /// <param name="split">As the network learns it.</param>
    /// <param name="own">The same rows with the target in its own unit.</param>
    /// <param name="name">Which it is.</param>
    /// <param name="epoch">Where the run is.</param>
    /// <param name="counted">Whether rows are counted by true and predicted class.</param>
    private Evaluation Evaluate(DataSplit split, DataSplit? own, Split name, double epoch, bool counted = false)
    {
        double loss = 0, weight = 0, squaredError = 0, sum = 0, sumOfSquares = 0;
        long correct = 0;
        var rows = _evaluated;
        var confusion = counted && Classes ? new Confusion(_data.Shape.Classes) : null;
        var predicted = new int[confusion is null ? 0 : rows.Length];
        for (var first = 0; first < split.Rows; first += rows.Length)
        {
            var count = Math.Min(rows.Length, split.Rows - first);
            for (var i = 0; i < count; i++)
                rows[i] = first + i;
            _network.Load(split, rows.AsSpan(0, count));
            _network.Forward();
            loss += _network.LossSum();
            weight += _network.LossWeight;
            if (Classes)
            {
                correct += _network.Correct();
                if (confusion is null)
                    continue;
                _network.Predict(predicted);
                for (var s = 0; s < count; s++)
                    confusion.Add(split.Labels[first + s], predicted[s]);
                continue;
            }
            for (var s = 0; s < count; s++)
                for (var unit = 0; unit < _data.Shape.Numbers; unit++)
                {
                    double target = (own ?? split).Values[(long)(first + s) * _data.Shape.Numbers + unit];
                    var error = _network.Output(s, unit) * _scale.Deviation + _scale.Means[unit] - target;
                    squaredError += error * error;
                    sum += target;
                    sumOfSquares += target * target;
                }
        }
        loss = loss / weight * _lossUnit;
        var point = new MetricPoint { Step = _step, Epoch = epoch, Split = name, Loss = (float)loss };
        if (Classes)
        {
            var accuracy = (double)correct / split.Rows;
            return new(point with { Accuracy = (float)accuracy }, loss, accuracy, double.NaN, double.NaN, confusion);
        }
        // R2 = 1 - sum (y - prediction)^2 / sum (y - mean y)^2, over all numbers
        var numbers = (double)split.Rows * _data.Shape.Numbers;
        var spread = sumOfSquares - sum * sum / numbers;
        double rmse = Math.Sqrt(squaredError / numbers), r2 = 1 - squaredError / spread;
        return new(point with { Rmse = (float)rmse, R2 = (float)r2 }, loss, double.NaN, rmse, r2, null);
    }

    private TrainingResult Finish(Divergence? divergence)
    {
        var (step, epoch) = (_step, _epoch);
        if (_best is not null && Returns(divergence))
        {
            (step, epoch) = (_bestStep, _bestEpoch);
            _network.CopyFrom(_best);
            _observer.Return();
            OnReturn?.Invoke(step);
            MeasureLayers(step, epoch, atEnd: true);
        }
        // the layers were just measured on the same rows
        var train = Classes && _endMeasured && _plan.EvaluationRows == _data.Train.Rows ? new MetricPoint
        {
            Step = _step,
            Epoch = epoch,
            Split = Split.Train,
            Loss = (float)(_observer.MeanLoss * _lossUnit),
            Accuracy = (float)_observer.Accuracy,
        } : Evaluate(_data.Train, _own.Train, Split.Train, epoch).Point;
        // weights of the last step that are finite, but too large for the outputs to be
        if (divergence is null && !float.IsFinite((float)(train.Loss / _lossUnit)))
            divergence = new(_step, _network.FirstNonFinite(), $"the loss is not finite after the last step, {_step}");
        // of outputs that aren't numbers some class comes out all the same, and a share of the rows happens to have it
        Evaluation? Ended(DataSplit? split, DataSplit? own, Split name)
        {
            if (split is null)
                return null;
            var evaluation = Evaluate(split, own, name, epoch, counted: true);
            return evaluation with { Point = Told(evaluation.Point), Confusion = divergence is null ? evaluation.Confusion : null };
        }
        MetricPoint Told(MetricPoint point) =>
            (divergence is null ? point : point with { Accuracy = null, Rmse = null, R2 = null }) with { Step = step };

        train = Told(train);
        var validation = Ended(_data.Validation, _own.Validation, Split.Validation);
        var test = Ended(_data.Test, _own.Test, Split.Test);
        if (test is not null)
            OnMetric?.Invoke(test.Value.Point);
        var classes = _data.Shape.Classes;
        var times = Times;
        return new()
        {
            TrainLoss = train.Loss,
            TrainAccuracy = train.Accuracy,
            TrainRmse = train.Rmse,
            TrainR2 = train.R2,
            ValidationLoss = validation?.Point.Loss,
            ValidationAccuracy = validation?.Point.Accuracy,
            ValidationBalancedAccuracy = (float?)validation?.Confusion?.BalancedAccuracy,
            ValidationRmse = validation?.Point.Rmse,
            ValidationR2 = validation?.Point.R2,
            TestLoss = test?.Point.Loss,
            TestAccuracy = test?.Point.Accuracy,
            TestRmse = test?.Point.Rmse,
            TestR2 = test?.Point.R2,
            BalancedAccuracy = (float?)test?.Confusion?.BalancedAccuracy,
            Confusion = classes <= MatrixClasses ? test?.Confusion?.Counts : null,
            PerClass = classes <= ScoredClasses ? test?.Confusion?.PerClass(_data.Shape) : null,
            TargetScale = _plan.Training.StandardizeTarget == true ? _scale : null,
            BestEpoch = _bestEpoch,
            WeightsStep = step,
            Notes = _plan.Notes is { Count: > 0 } notes ? notes : null,
            Seconds = times.Seconds,
            FastestEpochSeconds = times.FastestEpochSeconds,
            DiagnosticsSeconds = times.DiagnosticsSeconds,
            SamplesPerSecond = _samples / times.Seconds,
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
