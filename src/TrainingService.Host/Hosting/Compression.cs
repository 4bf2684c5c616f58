using System.IO.Compression;
using Microsoft.AspNetCore.ResponseCompression;
using TrainingService.Host.Http;

namespace TrainingService.Host.Hosting;

/// <summary>Text is compressed for those who take that; not files that are so by themselves, nor streams of events.</summary>
public static class Compression
{
    private static readonly string[] Texts =
        [MediaTypes.Json, Problems.MediaType, MediaTypes.Csv, MediaTypes.Ndjson, "text/html", "text/markdown", "text/css",
            "text/javascript", "application/javascript", "image/svg+xml", "text/plain"];

    public static void AddCompression(this WebApplicationBuilder builder)
    {
        builder.Services.AddResponseCompression(compression =>
        {
            // no answer mixes secrets with what a stranger may have sent
            compression.EnableForHttps = true;
            compression.MimeTypes = Texts;
        });
        builder.Services.Configure<GzipCompressionProviderOptions>(gzip => gzip.Level = CompressionLevel.Fastest);
        builder.Services.Configure<BrotliCompressionProviderOptions>(brotli => brotli.Level = CompressionLevel.Fastest);
    }
}
