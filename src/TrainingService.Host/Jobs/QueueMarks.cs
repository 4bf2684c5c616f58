using System.Diagnostics;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

/// <summary>
/// How much waits before every 32nd job of the queue and the first of each priority, remembered a while, so that of a long queue only
/// what is behind the last of these is counted at each look. A place so far back may be a moment old; nearer to the head all is counted.
/// </summary>
public sealed class QueueMarks
{
    public const int Spacing = 32;

    /// <summary>What is remembered is read anew after so many times as long as that takes: 2 % of a core at most.</summary>
    public const int Pause = 50;

    private Marks _marks = new([], []);
    private volatile bool _areWanted;
    private long _dueAt;
    private int _isSetting;

    /// <summary>A place was far back: of a queue without one all is counted, and nothing is remembered.</summary>
    public void Want() => _areWanted = true;

    /// <summary>The last mark before a place; the queue's head if there is none.</summary>
    public async Task<Func<Job, QueueMark>> ReadAsync(TrainingDbContext db, CancellationToken cancellation)
    {
        if (_areWanted && Environment.TickCount64 >= Volatile.Read(ref _dueAt) && Interlocked.Exchange(ref _isSetting, 1) == 0)
        {
            try
            {
                var begun = Stopwatch.GetTimestamp();
                var marks = await db.Database.SqlQuery<QueueMark>($"""
                    SELECT priority, id, jobs, seconds FROM (
                        SELECT priority, id, row_number() OVER queue - 1 AS jobs, sum(cost) OVER queue - cost AS seconds,
                            priority IS DISTINCT FROM lag(priority) OVER queue AS is_first
                        FROM jobs WHERE status = 'queued' WINDOW queue AS (ORDER BY priority, id)) places
                    WHERE jobs >= {Spacing} AND (is_first OR jobs % {Spacing} = 0) ORDER BY jobs
                    """).ToArrayAsync(cancellation);
                _areWanted = marks.Length > 0;
                _marks = new([.. marks.Select(mark => (mark.Priority, mark.Id))], marks);
                Volatile.Write(ref _dueAt,
                    Environment.TickCount64 + (long)(Pause * Stopwatch.GetElapsedTime(begun).TotalMilliseconds));
            }
            finally
            {
                Volatile.Write(ref _isSetting, 0);
            }
        }
        return _marks.Before;
    }

    private sealed record Marks((short Priority, Guid Id)[] Places, QueueMark[] All)
    {
        public QueueMark Before(Job job)
        {
            var index = Array.BinarySearch(Places, (job.Priority, job.Id));
            index = index < 0 ? ~index - 1 : index;
            return index < 0 ? QueueMark.Head : All[index];
        }
    }
}

/// <param name="Jobs">Jobs that wait before this one.</param>
/// <param name="Seconds">What they cost together.</param>
public sealed record QueueMark(short Priority, Guid Id, long Jobs, double Seconds)
{
    public static readonly QueueMark Head = new(0, Guid.Empty, 0, 0);
}
