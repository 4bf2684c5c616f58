using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TrainingService.Host.Tests.Webhooks;

/// <summary>A call, as it came.</summary>
public sealed record Call(string Path, string Id, long Timestamp, string Signature, string Body);

/// <summary>Whom the service notifies.</summary>
public sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Receiver(WebApplication app) => _app = app;

    public ConcurrentQueue<Call> Calls { get; } = new();

    /// <summary>What it answers from now on.</summary>
    public int Status { get; set; } = 204;

    public string Url(string path = "/") => _app.Urls.First() + path;

    public static async Task<Receiver> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new Receiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync();
        return receiver;
    }

    /// <summary>Waits for what is sure to come; the limit only ends a broken test.</summary>
    public async Task<Call[]> CallsAsync(int count, string path = "/")
    {
        for (var limit = DateTime.UtcNow.AddMinutes(1); ; await Task.Delay(20))
        {
            var calls = Calls.Where(call => call.Path == path).ToArray();
            if (calls.Length >= count)
                return calls;
            if (DateTime.UtcNow > limit)
                throw new TimeoutException($"Waited in vain for {count} calls; there are {string.Join("; ", Calls)}");
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body);
        var body = await reader.ReadToEndAsync();
        string Header(string name) => http.Request.Headers[name].ToString();
        Calls.Enqueue(new($"{http.Request.Path}", Header("webhook-id"), long.Parse(Header("webhook-timestamp"), null),
            Header("webhook-signature"), body));
        if (Status is >= 300 and < 400)
            http.Response.Headers.Location = Url("/elsewhere");
        http.Response.StatusCode = Status;
    }
}
