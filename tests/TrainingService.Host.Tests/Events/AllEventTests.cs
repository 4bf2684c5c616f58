using TrainingService.Host.Access;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Events;

/// <summary>What is told of all that one may see.</summary>
public sealed class AllEventTests(Service service) : IAsyncLifetime
{
    private const string AdminKey = "an-operators-key-of-some-length", Events = "/api/v1/events";
    private static readonly (string, string) Admin = ("X-Api-Key", AdminKey);

    private string _database = "";

    public async ValueTask InitializeAsync() => _database = await service.CreateMigratedDatabaseAsync();

    public async ValueTask DisposeAsync() => await service.Postgres.DropDatabaseAsync(_database);

    [Fact]
    public async Task Each_reader_is_told_of_what_is_theirs_and_goes_on_in_another_process()
    {
        await using var host = await HostProcess.StartAsync("all", _database, Closed);
        await using var other = await HostProcess.StartAsync("api", _database, Closed);
        var (ada, eve) = (await KeyAsync(host, "ada"), await KeyAsync(host, "eve"));
        await using var reading = ada.ReadAsync(Events).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await using var hers = eve.ReadAsync(Events).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        Assert.True(await reading.MoveNextAsync() && await hers.MoveNextAsync());
        Assert.Equal(("begin", "begin"), (reading.Current.Type, hers.Current.Type));
        var all = new List<Told> { reading.Current };

        var job = (await ada.PostJob("""{"dataset": "iris", "training": {"epochs": 1}}""")).Id;
        var sweep = (await ada.PostSweep($$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""")).Id;
        var own = (await eve.PostJob("""{"dataset": "wine", "training": {"epochs": 1}}""")).Id;
        while (!(Ended(all, "job", job) && Ended(all, "sweep", sweep)) && await reading.MoveNextAsync())
            all.Add(reading.Current);
        // a sweep's jobs are told by its own stream
        var cells = (await ada.GetAnswer($"/api/v1/sweeps/{sweep}/jobs")).Json.List("items").Select(cell => cell.Text("id")).ToList();
        Assert.Equal(4, cells.Count);
        Assert.DoesNotContain(all.Skip(1).Select(Id), id => cells.Contains(id) || id == own);
        while (hers.Current.Type == "begin" || hers.Current.Status != "succeeded")
        {
            Assert.True(await hers.MoveNextAsync());
            Assert.Equal(("job", own), (hers.Current.Type, Id(hers.Current)));
        }

        // from any event on, what was told afterwards and not yet, by whichever process; then what is new
        using var elsewhere = new HttpClient { BaseAddress = other.Http.BaseAddress };
        elsewhere.DefaultRequestHeaders.Add("X-Api-Key", ada.DefaultRequestHeaders.GetValues("X-Api-Key"));
        var next = (await ada.PostJob("""{"dataset": "iris", "training": {"epochs": 2}}""")).Id;
        foreach (var (i, told) in all.Index())
        {
            var rest = new List<Told>();
            await foreach (var more in elsewhere.ReadAsync(Events, told.Id))
            {
                rest.Add(more);
                if (Ended(rest, "job", next))
                    break;
            }
            Assert.DoesNotContain(rest, one => one.Type == "begin");
            Assert.Equal(all.Skip(i + 1).Any(one => Id(one) == job), rest.Any(one => Id(one) == job));
            Assert.Equal(all.Skip(i + 1).Any(one => Id(one) == sweep), rest.Any(one => Id(one) == sweep));
            Assert.Equal(rest.Count, rest.Select(one => one.Id).Distinct().Count());
        }
        (await ada.GetAnswer(Events, ("Last-Event-ID", "all.x"))).MustBeProblem(400, "validation");
    }

    private static Dictionary<string, string?> Closed => new() { [AccessSettings.AdminKey] = AdminKey };

    private static string Id(Told told) => told.Json.GetProperty("id").GetString()!;

    private static bool Ended(IEnumerable<Told> all, string type, string id) =>
        all.Any(told => told.Type == type && Id(told) == id && told.Status == "succeeded");

    private static async Task<HttpClient> KeyAsync(HostProcess host, string owner)
    {
        var http = new HttpClient { BaseAddress = host.Http.BaseAddress };
        http.DefaultRequestHeaders.Add("X-Api-Key", (await host.Http.Send("POST", "/api/v1/keys",
            $$"""{"name": "laptop", "owner": "{{owner}}"}""", Admin))["key"].GetString());
        return http;
    }
}
