using System.Collections.Concurrent;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>A part of a trace, as OTLP tells it.</summary>
public sealed record Span(string Trace, string Id, string Parent, string Name);

/// <summary>Takes what a service exports by OTLP over HTTP.</summary>
public sealed class Collector : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Collector(WebApplication app) => _app = app;

    public ConcurrentQueue<Span> Spans { get; } = new();

    /// <summary>Names.</summary>
    public ConcurrentDictionary<string, bool> Metrics { get; } = new();

    /// <summary>What makes a service export to here, soon.</summary>
    public Dictionary<string, string?> Environment => new()
    {
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = _app.Urls.First(),
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "50",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
    };

    public static async Task<Collector> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var collector = new Collector(builder.Build());
        collector._app.MapPost("/v1/traces", async (HttpRequest request) =>
        {
            // resource spans, scope spans, spans
            foreach (var span in Parts(Parts(Parts([await Read(request)], 1), 2), 2))
                collector.Spans.Enqueue(new(Hex(span, 1), Hex(span, 2), Hex(span, 4),
                    Parts([span], 5).Select(name => name.ToStringUtf8()).First()));
        });
        collector._app.MapPost("/v1/metrics", async (HttpRequest request) =>
        {
            foreach (var name in Parts(Parts(Parts(Parts([await Read(request)], 1), 2), 2), 1))
                collector.Metrics[name.ToStringUtf8()] = true;
        });
        await collector._app.StartAsync();
        return collector;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static async Task<ByteString> Read(HttpRequest request) => await ByteString.FromStreamAsync(request.Body);

    private static string Hex(ByteString span, uint field) =>
        Convert.ToHexStringLower(Parts([span], field).Select(id => id.ToByteArray()).FirstOrDefault() ?? []);

    /// <summary>The fields with this number, which have lengths, of messages.</summary>
    private static List<ByteString> Parts(IEnumerable<ByteString> messages, uint field)
    {
        var found = new List<ByteString>();
        foreach (var message in messages)
        {
            var input = message.CreateCodedInput();
            for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
                if (tag == WireFormat.MakeTag((int)field, WireFormat.WireType.LengthDelimited))
                    found.Add(input.ReadBytes());
                else
                    input.SkipLastField();
        }
        return found;
    }
}
