using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace TrainingService.Host.Datasets;

/// <summary>How far a pull has come.</summary>
/// <param name="File">The file that is on its way.</param>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Files">Files of the data set.</param>
/// <param name="Bytes">Bytes of it that are here.</param>
/// <param name="Total">Bytes that it has; null where the source doesn't say.</param>
public sealed record PullProgress(string File, int Number, int Files, long Bytes, long? Total);

/// <summary>Why files can't be pulled, in a sentence.</summary>
public sealed class PullException(string message) : Exception(message);

/// <summary>
/// Fetches a data set's files from an address or a folder. What has arrived of a file is kept as <c>.part</c>, and the next pull goes on
/// from there; a file gets its name once its SHA-256 is right.
/// </summary>
/// <param name="source">Address or folder, in which the files, or a folder of the data set's name with them, are.</param>
/// <param name="tell">Is told of every piece.</param>
public sealed class DatasetPull(string source, Action<PullProgress> tell)
{
    /// <summary>Of any file that is published; what sends more is something else.</summary>
    private const long MostBytes = 100_000_000;

    /// <summary>Times in a row without a byte, each after a longer pause.</summary>
    private const int MostVainTries = 3;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromSeconds(0.5);

    /// <exception cref="PullException">If a file can't be reached or is another one than it should be.</exception>
    public async Task RunAsync(string name, IReadOnlyList<PublishedFile> files, string folder, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(folder);
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            foreach (var (i, file) in files.Index())
                if (!await IsThere(Path.Combine(folder, file.Name), file, cancellation))
                    await Bring(http, name, file, folder, (bytes, total) => tell(new(file.Name, i + 1, files.Count, bytes, total)),
                        cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PullException($"the files of {name} can't be written to {folder}: {e.Message}");
        }
    }

    private async Task Bring(HttpClient http, string name, PublishedFile file, string folder, Action<long, long?> arrived,
        CancellationToken cancellation)
    {
        var part = Path.Combine(folder, $"{file.Name}.part");
        // Nobody else may write to it meanwhile.
        using (var content = new FileStream(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None))
        {
            for (var isResumed = content.Length > 0; ; isResumed = false)
            {
                if (DatasetSource.IsAddress(source))
                    await Download(http, name, file, content, arrived, cancellation);
                else
                    await Copy(name, file, content, arrived, cancellation);
                content.Position = 0;
                var actual = Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation));
                if (file.Sha256.Contains(actual))
                    break;
                // What was left by another pull may be the beginning of another file: once more, from the start.
                content.SetLength(0);
                if (!isResumed)
                    throw new PullException($"{file.Name} from {source} has the SHA-256 {actual} instead of "
                        + $"{string.Join(" or ", file.Sha256)}: it is another file, or damaged. It was not kept");
            }
        }
        File.Move(part, Path.Combine(folder, file.Name), overwrite: true);
    }

    private async Task Copy(string name, PublishedFile file, FileStream content, Action<long, long?> arrived,
        CancellationToken cancellation)
    {
        string[] places = [Path.Combine(source, name, file.Name), Path.Combine(source, file.Name)];
        var place = Array.Find(places, File.Exists)
            ?? throw new PullException($"{file.Name} is neither at {places[0]} nor at {places[1]}");
        content.SetLength(0);
        await using var from = File.OpenRead(place);
        await Append(from, content, bytes => arrived(bytes, from.Length), cancellation);
    }

    private async Task Download(HttpClient http, string name, PublishedFile file, FileStream content, Action<long, long?> arrived,
        CancellationToken cancellation)
    {
        string[] places = [$"{source.TrimEnd('/')}/{name}/{file.Name}", $"{source.TrimEnd('/')}/{file.Name}"];
        var (place, vain) = (0, 0);
        while (true)
        {
            var had = content.Length;
            string why;
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, places[place]);
                if (had > 0)
                    request.Headers.Range = new RangeHeaderValue(had, null);
                using var response = await Answer(http, request, cancellation);
                if (response.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Forbidden && place + 1 < places.Length)
                {
                    place++;
                    continue;
                }
                if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable && had > 0)
                {
                    // All of it is here, or what is here is something else; its SHA-256 tells.
                    if (response.Content.Headers.ContentRange?.Length == had)
                        return;
                    content.SetLength(0);
                    continue;
                }
                if ((int)response.StatusCode < 500 && !response.IsSuccessStatusCode)
                    throw new PullException($"{places[place]} answered {(int)response.StatusCode}"
                        + (place > 0 ? $", and so it did not at {places[0]}" : ""));
                if (response.IsSuccessStatusCode)
                {
                    if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != had)
                        content.SetLength(0);
                    var start = content.Length;
                    var total = response.Content.Headers.ContentRange?.Length ?? start + response.Content.Headers.ContentLength;
                    await using var body = await response.Content.ReadAsStreamAsync(cancellation);
                    await Append(body, content, bytes => arrived(bytes, total), cancellation);
                    if (total is null || content.Length >= total)
                        return;
                    why = "it ended too early";
                }
                else
                {
                    why = $"it answered {(int)response.StatusCode}";
                }
            }
            catch (Exception e) when (e is HttpRequestException or SourceException
                || e is OperationCanceledException && !cancellation.IsCancellationRequested)
            {
                why = e is OperationCanceledException ? $"nothing came for {Patience.TotalSeconds:0} seconds"
                    : (e.InnerException ?? e).Message;
            }
            vain = content.Length > had ? 0 : vain + 1;
            if (vain == MostVainTries)
                throw new PullException($"{places[place]} can't be reached: {why}. "
                    + (content.Length > 0 ? $"{content.Length:N0} bytes are kept; the next pull goes on from there" : "Nothing has come "
                    + "of it"));
            await Task.Delay(Pause * (1 + vain), cancellation);
        }
    }

    private static async Task<HttpResponseMessage> Answer(HttpClient http, HttpRequestMessage request, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        return await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
    }

    private async Task Append(Stream from, FileStream content, Action<long> arrived, CancellationToken cancellation)
    {
        content.Position = content.Length;
        var buffer = new byte[1 << 16];
        while (true)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            patience.CancelAfter(Patience);
            int read;
            try
            {
                read = await from.ReadAsync(buffer, patience.Token);
            }
            catch (IOException e)
            {
                throw new SourceException(e.Message);
            }
            if (read == 0)
                return;
            if (content.Length + read > MostBytes)
            {
                content.SetLength(0);
                throw new PullException($"{source} sends more than {MostBytes:N0} bytes, which none of the files has");
            }
            await content.WriteAsync(buffer.AsMemory(0, read), cancellation);
            arrived(content.Position);
        }
    }

    /// <summary>The other side broke off, as opposed to a disk here that is full.</summary>
    private sealed class SourceException(string message) : IOException(message);

    private static async Task<bool> IsThere(string path, PublishedFile file, CancellationToken cancellation)
    {
        if (!File.Exists(path))
            return false;
        await using var content = File.OpenRead(path);
        return file.Sha256.Contains(Convert.ToHexStringLower(await SHA256.HashDataAsync(content, cancellation)));
    }
}
