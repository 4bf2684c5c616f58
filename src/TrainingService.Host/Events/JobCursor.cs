using System.Globalization;
using TrainingService.Engine.Training;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Events;

/// <summary>
/// What a reader of a job's events was told, as the id of the last of them says it. It is of what stands in the tables alone, so that any
/// process can go on from there: the attempt and status, the step, the last row of metrics and the last change of findings. A run that is
/// taken up again measures the same to the same bits, so what was told of it isn't told again.
/// </summary>
/// <param name="Attempt">-1 if nothing was told.</param>
/// <param name="Status">The last that was told.</param>
/// <param name="Step">Of the last progress; -1 if none was told.</param>
/// <param name="Metrics">The place of the last row, see <see cref="PlaceOf"/>; -1 if none was told.</param>
/// <param name="Test">Whether the test rows' were told, which come last, whatever their step is.</param>
/// <param name="Findings">The number of the last; -1 if none was told.</param>
/// <param name="Done">Whether the end was told.</param>
public sealed record JobCursor(int Attempt, JobStatus Status, long Step, long Metrics, bool Test, int Findings, bool Done)
{
    public static readonly JobCursor Start = new(-1, JobStatus.Queued, -1, -1, false, -1, false);

    /// <summary>Of what is measured while the run goes on; by step, then training before validation.</summary>
    public static long PlaceOf(long step, Split split) => 2 * step + (split is Split.Validation ? 1 : 0);

    /// <summary>The last part of an id, which is random.</summary>
    public static string Mark(Guid job) => job.ToString("N")[^8..];

    public string Of(Guid job) => string.Create(CultureInfo.InvariantCulture,
        $"{Mark(job)}.{Attempt}.{Json.NameOf(Status)}.{Step}.{Metrics}{(Test ? "t" : "")}.{Findings}{(Done ? ".done" : "")}");

    /// <summary>Null if it is none of this job's.</summary>
    public static JobCursor? Read(string id, Guid job)
    {
        var parts = id.Split('.');
        if (parts is not [var mark, var attempt, var status, var step, var metrics, var findings, .. var end]
            || mark != Mark(job) || end is not ([] or ["done"]) || JobStatusNames.Find(status) is not { } known)
            return null;
        var test = metrics.EndsWith('t');
        return Number(attempt, int.MaxValue) is { } a && Number(step, long.MaxValue) is { } s && Number(findings, int.MaxValue) is { } f
            && Number(test ? metrics[..^1] : metrics, long.MaxValue) is { } m
            ? new((int)a, known, s, m, test, (int)f, end.Length > 0) : null;
    }

    private static long? Number(string text, long most) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= -1 && number <= most
            ? number : null;
}
