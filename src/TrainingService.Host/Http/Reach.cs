using System.Net;
using System.Net.Sockets;

namespace TrainingService.Host.Http;

/// <summary>Which addresses the service calls for people: whoever asks could reach what only this machine reaches.</summary>
public enum Reach
{
    /// <summary>None.</summary>
    Off,

    /// <summary>Those that the whole world reaches.</summary>
    Public,

    /// <summary>All.</summary>
    Any,
}

public static class Reaches
{
    /// <summary>
    /// The address is looked up here, once for each connection, and it is that address which is connected to: no name can mean another one
    /// by then.
    /// </summary>
    /// <param name="there">Whom the request is for.</param>
    /// <param name="reach">Where it may go.</param>
    /// <param name="refusal">What is thrown if it may not.</param>
    /// <param name="cancellation">Ends the attempt.</param>
    public static async ValueTask<Stream> ConnectAsync(DnsEndPoint there, Reach reach, Func<Exception> refusal,
        CancellationToken cancellation)
    {
        var addresses = await Dns.GetHostAddressesAsync(there.Host, cancellation);
        var allowed = reach == Reach.Any ? addresses : [.. addresses.Where(IsPublic)];
        if (allowed.Length == 0)
            throw refusal();
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
}
