using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>A web server on this machine that gives files, as badly as a test wants it to.</summary>
public sealed class FileServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<(string Path, string? Range)> _asked = new();

    private FileServer(RequestDelegate answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(context =>
        {
            _asked.Enqueue((context.Request.Path, context.Request.Headers.Range));
            return answer(context);
        });
    }

    public string Address => _app.Urls.Single();

    /// <summary>What was asked for so far.</summary>
    public IReadOnlyList<(string Path, string? Range)> Asked => [.. _asked];

    public static async Task<FileServer> StartAsync(RequestDelegate answer)
    {
        var server = new FileServer(answer);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        return server;
    }

    /// <summary>Gives a content, or the range of it that is asked for, and breaks the connection after so many bytes.</summary>
    public static async Task Give(HttpContext context, byte[] content, int cutAfter = int.MaxValue)
    {
        var from = context.Request.GetTypedHeaders().Range?.Ranges.Single().From ?? 0;
        if (from >= content.Length)
        {
            context.Response.StatusCode = StatusCodes.Status416RangeNotSatisfiable;
            context.Response.Headers.ContentRange = $"bytes */{content.Length}";
            return;
        }
        if (from > 0)
        {
            context.Response.StatusCode = StatusCodes.Status206PartialContent;
            context.Response.Headers.ContentRange = $"bytes {from}-{content.Length - 1}/{content.Length}";
        }
        context.Response.ContentLength = content.Length - from;
        var length = (int)Math.Min(content.Length - from, cutAfter);
        await context.Response.Body.WriteAsync(content.AsMemory((int)from, length));
        await context.Response.Body.FlushAsync();
        if (from + length < content.Length)
            context.Features.GetRequiredFeature<IHttpRequestLifetimeFeature>().Abort();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
