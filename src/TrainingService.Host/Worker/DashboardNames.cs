using System.Collections.Concurrent;
using System.Globalization;
using Hangfire.Dashboard;
using Npgsql;
using TrainingService.Host.Data;

namespace TrainingService.Host.Worker;

/// <summary>
/// What Hangfire's pages call its entries, which know but ids: a job by its name, and what waits by whose it is. Names don't change, so
/// each is asked for once.
/// </summary>
public sealed class DashboardNames(NpgsqlDataSource source, TimeProvider clock)
{
    private const int MostKnown = 10_000;

    /// <summary>How long it is remembered what waits: a page asks for each of its entries.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<Guid, string> _known = new();
    private readonly ConcurrentDictionary<int, (string Text, long At)> _waiting = new();

    public string Of(DashboardContext _, Hangfire.Common.Job job)
    {
        try
        {
            return job.Method.Name == nameof(JobRunner.DrainAsync) ? WhatWaits(Array.IndexOf(Waker.Queues, job.Queue))
                : job.Args is [Guid id, ..] ? NameOf(id) : job.ToString();
        }
        catch (Exception e) when (Database.IsOutage(e))
        {
            return job.ToString();
        }
    }

    private string NameOf(Guid id)
    {
        if (_known.TryGetValue(id, out var name))
            return name;
        using var ask = source.CreateCommand("SELECT coalesce(name, '') FROM jobs WHERE id = $1");
        ask.Parameters.Add(new() { Value = id });
        using var answer = ask.ExecuteReader();
        if (!answer.Read())
            return $"job {id}, which was deleted";
        name = string.Join(" ", new[] { "job", Quoted(answer.GetString(0)), id.ToString() }.Where(part => part.Length > 0));
        if (_known.Count < MostKnown)
            _known[id] = name;
        return name;
    }

    /// <summary>Entries for jobs of sweeps are alike: whoever takes one takes what comes next, until nothing waits.</summary>
    private string WhatWaits(int priority)
    {
        if (priority < 0)
            return "all that waits";
        if (_waiting.TryGetValue(priority, out var known) && clock.GetElapsedTime(known.At) < Fresh)
            return known.Text;
        using var ask = source.CreateCommand("""
            SELECT coalesce(sweeps.name, ''), count(*), min(waiting.sweep_id::text), count(*) OVER () FROM (
                SELECT sweep_id FROM jobs WHERE status = 'queued' AND priority = $1 AND sweep_id IS NOT NULL LIMIT 100000) waiting
            JOIN sweeps ON sweeps.id = waiting.sweep_id GROUP BY sweeps.id, sweeps.name ORDER BY sweeps.id LIMIT 1
            """);
        ask.Parameters.Add(new() { Value = (short)priority });
        using var answer = ask.ExecuteReader();
        var text = $"all that waits with priority {Waker.Queues[priority]}";
        if (answer.Read())
            text += string.Create(CultureInfo.InvariantCulture, $", now {answer.GetInt64(1):N0} cells of sweep ")
                + $"{(answer.GetString(0) is { Length: > 0 } name ? Quoted(name) : answer.GetString(2))}"
                + (answer.GetInt64(3) is > 1 and var sweeps ? $" and those of {sweeps - 1} other{(sweeps > 2 ? "s" : "")}" : "");
        _waiting[priority] = (text, clock.GetTimestamp());
        return text;
    }

    private static string Quoted(string name) => name.Length == 0 ? "" : $"'{name}'";
}
