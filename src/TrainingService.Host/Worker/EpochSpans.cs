using System.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Worker;

/// <summary>The epochs of a run as parts of its trace; of many, some together.</summary>
public sealed class EpochSpans
{
    private const int Most = 100;

    private readonly ActivityContext _run;
    private readonly int _together;
    private DateTimeOffset _began = DateTimeOffset.UtcNow;
    private int _told;

    private EpochSpans(ActivityContext run, int epochs) => (_run, _together) = (run, (epochs + Most - 1) / Most);

    /// <summary>Null where nobody collects the trace.</summary>
    public static EpochSpans? Begin(int epochs) =>
        Activity.Current is { IsAllDataRequested: true } run ? new(run.Context, epochs) : null;

    /// <summary>What was measured at the end of an epoch says that it has ended.</summary>
    public void Add(MetricPoint point)
    {
        var epoch = (int)point.Epoch;
        if (epoch < _told + _together)
            return;
        var now = DateTimeOffset.UtcNow;
        Traces.Tell("epoch", _run, _began, now, new("training.epoch.first", _told + 1), new("training.epoch.last", epoch),
            new("training.loss", (double)point.Loss));
        (_began, _told) = (now, epoch);
    }
}
