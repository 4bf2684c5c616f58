using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

[Collection(nameof(ApiOnly))]
public sealed class IdempotencyTests(ApiOnly api)
{
    private const string Header = "Idempotency-Key", Body = """{"dataset": "digits"}""";

    private static string NewKey => $"key {Guid.NewGuid()}";

    [Fact]
    public async Task A_repetition_gets_the_first_answer_and_creates_nothing()
    {
        var key = NewKey;
        var first = await api.Http.PostJob(Body, (Header, key));
        var count = await api.CountJobsAsync();
        // Written differently, but the same request.
        var second = await api.Http.PostJob("""{ "dataset": {"name": "digits"} }""", (Header, key));
        Assert.Equal((202, first.Text, first.Headers.Location), (second.Status, second.Text, second.Headers.Location));
        Assert.Equal("true", Assert.Single(second.Headers.GetValues("Idempotency-Replayed")));
        Assert.False(first.Headers.Contains("Idempotency-Replayed"));
        Assert.Equal(count, await api.CountJobsAsync());
    }

    [Fact]
    public async Task The_key_of_another_request_is_422()
    {
        var key = NewKey;
        await api.Http.PostJob(Body, (Header, key));
        var answer = await api.Http.PostJob("""{"dataset": "iris"}""", (Header, key));
        answer.MustBeProblem(422, "idempotency-key-reused");
    }

    [Fact]
    public async Task A_refused_request_is_not_remembered()
    {
        var key = NewKey;
        (await api.Http.PostJob("""{"dataset": "nope"}""", (Header, key))).MustBeProblem(400, "validation");
        Assert.Equal(202, (await api.Http.PostJob(Body, (Header, key))).Status);
    }

    [Fact]
    public async Task Duplicates_at_once_make_one_job()
    {
        for (var round = 0; round < 5; round++)
        {
            var key = NewKey;
            var count = await api.CountJobsAsync();
            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => api.Http.PostJob(Body, (Header, key))));
            Assert.Equal(count + 1, await api.CountJobsAsync());
            Assert.Single(answers.Where(a => a.Status == 202).Select(a => a.Id).Distinct());
            foreach (var late in answers.Where(a => a.Status != 202))
                late.MustBeProblem(409, "idempotency-key-in-flight");
        }
    }

    [Fact]
    public async Task A_request_in_flight_is_409_with_Retry_After()
    {
        var key = NewKey;
        await using var db = api.NewDbContext();
        await using var transaction = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
        var lockId = BitConverter.ToInt64(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(key)));
        await db.Database.ExecuteSqlAsync($"SELECT pg_advisory_xact_lock({lockId})", TestContext.Current.CancellationToken);
        var answer = await api.Http.PostJob(Body, (Header, key));
        answer.MustBeProblem(409, "idempotency-key-in-flight");
        Assert.NotNull(answer.Headers.RetryAfter);
        await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        Assert.Equal(202, (await api.Http.PostJob(Body, (Header, key))).Status);
    }

    [Fact]
    public async Task After_a_day_a_key_is_forgotten()
    {
        var old = NewKey;
        var first = await api.Http.PostJob(Body, (Header, old));
        await using var db = api.NewDbContext();
        await db.IdempotencyKeys.Where(k => k.Key == old)
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.CreatedAt, DateTimeOffset.UtcNow.AddHours(-25)),
                TestContext.Current.CancellationToken);
        var second = await api.Http.PostJob(Body, (Header, old));
        Assert.Equal(202, second.Status);
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(second.Text, (await api.Http.PostJob(Body, (Header, old))).Text);
    }

    [Fact]
    public async Task An_empty_key_is_none()
    {
        var (first, second) = (await api.Http.PostJob(Body, (Header, "")), await api.Http.PostJob(Body, (Header, "")));
        Assert.Equal((202, 202), (first.Status, second.Status));
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(202, (await api.Http.Send("POST", $"/api/v1/jobs/{first.Id}/cancel", null, ("If-Match", ""))).Status);
    }

    [Theory]
    [InlineData("\u00e9")]
    [InlineData("a\tb")]
    public async Task A_key_that_is_not_printable_ASCII_is_400(string key)
    {
        using var sockets = new SocketsHttpHandler { RequestHeaderEncodingSelector = (_, _) => System.Text.Encoding.UTF8 };
        using var http = new HttpClient(sockets) { BaseAddress = api.Http.BaseAddress };
        var answer = await http.PostJob(Body, (Header, key));
        answer.MustBeProblem(400, "validation");
        Assert.Contains("ASCII", answer.Error("/Idempotency-Key"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_of_255_characters_is_taken_and_one_of_256_is_not()
    {
        var key = Guid.NewGuid().ToString("n").PadRight(255, 'x');
        Assert.Equal(202, (await api.Http.PostJob(Body, (Header, key))).Status);
        (await api.Http.PostJob(Body, (Header, key + "x"))).MustBeProblem(400, "validation");
    }
}
