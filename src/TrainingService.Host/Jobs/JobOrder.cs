using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>In what order jobs are listed.</summary>
/// <param name="Text">As it was asked for.</param>
/// <param name="Descending">Whether the largest comes first.</param>
/// <param name="Result">The result that it is by; null for the time of creation.</param>
public sealed record JobOrder(string Text, bool Descending, string? Result)
{
    public const string OldestFirst = "createdAt", NewestFirst = "-createdAt";

    /// <summary>Results that are numbers.</summary>
    private static readonly IReadOnlyList<string> Results = [.. Json.Options.GetTypeInfo(typeof(TrainingResult)).Properties
        .Where(field => Type.GetTypeCode(Nullable.GetUnderlyingType(field.PropertyType) ?? field.PropertyType)
            is TypeCode.Single or TypeCode.Double or TypeCode.Int32 or TypeCode.Int64)
        .Select(field => field.Name)];

    public static IReadOnlyList<string> All { get; } =
        [OldestFirst, NewestFirst, .. Results.SelectMany(name => (string[])[name, $"-{name}"])];

    public static JobOrder Parse(string? text, List<SpecError> errors)
    {
        var order = text ?? NewestFirst;
        if (!All.Contains(order))
            errors.Add(new("/orderBy", $"unknown order '{order}'{Names.DidYouMean(order, All)}; allowed are {OldestFirst}, {NewestFirst} "
                + $"and any result, such as testAccuracy or -testAccuracy (the largest first): {string.Join(", ", Results)}"));
        var name = order.TrimStart('-');
        return new(order, order.StartsWith('-'), name == OldestFirst ? null : name);
    }

    /// <summary>A page of the jobs, and one more if there is any. By a result, those that have none come last, whichever way.</summary>
    /// <param name="db">Where they are.</param>
    /// <param name="jobs">Which.</param>
    /// <param name="last">Where the page before ended; null for the first.</param>
    /// <param name="count">How many.</param>
    /// <param name="withSpec">Whether their specs are read.</param>
    /// <param name="cancellation">Of the query.</param>
    public async Task<IReadOnlyList<(Job Job, double? Value)>> TakeAsync(TrainingDbContext db, IQueryable<Job> jobs, PageEnd? last,
        int count, bool withSpec, CancellationToken cancellation)
    {
        IQueryable<Job> Read(IQueryable<Job> some) => some.Select(JobResponse.Row(withSpec));
        if (Result is null)
        {
            if (last is not null)
                jobs = Descending ? jobs.Where(job => job.Id < last.Id) : jobs.Where(job => job.Id > last.Id);
            jobs = Descending ? jobs.OrderByDescending(job => job.Id) : jobs.OrderBy(job => job.Id);
            return [.. (await Read(jobs.Take(count)).ToListAsync(cancellation)).Select(job => (job, (double?)null))];
        }
        // a job that goes between two of the queries would look like the end
        await using var snapshot = await db.SnapshotAsync(cancellation);
        var ranks = db.Database.SqlQueryRaw<Rank>(RankSql(Result));
        var found = new List<Rank>();
        if (last is null or { Value: not null })
        {
            var ranked = jobs.Join(ranks, job => job.Id, rank => rank.Id, (job, rank) => rank);
            if (last is { Value: { } end })
                ranked = Descending ? ranked.Where(rank => rank.Value <= -end && (rank.Value < -end || rank.Id < last.Id))
                    : ranked.Where(rank => rank.Value >= end && (rank.Value > end || rank.Id > last.Id));
            found = await (Descending ? ranked.OrderByDescending(rank => rank.Value).ThenByDescending(rank => rank.Id)
                : ranked.OrderBy(rank => rank.Value).ThenBy(rank => rank.Id)).Take(count).ToListAsync(cancellation);
        }
        var others = new List<Job>();
        if (found.Count < count)
        {
            var after = last is { Value: null } ? last.Id : Guid.Empty;
            others = await Read(jobs.Where(job => job.Id > after && !ranks.Any(rank => rank.Id == job.Id)).OrderBy(job => job.Id)
                .Take(count - found.Count)).ToListAsync(cancellation);
        }
        // of all that are ranked only these are read in full
        Guid[] ids = [.. found.Select(rank => rank.Id)];
        var full = (await Read(jobs.Where(job => ids.Contains(job.Id))).ToListAsync(cancellation)).ToDictionary(job => job.Id);
        return [.. found.Select(rank => (full[rank.Id], (double?)(Descending ? -rank.Value : rank.Value))),
            .. others.Select(job => (job, (double?)null))];
    }

    /// <summary>
    /// What is not finite has no place among the others. Written out, not a parameter, so that the indexes of those that the page of
    /// jobs is ordered by (<c>JobsByResult</c>) are seen to hold the same.
    /// </summary>
    private static string RankSql(string result)
    {
        var value = $"(result ->> '{result}')::float8";
        return $"SELECT id, {value} AS value FROM jobs WHERE result IS NOT NULL AND {value} > '-Infinity' AND {value} < 'Infinity'";
    }

    private sealed record Rank(Guid Id, double Value);
}

/// <summary>Where a page of jobs ends.</summary>
/// <param name="Id">The last job's.</param>
/// <param name="Value">What it is ordered by, with its sign in that order; null if it has none.</param>
public sealed record PageEnd(Guid Id, double? Value) : IParsable<PageEnd>
{
    public override string ToString() =>
        Value is { } value ? string.Create(CultureInfo.InvariantCulture, $"{Id} {value:R}") : $"{Id}";

    public static PageEnd Parse(string s, IFormatProvider? provider) =>
        TryParse(s, provider, out var end) ? end : throw new FormatException("no end of a page");

    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, [MaybeNullWhen(false)] out PageEnd result)
    {
        result = null;
        var value = 0.0;
        if (s?.Split(' ') is not [var first, .. var more] || !Guid.TryParse(first, out var id) || more.Length > 1
            || more.Length == 1 && !(double.TryParse(more[0], CultureInfo.InvariantCulture, out value) && double.IsFinite(value)))
            return false;
        result = new(id, more.Length == 1 ? value : null);
        return true;
    }
}
