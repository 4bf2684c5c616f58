using System.Net;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

/// <summary>
/// A page of any site can reach a service on loopback under a name of that site (DNS rebinding), and is then of the same origin as far as
/// browsers know. Where access is open, requests must therefore name this service as no site can be named: by an address, by one word, or
/// by a name that the public DNS never has (RFC 6761, RFC 6762, RFC 8375). Other names, or fewer, are the operator's to say.
/// </summary>
public static class Hosts
{
    public const string Setting = "TRAINING_HOSTS";

    private static readonly string[] Private = [".localhost", ".local", ".internal", ".test", ".home.arpa"];

    public static void UseHosts(this WebApplication app)
    {
        var named = (app.Configuration[Setting] ?? "").Split([';', ',', ' '], StringSplitOptions.RemoveEmptyEntries);
        var access = app.Services.GetRequiredService<AccessSettings>();
        app.Use(async (context, next) =>
        {
            var name = context.Request.Host.Host.TrimEnd('.');
            // whoever asks after the health is a machine, and knows an address only
            if (context.Request.Path.StartsWithSegments("/health"))
                await next();
            else if (named.Length > 0 ? !named.Any(allowed => Fits(name, allowed))
                : !IsPrivate(name) && await access.IsOpenAsync(context.RequestAborted))
                await Problems.Misdirected($"This service does not go by the name '{name}': whoever runs it adds it to {Setting}.")
                    .ExecuteAsync(context);
            else
                await next();
        });
    }

    private static bool IsPrivate(string name) => IPAddress.TryParse(name, out _) || !name.Contains('.', StringComparison.Ordinal)
        || Private.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    private static bool Fits(string name, string allowed) => allowed == "*" || name.Equals(allowed, StringComparison.OrdinalIgnoreCase)
        || allowed.StartsWith("*.", StringComparison.Ordinal) && name.EndsWith(allowed[1..], StringComparison.OrdinalIgnoreCase);
}
