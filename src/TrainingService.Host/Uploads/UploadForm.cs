using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Uploads;

/// <summary>A multipart body, read once as it arrives: files go to disk, fields into memory.</summary>
public sealed class UploadForm : IDisposable
{
    public const string FileField = "file", TestFileField = "testFile";

    private const int MostFieldBytes = 1 << 20, MostFiles = 8, Overhead = 1 << 20;

    private readonly Dictionary<string, List<string>> _fields = [];
    private readonly List<(string Field, DataFile File, DatasetFile Described)> _files = [];

    /// <summary>Values of the fields; a field may come more than once.</summary>
    public IReadOnlyDictionary<string, List<string>> Fields => _fields;

    public IReadOnlyList<DataFile> Files(string field) => [.. _files.Where(f => f.Field == field).Select(f => f.File)];

    /// <summary>Names and hashes of all files.</summary>
    public IReadOnlyList<DatasetFile> Described => [.. _files.Select(f => f.Described)];

    /// <summary>What was sent or, with an address, what is there.</summary>
    /// <exception cref="ProblemException">If it is no such form, or may not or can't be fetched.</exception>
    public static Task<UploadForm> OfAsync(HttpContext http, string? fromUrl, UploadLimits limits, CancellationToken cancellation) =>
        fromUrl is null ? ReadAsync(http, limits, cancellation) : FetchAsync(http, fromUrl, limits, cancellation);

    /// <exception cref="ProblemException">If it is too large, cut off or no such form.</exception>
    public static async Task<UploadForm> ReadAsync(HttpContext http, UploadLimits limits, CancellationToken cancellation)
    {
        var request = http.Request;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || !type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase)
            || HeaderUtilities.RemoveQuotes(type.Boundary).Value is not { Length: > 0 and <= 200 } boundary)
            throw new ProblemException(Problems.UnsupportedMediaType(
                "a data set is sent as 'multipart/form-data' with a 'file': curl -F file=@my.csv -F target=y"));
        if (request.ContentLength > limits.Bytes + Overhead)
            throw new ProblemException(TooLarge(limits));
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } most)
            most.MaxRequestBodySize = limits.Bytes + Overhead;
        var form = new UploadForm();
        try
        {
            await form.ReadAsync(new MultipartReader(boundary, request.Body), limits, cancellation);
            return form;
        }
        catch (Exception e)
        {
            form.Dispose();
            if (e is BadHttpRequestException { StatusCode: 413 })
                throw new ProblemException(TooLarge(limits));
            if (e is InvalidDataException or IOException and not BadHttpRequestException)
                throw new ProblemException(Problems.Invalid(TableException.File,
                    "the upload is cut off or no multipart form: it ends before its last boundary. Nothing was stored; send it again"));
            throw;
        }
    }

    /// <summary>A form with a file that is fetched, and what else was sent, if anything.</summary>
    /// <exception cref="ProblemException">If it may not or can't be fetched, or is too large.</exception>
    private static async Task<UploadForm> FetchAsync(HttpContext http, string address, UploadLimits limits, CancellationToken cancellation)
    {
        var form = http.Request.ContentType is null ? new() : await ReadAsync(http, limits, cancellation);
        try
        {
            if (form.Files(FileField).Count > 0)
                throw new ProblemException(Problems.Invalid("/fromUrl", "there is a 'file', too: leave one of them out"));
            await UrlFetch.ReadAsync(address, limits.FromUrl,
                (content, name) => form.SpoolAsync(content, FileField, Cleaned(name), limits.Bytes, limits, cancellation), cancellation);
            return form;
        }
        catch
        {
            form.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var (_, file, _) in _files)
            file.Dispose();
    }

    private async Task ReadAsync(MultipartReader reader, UploadLimits limits, CancellationToken cancellation)
    {
        var left = limits.Bytes;
        while (await reader.ReadNextSectionAsync(cancellation) is { } section)
        {
            if (!ContentDispositionHeaderValue.TryParse(section.ContentDisposition, out var disposition)
                || HeaderUtilities.RemoveQuotes(disposition.Name).Value is not { Length: > 0 } field)
                throw new InvalidDataException();
            if (field is FileField or TestFileField)
            {
                var name = HeaderUtilities.RemoveQuotes(disposition.FileNameStar.HasValue ? disposition.FileNameStar
                    : disposition.FileName).Value;
                left -= await SpoolAsync(section.Body, field, Cleaned(name), left, limits, cancellation);
            }
            else
            {
                if (!_fields.TryGetValue(field, out var values))
                    _fields.Add(field, values = []);
                values.Add(await TextAsync(section.Body, field, cancellation));
            }
        }
    }

    private async Task<long> SpoolAsync(Stream body, string field, string name, long left, UploadLimits limits,
        CancellationToken cancellation)
    {
        if (_files.Count == MostFiles)
            throw new ProblemException(Problems.Invalid($"/{field}", $"at most {MostFiles} files are allowed"));
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        var target = limits.Create();
        var file = new DataFile(name, target.Name);
        try
        {
            await using (target)
            {
                var buffer = new byte[1 << 16];
                while (await body.ReadAsync(buffer, cancellation) is > 0 and var read)
                {
                    if ((length += read) > left)
                        throw new ProblemException(TooLarge(limits));
                    hash.AppendData(buffer.AsSpan(0, read));
                    await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
                }
            }
        }
        catch
        {
            file.Dispose();
            throw;
        }
        _files.Add((field, file, new(name, Convert.ToHexStringLower(hash.GetHashAndReset()))));
        return length;
    }

    private static async Task<string> TextAsync(Stream body, string field, CancellationToken cancellation)
    {
        using var text = new MemoryStream();
        var buffer = new byte[4096];
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            text.Write(buffer, 0, read);
            if (text.Length > MostFieldBytes)
                throw new ProblemException(Problems.Invalid($"/{JsonShape.Escape(Characters.Shorten(field, 100))}",
                    $"a field may have at most {MostFieldBytes:N0} bytes"));
        }
        var bytes = text.ToArray();
        if (!System.Text.Unicode.Utf8.IsValid(bytes) || bytes.Contains((byte)0))
            throw new ProblemException(Problems.Invalid($"/{JsonShape.Escape(Characters.Shorten(field, 100))}",
                "must be text in UTF-8 without NUL"));
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>The last part of a path; some clients send all of it.</summary>
    private static string Cleaned(string? name)
    {
        var last = (name ?? "").Split('/', '\\')[^1];
        var clean = string.Concat(last.Where(c => !char.IsControl(c) && !char.IsSurrogate(c)));
        return clean.Length == 0 ? "data" : Characters.Cut(clean, 200);
    }

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult TooLarge(UploadLimits limits) =>
        Problems.TooLarge($"An upload may have at most {limits.Bytes >> 20:N0} MiB (TRAINING_UPLOAD_MB).");
}
