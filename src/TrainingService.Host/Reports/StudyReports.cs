using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>A sweep's report, read by the study that asked for it.</summary>
public static class StudyReports
{
    public static SweepReport Of(Sweep sweep, IReadOnlyList<CellResult> cells)
    {
        var report = SweepReports.Of(sweep, cells);
        if (sweep.Study is null || StudyCatalog.Find(sweep.Study) is not { } study)
            return report;
        var measured = StudyMeasurement.Of(sweep);
        var evidence = new StudyEvidence(sweep.Spec, cells, measured);
        if (!cells.Any(cell => cell.Candidate < 0 && cell.HasOutcome))
        {
            return report with
            {
                Study = study.Name,
                Question = study.Question,
                Method = study.Method,
                Claims = [.. study.Claims.Select(claim => claim.Report(Verdict.Inconclusive, "No cell has an outcome.", evidence, 0))],
            };
        }
        var reading = study.Read(evidence);
        var complete = sweep.IsFinished && cells.Where(cell => cell.Candidate < 0).All(cell => cell.HasOutcome);
        return report with
        {
            Study = study.Name,
            Question = study.Question,
            Method = study.Method,
            Answer = complete ? reading.Answer : $"Not all cells have an outcome; as far as it goes: {reading.Answer}",
            Claims = reading.Claims,
            Cells = measured?.BornDead,
            Notes = [.. report.Notes, "Each claim's p-values are adjusted over the comparisons of that claim; "
                + "what a claim rests on the literature for stands apart from what was measured."],
        };
    }
}
