using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

/// <summary>Fetches a file over http or https.</summary>
public static class UrlFetch
{
    private const int MostRedirects = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Gives the content to a reader.</summary>
    /// <exception cref="ProblemException">If it isn't allowed or doesn't work, with why.</exception>
    public static async Task ReadAsync(string address, Reach sources, Func<Stream, string, Task> read, CancellationToken cancellation)
    {
        if (sources == Reach.Off)
            throw Refused("fetching a file from an address is off here: the operator turns it on with TRAINING_UPLOAD_FROM_URL=public; "
                + "or download the file and send it as 'file'");
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.UserInfo.Length > 0)
            throw Refused($"must be an address that begins with http:// or https:// and has no password, not "
                + $"'{Characters.Shorten(address, 200)}'");
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            MaxAutomaticRedirections = MostRedirects,
            ConnectTimeout = Patience,
            ConnectCallback = (context, stop) => Reaches.ConnectAsync(context.DnsEndPoint, sources, () => Refused(
                $"{context.DnsEndPoint.Host} is no address that the whole world reaches; the operator allows others with "
                + "TRAINING_UPLOAD_FROM_URL=any"), stop),
        };
        using var http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            using var response = await http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (!response.IsSuccessStatusCode)
                throw Refused($"{uri.Host} answered {(int)response.StatusCode}");
            patience.CancelAfter(Timeout.InfiniteTimeSpan);
            await using var content = await response.Content.ReadAsStreamAsync(cancellation);
            await read(content, Path.GetFileName(Uri.UnescapeDataString(uri.AbsolutePath)));
        }
        catch (Exception e) when (e is NotSupportedException or UriFormatException)
        {
            throw Refused($"{uri.Host} leads on to an address that doesn't begin with http:// or https://");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw (e.InnerException ?? e) as ProblemException ?? Refused($"{uri.Host} can't be read: {(e.InnerException ?? e).Message}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Refused($"{uri.Host} did not answer within {Patience.TotalSeconds:0} seconds");
        }
    }

    private static ProblemException Refused(string why) => new(Problems.Invalid("/fromUrl", why));
}
