using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>Places in a queue that is longer than what is counted at each look.</summary>
[Collection(nameof(ApiOnly))]
public sealed class QueuePositionTests(ApiOnly api)
{
    private const int Cells = 3 * QueueMarks.Spacing + 7;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_job_of_a_long_queue_is_told_how_many_are_before_it()
    {
        var id = await api.Http.SubmitSweep($$"""
            {"base": {{SweepClient.Tiny}}, "arms": [{"name": "a", "patch": {} }], "seedCount": {{Cells}} }
            """);
        try
        {
            await MustBeRightAsync(id, Cells);
            // those that leave are missed within a moment, wherever they were
            await using (var db = api.NewDbContext())
                await db.Database.ExecuteSqlAsync($"""
                    UPDATE jobs SET status = 'canceled', finished_at = now() WHERE id IN (
                        SELECT id FROM jobs WHERE sweep_id = {Guid.Parse(id)} AND status = 'queued' ORDER BY id LIMIT 50)
                    """, Cancellation);
            await MustBeRightAsync(id, Cells - 50);
        }
        finally
        {
            await api.Http.Send("POST", $"{SweepClient.Root}/{id}/cancel");
        }
    }

    [Theory, InlineData(5), InlineData(Cells)]
    public async Task What_has_a_higher_priority_is_before_all_others(int cells)
    {
        List<string> ids = [];
        try
        {
            foreach (var priority in (string[])["low", "high", "normal"])
                ids.Add(await api.Http.SubmitSweep($$"""
                    {"base": {{SweepClient.Tiny.TrimEnd()[..^1]}}, "priority": "{{priority}}"},
                        "arms": [{"name": "a", "patch": {} }], "seedCount": {{cells}} }
                    """));
            foreach (var id in ids)
                await MustBeRightAsync(id, cells);
        }
        finally
        {
            foreach (var id in ids)
                await api.Http.Send("POST", $"{SweepClient.Root}/{id}/cancel");
        }
    }

    private async Task MustBeRightAsync(string sweep, int count)
    {
        await using var db = api.NewDbContext();
        var ids = await db.Jobs.Where(job => job.Status == JobStatus.Queued).OrderBy(job => job.Priority).ThenBy(job => job.Id)
            .Select(job => job.Id).ToListAsync(Cancellation);
        Dictionary<Guid, int> told = [];
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(50, Cancellation))
        {
            var jobs = await api.Http.SweepJobs(sweep, "&status=queued");
            told = jobs.ToDictionary(job => Guid.Parse(job.Text("id")), job => job.Int("queuePosition"));
            Assert.Equal(count, told.Count);
            // a place may count some that have just left still, so that it is beyond the queue's end
            if (told.All(job => ids.ElementAtOrDefault(job.Value - 1) == job.Key))
                break;
            Assert.True(DateTime.UtcNow < limit, "Places stay wrong.");
        }
        // all at once
        await Task.WhenAll(told.Where(job => job.Value % 10 == 0).Select(async job =>
            Assert.Equal(job.Value, (await api.Http.GetJobAsync(job.Key)).Int("queuePosition"))));
    }
}
