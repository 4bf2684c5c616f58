using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Http;

namespace TrainingService.Host.Pages;

/// <summary>
/// What pages load: files of this program, under addresses that have the hash of them all, so that browsers may keep them for good. Modules
/// name each other without it and still get those of the same version.
/// </summary>
public static class Asset
{
    private const string Folder = "Pages/";

    private static readonly FrozenDictionary<string, byte[]> Files = typeof(Asset).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
        .ToFrozenDictionary(name => name[Folder.Length..], Read);

    private static readonly string Version = Convert.ToHexStringLower(SHA256.HashData(
        [.. Files.OrderBy(file => file.Key, StringComparer.Ordinal).SelectMany(file => SHA256.HashData(file.Value))]))[..12];

    /// <summary>The address of a file.</summary>
    public static string At(string name) => Files.ContainsKey(name) ? $"/assets/{Version}/{name}"
        : throw new ArgumentException($"no page has a file {name}", nameof(name));

    /// <summary>Pages of an earlier version get what there is now, and are told not to keep it.</summary>
    public static Results<FileContentHttpResult, ProblemHttpResult> Handle(string version, string name, HttpContext http)
    {
        if (!Files.TryGetValue(name, out var bytes))
            return Problems.NotFound($"No page has a file '{Characters.Shorten(name, 100)}'.");
        http.Response.Headers.CacheControl = version == Version ? "public, max-age=31536000, immutable" : "no-cache";
        return TypedResults.Bytes(bytes, Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        });
    }

    private static byte[] Read(string resource)
    {
        using var file = typeof(Asset).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"the program lacks {resource}");
        var bytes = new byte[file.Length];
        file.ReadExactly(bytes);
        return bytes;
    }
}
