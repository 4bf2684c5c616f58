using System.Text.Json;
using TrainingService.Host.Metrics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>
/// A sweep's cells as rows, with every outcome that arms can be compared by: for those who want to judge with statistics of their own.
/// </summary>
public static class ReportRows
{
    public static IReadOnlyList<RowField<CellResult>> Of(SweepPlan spec) =>
    [
        new("arm", typeof(string), cell => spec.Arms[cell.Arm].Name),
        new("seed", typeof(long), cell => cell.Seed),
        // -1 for the cells that arms are compared by
        new("candidate", typeof(long), cell => (long)cell.Candidate),
        new("jobId", typeof(string), cell => cell.JobId.ToString()),
        new("status", typeof(string), cell => JsonNamingPolicy.CamelCase.ConvertName(cell.Status.ToString())),
        new("error", typeof(string), cell => cell.ErrorCode),
        .. SweepMetrics.All.Select(metric => new RowField<CellResult>(metric.Name, typeof(double), cell => metric.Of(cell))),
    ];
}
