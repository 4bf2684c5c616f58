using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>What is refused where enough waits or is being read.</summary>
public sealed class QueueLimitTests(Service service) : IAsyncLifetime
{
    private string _database = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task A_full_queue_takes_nothing_until_there_is_room_again()
    {
        await using var api = await HostProcess.StartAsync("api", _database,
            new Dictionary<string, string?> { ["TRAINING_QUEUE_JOBS"] = "3" });
        var sweep = $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""";
        var first = await api.Http.PostJob("""{"dataset": "iris"}""", ("Idempotency-Key", "first"));
        var made = await api.Http.SubmitSweep(sweep);
        Answer refused;
        // the count may be a second old
        for (var limit = DateTime.UtcNow.AddMinutes(1); (refused = await api.Http.PostJob("""{"dataset": "iris"}""")).Status == 202;
            await Task.Delay(100, Cancellation))
            Assert.True(DateTime.UtcNow < limit);
        refused.MustBeProblem(429, "too-many");
        Assert.NotNull(refused.Headers.RetryAfter);
        (await api.Http.PostSweep(sweep)).MustBeProblem(429, "too-many");
        (await api.Http.Send("POST", "/api/v1/studies/init-pairing", "{}")).MustBeProblem(429, "too-many");
        Assert.Equal(200, (await api.Http.Send("POST", "/api/v1/jobs?validateOnly=true", """{"dataset": "iris"}""")).Status);
        Assert.Equal(429, (await api.Http.Send("POST", "/api/v1/jobs?validateOnly=false", """{"dataset": "iris"}""")).Status);
        // what was answered before the queue was full is answered so again
        var again = await api.Http.PostJob("""{"dataset": "iris"}""", ("Idempotency-Key", "first"));
        Assert.Equal((202, first.Id), (again.Status, again.Id));
        Assert.Equal(202, (await api.Http.Send("POST", $"{SweepClient.Root}/{made}/cancel")).Status);
        foreach (var job in (await api.Http.GetAnswer("/api/v1/jobs?status=queued"))["items"].EnumerateArray())
            await api.Http.Send("POST", $"/api/v1/jobs/{job.GetProperty("id").GetString()}/cancel");
        Assert.Equal(202, (await api.Http.PostJob("""{"dataset": "iris"}""")).Status);
    }

    [Fact]
    public async Task Clients_that_read_slowly_do_not_take_all_connections()
    {
        await using var api = await HostProcess.StartAsync("api", _database);
        var id = await api.Http.SubmitAsync();
        await using (var db = Service.Context(_database))
            await db.Database.ExecuteSqlAsync($"""
                INSERT INTO job_metrics (job_id, step, split, epoch, loss) SELECT {id}, n, 0, n, n FROM generate_series(1, 400000) n
                """, Cancellation);
        var path = new Uri($"/api/v1/jobs/{id}/metrics", UriKind.Relative);
        List<HttpResponseMessage> slow = [];
        while (slow.Count < 10)
        {
            slow.Add(await ExportAsync());
            Assert.Equal(200, (int)slow[^1].StatusCode);
        }
        using (var refused = await ExportAsync())
        {
            Assert.Equal(429, (int)refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
        }
        // who wants curves is none of them
        Assert.Equal(200, (await api.Http.GetAnswer($"{path}?maxPoints=10")).Status);
        slow.ForEach(answer => answer.Dispose());
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20, Cancellation))
        {
            using var again = await ExportAsync();
            if (again.IsSuccessStatusCode)
                break;
            Assert.True(DateTime.UtcNow < limit);
        }

        async Task<HttpResponseMessage> ExportAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", "text/csv" } } };
            return await api.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        }
    }

    [Fact]
    public async Task Text_is_compressed_for_those_who_take_it()
    {
        using var handler = new SocketsHttpHandler();
        using var http = new HttpClient(handler) { BaseAddress = service.Http.BaseAddress };
        var plain = await http.GetByteArrayAsync(new Uri("/openapi/v1.json", UriKind.Relative), Cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/openapi/v1.json", UriKind.Relative));
        request.Headers.Add("Accept-Encoding", "gzip");
        using var answer = await http.SendAsync(request, Cancellation);
        Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
        Assert.InRange((await answer.Content.ReadAsByteArrayAsync(Cancellation)).Length, 1, plain.Length / 4);
    }
}
