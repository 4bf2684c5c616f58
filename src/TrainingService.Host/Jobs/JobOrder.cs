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
    /// <param name="cancellation">Of the query.</param>
    public async Task<IReadOnlyList<(Job Job, double? Value)>> TakeAsync(TrainingDbContext db, IQueryable<Job> jobs, PageEnd? last,
        int count, CancellationToken cancellation)
    {
        if (Result is null)
        {
            if (last is not null)
                jobs = Descending ? jobs.Where(job => job.Id < last.Id) : jobs.Where(job => job.Id > last.Id);
            jobs = Descending ? jobs.OrderByDescending(job => job.Id) : jobs.OrderBy(job => job.Id);
            return [.. (await jobs.Take(count).ToListAsync(cancellation)).Select(job => (job, (double?)null))];
        }
        // What is not finite has no place among the others.
        var sign = Descending ? -1.0 : 1.0;
        var ranks = db.Database.SqlQuery<Rank>($"""
            SELECT id, {sign} * (result ->> {Result})::float8 AS value FROM jobs
            WHERE result ->> {Result} NOT IN ('NaN', 'Infinity', '-Infinity')
            """);
        var ranked = from job in jobs
                     join rank in ranks on job.Id equals rank.Id into found
                     from rank in found.DefaultIfEmpty()
                     select new { Job = job, Value = (double?)rank.Value };
        if (last is { Value: { } value })
            ranked = ranked.Where(r => r.Value > value || r.Value == null || r.Value == value && r.Job.Id > last.Id);
        else if (last is not null)
            ranked = ranked.Where(r => r.Value == null && r.Job.Id > last.Id);
        return [.. (await ranked.OrderBy(r => r.Value == null).ThenBy(r => r.Value).ThenBy(r => r.Job.Id).Take(count)
            .ToListAsync(cancellation)).Select(r => (r.Job, r.Value))];
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
