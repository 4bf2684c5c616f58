extern alias made;

using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using made::TrainingService.Client;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Events;

/// <summary>The client for .NET waits by events, and where there are none by asking again.</summary>
public sealed class ClientTests(Service service)
{
    [Fact]
    public async Task A_job_is_awaited_by_its_events_though_the_process_that_tells_them_is_replaced()
    {
        var database = await service.CreateMigratedDatabaseAsync();
        var urls = new Dictionary<string, string?> { ["ASPNETCORE_URLS"] = $"http://127.0.0.1:{FreePort()}" };
        await using (var worker = HostProcess.Launch("worker", database))
        {
            var first = await HostProcess.StartAsync("api", database, urls);
            HostProcess? second = null;
            try
            {
                using var client = ClientOf(first.Http.BaseAddress, out var requests);
                var id = await first.Http.SubmitAsync(Client.Hours);
                var told = new Reports<JobResponse>();
                var waiting = client.Jobs.WaitAsync(id, told, TestContext.Current.CancellationToken);
                await told.UntilAsync(job => job.Progress.Step > 0);
                await first.KillAsync();
                var before = told.All.Count;
                second = await HostProcess.StartAsync("api", database, urls);
                var polled = requests.Paths.Count;
                while (told.All.Count < before + 3)
                    await Task.Delay(20, TestContext.Current.CancellationToken);
                Assert.Equal(202, (await second.Http.Send("POST", $"/api/v1/jobs/{id}/cancel")).Status);
                Assert.Equal(JobStatus.Canceled, (await waiting).Status);
                Assert.Equal(told.All.Select(each => each.Progress.Step), told.All.Select(each => each.Progress.Step).Order());
                Assert.InRange(requests.Paths.Count - polled, 1, 8);
                Assert.Contains(requests.Paths, path => path.Contains("lastEventId=", StringComparison.Ordinal));
            }
            finally
            {
                await first.DisposeAsync();
                if (second is not null)
                    await second.DisposeAsync();
            }
        }
        await service.Postgres.DropDatabaseAsync(database);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_job_and_a_sweep_come_to_their_end_with_events_and_without(bool hasEvents)
    {
        using var client = ClientOf(service.Http.BaseAddress, out var requests, hasEvents);
        var jobs = new Reports<JobResponse>();
        var job = await client.Jobs.RunAsync(new JobSpec { Dataset = "iris", Training = new() { Epochs = 5 } }, jobs,
            TestContext.Current.CancellationToken);
        Assert.Equal(job, jobs.All[^1]);
        var sweeps = new Reports<SweepResponse>();
        var sweep = await service.Http.SubmitSweep(
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 20}""");
        var ended = await client.Sweeps.WaitAsync(Guid.Parse(sweep), sweeps, TestContext.Current.CancellationToken);
        Assert.Equal((40, 1.0), (ended.Counts.Succeeded, ended.Progress.Fraction));
        Assert.Equal(ended, sweeps.All[^1]);
        Assert.Equal(sweeps.All.Select(each => each.Progress.Finished), sweeps.All.Select(each => each.Progress.Finished).Order());
        Assert.Contains(requests.Paths, path => path.Contains("/events", StringComparison.Ordinal));
    }

    private static TrainingClient ClientOf(Uri? address, out Requests requests, bool hasEvents = true)
    {
        requests = new(hasEvents);
        return new(new HttpClient(requests),
            new TrainingClientOptions { Address = address, Retries = 60, LongestDelay = TimeSpan.FromSeconds(1) });
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>What was asked for; without events it is as if the service were from before there were any.</summary>
    private sealed class Requests(bool hasEvents) : DelegatingHandler(new SocketsHttpHandler())
    {
        public ConcurrentQueue<string> Paths { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var path = request.RequestUri?.PathAndQuery ?? "";
            Paths.Enqueue(path);
            return hasEvents || !path.Contains("/events", StringComparison.Ordinal) ? await base.SendAsync(request, cancellationToken)
                : new(HttpStatusCode.NotFound);
        }
    }

    private sealed class Reports<T> : IProgress<T>
    {
        private readonly ConcurrentQueue<T> _all = [];

        public IReadOnlyList<T> All => [.. _all];

        public void Report(T value) => _all.Enqueue(value);

        public async Task UntilAsync(Func<T, bool> isIt)
        {
            while (!_all.Any(isIt))
                await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }
}
