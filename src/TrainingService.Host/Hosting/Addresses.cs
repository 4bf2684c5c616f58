using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using TrainingService.Host.Access;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Hosting;

/// <summary>What the process listens on, and who may reach it.</summary>
public static class Addresses
{
    public static void BindAddresses(this WebApplicationBuilder builder, Role role)
    {
        var urls = builder.Configuration["urls"] is { Length: > 0 } configured ? configured
            : role.ServesApi ? "http://127.0.0.1:8080"
            : "http://127.0.0.1:8081";
        if (builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
            throw new StartRefusedException("Kestrel__Endpoints is not supported: set ASPNETCORE_URLS instead.");
        var open = builder.Configuration["TRAINING_OPEN_ACCESS"] switch
        {
            null or "" or "false" => false,
            "true" => true,
            var other => throw new StartRefusedException($"TRAINING_OPEN_ACCESS must be true or false, not '{other}'."),
        };
        var exposed = open ? null : urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(url => !IsLoopback(url)).FirstOrDefault();
        builder.Services.AddSingleton(new Exposed(exposed));
        builder.WebHost.UseUrls(urls);
    }

    /// <summary>Addresses that others can reach need keys, or the word of whoever runs the service that all may do everything.</summary>
    public static async Task RefuseToExposeAsync(WebApplication app)
    {
        if (app.Services.GetRequiredService<Exposed>().Url is { } url
            && await app.Services.GetRequiredService<AccessSettings>().IsOpenAsync(CancellationToken.None))
            throw new StartRefusedException($"Refusing to listen on {url}, which others can reach: there is no access key. Set "
                + $"{AccessSettings.AdminKey} or {TokenSettings.AuthoritySetting}, or run 'keys create NAME', bind a loopback address in "
                + "ASPNETCORE_URLS, or set TRAINING_OPEN_ACCESS=true if only trusted callers reach the port (every caller may do "
                + "everything).");
    }

    public static async Task ListenAsync(WebApplication app)
    {
        var urls = app.Configuration["urls"];
        try
        {
            await app.StartAsync();
        }
        catch (Exception e) when (e is IOException { InnerException: AddressInUseException } or SocketException)
        {
            await StopBegunAsync(app);
            throw new StartRefusedException($"Can't listen on {urls} ({e.GetBaseException().Message}): "
                + "stop what holds the address, or set another in ASPNETCORE_URLS.");
        }
    }

    /// <summary>
    /// What began before the server ends in order, and gives back what it took, before anything that it needs is disposed of. Should that
    /// fail, it is still the address that has to be mended.
    /// </summary>
    private static async Task StopBegunAsync(WebApplication app)
    {
        var log = app.Services.GetRequiredService<ILogger<Role>>();
        try
        {
            await using (app)
                await app.StopAsync();
        }
        catch (Exception e)
        {
            log.LogWarning(e, "What had begun did not end in order.");
        }
    }

    private static bool IsLoopback(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException)
        {
            throw NoAddress(url);
        }
        // A port that is no number is taken for a part of the host.
        if (!address.IsUnixPipe && address.Host.Contains(':', StringComparison.Ordinal) && !IPAddress.TryParse(address.Host, out _))
            throw NoAddress(url);
        return address.IsUnixPipe || address.Host == "localhost"
            || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip));
    }

    /// <param name="Url">The first address that isn't loopback, where that was not allowed explicitly.</param>
    private sealed record Exposed(string? Url);

    private static StartRefusedException NoAddress(string url) =>
        new($"ASPNETCORE_URLS holds '{url}', which is not an address such as http://127.0.0.1:8080.");
}
