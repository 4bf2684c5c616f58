using System.Security.Cryptography;
using System.Text;
using Npgsql;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Webhooks;

/// <summary>
/// The secrets by which receivers know who calls them, one an owner: each follows from one that is the service's, so that none is stored
/// and nobody can sign for another. The service's is the operator's (<c>TRAINING_WEBHOOK_SECRET</c>), or made once and kept in the
/// database.
/// </summary>
public sealed class WebhookSecrets(string? given, NpgsqlDataSource source)
{
    public const string Setting = "TRAINING_WEBHOOK_SECRET";
    private const int Shortest = 24, Bytes = 32;

    private byte[]? _master = given is null ? null : Encoding.UTF8.GetBytes(given);

    public static WebhookSecrets Create(IServiceProvider services)
    {
        var given = services.GetRequiredService<IConfiguration>()[Setting];
        return given is { Length: > 0 and < Shortest }
            ? throw new StartRefusedException($"{Setting} must have at least {Shortest} characters: openssl rand -hex 32 makes one.")
            : new(string.IsNullOrEmpty(given) ? null : given, services.GetRequiredService<NpgsqlDataSource>());
    }

    /// <summary>As receivers get it: <c>whsec_</c> and base64.</summary>
    public static string Text(byte[] secret) => $"whsec_{Convert.ToBase64String(secret)}";

    /// <summary>What the header <c>webhook-signature</c> says (Standard Webhooks).</summary>
    public static string Sign(byte[] secret, string id, long timestamp, string body) =>
        $"v1,{Convert.ToBase64String(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{id}.{timestamp}.{body}")))}";

    /// <summary>Of nobody, where access is open, as well.</summary>
    public async Task<byte[]> OfAsync(string owner, CancellationToken cancellation) =>
        HMACSHA256.HashData(_master ??= await KeptAsync(cancellation), Encoding.UTF8.GetBytes($"webhooks of {owner}"));

    /// <summary>Whoever needs it first makes it, for all processes.</summary>
    private async Task<byte[]> KeptAsync(CancellationToken cancellation)
    {
        await using var connection = await source.OpenConnectionAsync(cancellation);
        await using (var make = new NpgsqlCommand(
            "INSERT INTO webhook_secret (id, secret) VALUES (1, $1) ON CONFLICT DO NOTHING", connection))
        {
            make.Parameters.Add(new() { Value = RandomNumberGenerator.GetBytes(Bytes) });
            await make.ExecuteNonQueryAsync(cancellation);
        }
        await using var read = new NpgsqlCommand("SELECT secret FROM webhook_secret", connection);
        return (byte[])(await read.ExecuteScalarAsync(cancellation) ?? throw new InvalidOperationException("There is no secret."));
    }
}
