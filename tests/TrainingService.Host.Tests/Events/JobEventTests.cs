using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Events;

/// <summary>What is told of a job, to whom it was told partly, too.</summary>
public sealed class JobEventTests(Service service)
{
    private HttpClient Http => service.Http;

    [Fact]
    public async Task A_finished_job_is_told_from_its_first_event_to_its_end_and_from_any_other()
    {
        // a rate at which it finds something to say
        var id = await Http.SubmitAsync(epochs: 3, everySteps: 5, learningRate: 3);
        var job = await Http.WaitForEndAsync(id);
        var all = await Http.ReadAllAsync(id.Events());

        Assert.Equal((string[])["status queued", "status running"], all.Take(2).Select(told => $"{told.Type} {told.Status}"));
        Assert.Equal((string[])[$"status {job.Status()}", $"done {job.Status()}"],
            all.TakeLast(2).Select(told => $"{told.Type} {told.Status}"));
        Assert.Equal(await Http.StoredRowsAsync(id), all.Rows());
        Assert.Equal(job.GetProperty("progress").ToString(), Assert.Single(all, told => told.Type == "progress").Data);
        Assert.Equal(job.GetProperty("result").ToString(), all[^1].Json.GetProperty("result").ToString());
        var findings = (await Http.GetAnswer($"/api/v1/jobs/{id}/findings"))["items"].EnumerateArray().Select(f => f.ToString());
        Assert.NotEmpty(findings);
        Assert.Equal(findings.Order(StringComparer.Ordinal),
            all.Where(told => told.Type == "finding").Select(told => told.Data).Order(StringComparer.Ordinal));
        Assert.Equal(all.Count, all.Select(told => told.Id).Distinct().Count());

        foreach (var (i, told) in all.Index().SkipLast(1))
            Assert.Equal(all.Skip(i + 1), await Http.ReadAllAsync(id.Events(), told.Id));
        Assert.Equal(all.Skip(3), await Http.ReadAllAsync($"{id.Events()}?lastEventId={all[2].Id}"));
        Assert.Equal(all.Where(told => told.Type is "status" or "done").Select(told => told.Data),
            (await Http.ReadAllAsync($"{id.Events()}?types=done,status")).Select(told => told.Data));
        Assert.Contains("no kind of event 'metric'", (await Http.GetAnswer($"{id.Events()}?types=done,metric")).Error("/types"),
            StringComparison.Ordinal);
        Assert.Equal(204, (await Http.GetAnswer(id.Events(), ("Last-Event-ID", all[^1].Id))).Status);
    }

    /// <summary>It runs until both were told enough, however fast it trains and however seldom they are told.</summary>
    [Fact]
    public async Task While_it_runs_each_reader_is_told_all_once()
    {
        var id = await Http.SubmitAsync(Client.Hours, everySteps: 10);
        var wanting = 2;
        var early = FollowAsync();
        await Http.WaitForStepAsync(id);
        foreach (var events in await Task.WhenAll(early, FollowAsync()))
        {
            Assert.Equal(await Http.StoredRowsAsync(id), events.Rows());
            // that it is canceling, only who looks in time
            Assert.Equal((string[])["queued", "running", "canceled"],
                events.Where(told => told.Type == "status").Select(told => told.Status).Where(status => status != "canceling"));
            var progress = events.Where(told => told.Type == "progress").Select(told => told.Data).ToList();
            Assert.Equal(progress.Distinct(), progress);
        }

        async Task<List<Told>> FollowAsync()
        {
            var (events, isEnough) = (new List<Told>(), false);
            await foreach (var told in Http.ReadAsync(id.Events()))
            {
                events.Add(told);
                if (isEnough || events.Count(e => e.Type == "progress") < 3 || events.Rows().Count() < 100)
                    continue;
                isEnough = true;
                if (Interlocked.Decrement(ref wanting) == 0)
                    Assert.Equal(202, (await Http.Send("POST", $"/api/v1/jobs/{id}/cancel")).Status);
            }
            return events;
        }
    }

    [Fact]
    public async Task A_job_that_is_canceled_before_it_begins_and_then_run_again_tells_so()
    {
        var id = Guid.Parse((await Http.PostJob("""{"dataset": "digits", "training": {"epochs": 100000}}""")).Id);
        await Http.WaitForStepAsync(id);
        Assert.Equal(202, (await Http.Send("POST", $"/api/v1/jobs/{id}/cancel")).Status);
        await Http.WaitForEndAsync(id);
        var first = await Http.ReadAllAsync(id.Events());
        Assert.Equal("done canceled", $"{first[^1].Type} {first[^1].Status}");
        Assert.Equal(202, (await Http.Send("POST", $"/api/v1/jobs/{id}/retry")).Status);
        var again = new List<Told>();
        await foreach (var told in Http.ReadAsync(id.Events(), first[^1].Id))
        {
            again.Add(told);
            if (told is { Type: "status", Status: "running" })
                await Http.Send("POST", $"/api/v1/jobs/{id}/cancel");
        }
        Assert.Equal(("status", "done canceled", 2), (again[0].Type, $"{again[^1].Type} {again[^1].Status}",
            again[^1].Json.GetProperty("attempt").GetInt32()));
        Assert.Empty(first.Rows().Intersect(again.Rows()));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("........")]
    [InlineData("99999999.1.running.5.5.1")]
    public async Task What_is_no_id_of_its_events_is_refused_by_name(string lastEventId)
    {
        var id = await Http.SubmitAsync();
        var answer = await Http.GetAnswer(id.Events(), ("Last-Event-ID", lastEventId));
        answer.MustBeProblem(400, "validation");
        Assert.Contains($"'{lastEventId}' is no id of an event of this stream", answer.Error("/Last-Event-ID"), StringComparison.Ordinal);
        Assert.Contains("is no id", (await Http.GetAnswer($"{id.Events()}?lastEventId={lastEventId}")).Error("/lastEventId"),
            StringComparison.Ordinal);
        (await Http.GetAnswer(Guid.NewGuid().Events())).MustBeProblem(404, "not-found");
    }
}
