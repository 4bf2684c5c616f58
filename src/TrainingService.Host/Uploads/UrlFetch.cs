using System.Net;
using System.Net.Sockets;
using TrainingService.Host.Http;

namespace TrainingService.Host.Uploads;

/// <summary>Whether files are fetched for people, and from where: <c>TRAINING_UPLOAD_FROM_URL</c>.</summary>
public enum UrlSources
{
    /// <summary>Not at all: whoever asks could reach what only this machine reaches.</summary>
    Off,

    /// <summary>From addresses that the whole world reaches.</summary>
    Public,

    /// <summary>From any address.</summary>
    Any,
}

/// <summary>Fetches a file over http or https.</summary>
public static class UrlFetch
{
    private const int MostRedirects = 5;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Gives the content to a reader.</summary>
    /// <exception cref="ProblemException">If it isn't allowed or doesn't work, with why.</exception>
    public static async Task ReadAsync(string address, UrlSources sources, Func<Stream, string, Task> read, CancellationToken cancellation)
    {
        if (sources == UrlSources.Off)
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
            ConnectCallback = (context, stop) => ConnectAsync(context.DnsEndPoint, sources, stop),
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

    /// <summary>
    /// The address is looked up here, once for each connection, and it is that address which is connected to: no name can mean another one
    /// by then.
    /// </summary>
    private static async ValueTask<Stream> ConnectAsync(DnsEndPoint there, UrlSources sources, CancellationToken cancellation)
    {
        var addresses = await Dns.GetHostAddressesAsync(there.Host, cancellation);
        var allowed = sources == UrlSources.Any ? addresses : [.. addresses.Where(IsPublic)];
        if (allowed.Length == 0)
            throw Refused($"{there.Host} is no address that the whole world reaches; the operator allows others with "
                + $"TRAINING_UPLOAD_FROM_URL=any");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, there.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>No address of this machine, of its network, of a provider's own network, nor one that is kept for other purposes.</summary>
    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
            address = address.MapToIPv4();
        if (IPAddress.IsLoopback(address))
            return false;
        var bytes = address.GetAddressBytes();
        if (address.AddressFamily == AddressFamily.InterNetworkV6)
            // Global unicast is 2000::/3; 2002::/16, 2001::/32 and 64:ff9b::/96 carry IPv4 addresses, whatever these are.
            return (bytes[0] & 0xE0) == 0x20 && !(bytes[0] == 0x20 && bytes[1] == 0x02)
                && !(bytes is [0x20, 0x01, 0, 0, ..] or [0x20, 0x01, 0x0D, 0xB8, ..]);
        return bytes is not ([0 or 10 or 127, ..] or [100, >= 64 and <= 127, ..] or [169, 254, ..] or [172, >= 16 and <= 31, ..]
            or [192, 168, ..] or [192, 0, 0 or 2, _] or [198, 18 or 19, ..] or [198, 51, 100, _] or [203, 0, 113, _] or [>= 224, ..]);
    }

    private static ProblemException Refused(string why) => new(Problems.Invalid("/fromUrl", why));
}
