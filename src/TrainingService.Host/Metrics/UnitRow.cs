using TrainingService.Engine.Diagnostics;

namespace TrainingService.Host.Metrics;

/// <summary>A row of <c>job_units</c>, primary key (job_id, layer): all units of one layer at the end of the run.</summary>
public sealed class UnitRow
{
    public Guid JobId { get; init; }
    public short Layer { get; init; }
    public required IReadOnlyList<UnitPoint> Units { get; init; }
}
