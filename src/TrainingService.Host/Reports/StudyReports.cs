using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>A sweep's report, read by the study that asked for it.</summary>
public static class StudyReports
{
    /// <param name="guess">
    /// Training accuracy that a net can reach which has learned nothing; null if the data is not there any more.
    /// </param>
    public static SweepReport Of(Sweep sweep, IReadOnlyList<CellResult> cells, double? guess)
    {
        var report = SweepReports.Of(sweep, cells);
        if (sweep.Study is null || StudyCatalog.Find(sweep.Study) is not { } study)
            return report;
        var measured = StudyMeasurement.Of(sweep);
        var reading = study.Read(new StudyEvidence(sweep.Spec, cells, measured, report.Contrasts, study.Comparisons, guess));
        var compared = cells.Where(cell => cell.Candidate < 0).ToList();
        return report with
        {
            Study = study.Name,
            Question = study.Question,
            Method = study.Method,
            Guess = guess,
            // As long as there is nothing to read, the sweep's own answer says so.
            Headline = compared.Exists(cell => cell.HasOutcome) ? reading.Headline : report.Headline,
            Answer = !compared.Exists(cell => cell.HasOutcome) ? report.Answer
                : sweep.IsFinished && compared.TrueForAll(cell => cell.HasOutcome) ? reading.Answer
                : $"Not all cells have an outcome; this is how far it goes. {reading.Answer}",
            Claims = [.. reading.Claims.Select(claim => claim with
            {
                Statements = [.. claim.Statements.Select(s => s with { Evidence = InShort.Unrepeated(s.Evidence) })],
            })],
            Cells = measured?.BornDead,
            Notes = [.. report.Notes, $"Statements by {sweep.Spec.By.Outcome.Words} have the p-values of the comparisons"
                + $"{(sweep.Spec.Until is null ? "" : ", and they alone decide when the sweep stops")}. By any other "
                + "metric all comparisons that statements rest on are one family, and their p-values are adjusted over it (Holm)."],
        };
    }
}
