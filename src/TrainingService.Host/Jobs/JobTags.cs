using System.Globalization;
using System.Linq.Expressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>
/// A job's ETag: what can be decided by, that is its attempt and its status; then its row's version, which every beat of its worker
/// changes; then, while it is queued, its place in the queue, which changes without a write to the row. <c>If-Match</c> looks at the
/// first part alone, so that a cancellation doesn't fail because the run went on.
/// </summary>
public static class JobTags
{
    public static string Of(Job job, int? queuePosition) =>
        $"\"{State(job)}-{job.Version}{(queuePosition is { } position ? $"-{position}" : "")}\"";

    /// <summary>What <c>If-Match</c> allows; null without the header, if it is empty, or with <c>*</c>, which any job satisfies.</summary>
    public static IReadOnlyList<(int Attempt, JobStatus Status)>? Seen(string? ifMatch)
    {
        if (ifMatch is null or "" or "*")
            return null;
        if (!EntityTagHeaderValue.TryParseStrictList([ifMatch], out var tags))
            throw new ProblemException(Problems.Invalid("/If-Match", "must be * or entity tags in double quotes, as in an ETag header"));
        return [.. tags.Where(tag => !tag.IsWeak).Select(tag => tag.Tag.AsSpan().Trim('"').ToString().Split('-')[0].Split('.'))
            .Select(parts => parts is [var attempt, var status] && JobStatusNames.Find(status) is { } known
                && int.TryParse(attempt, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? (number, known) : (-1, default))];
    }

    public static IQueryable<Job> As(this IQueryable<Job> jobs, IReadOnlyList<(int Attempt, JobStatus Status)>? seen)
    {
        if (seen is null)
            return jobs;
        var job = Expression.Parameter(typeof(Job));
        return jobs.Where(Expression.Lambda<Func<Job, bool>>(seen.Select(one => Expression.AndAlso(
                Expression.Equal(Expression.Property(job, nameof(Job.Attempt)), Expression.Constant(one.Attempt)),
                Expression.Equal(Expression.Property(job, nameof(Job.Status)), Expression.Constant(one.Status))))
            .Aggregate((Expression)Expression.Constant(false), Expression.OrElse), job));
    }

    /// <summary>What to answer if the job isn't any more as it was seen; null if it is.</summary>
    public static ProblemHttpResult? Changed(Job job, IReadOnlyList<(int Attempt, JobStatus Status)>? seen) =>
        seen?.Contains((job.Attempt, job.Status)) != false ? null : Problems.PreconditionFailed("The job is not any more as it was under "
            + $"the ETag in If-Match: it is {Json.NameOf(job.Status)} now, in attempt {job.Attempt}.");

    private static string State(Job job) => $"{job.Attempt}.{Json.NameOf(job.Status)}";
}
