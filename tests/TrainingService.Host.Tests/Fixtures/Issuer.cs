using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace TrainingService.Host.Tests.Fixtures;

/// <summary>Issues tokens as a login service does, and tells its keys by OpenID Connect Discovery.</summary>
public sealed class Issuer : IAsyncDisposable
{
    public const string Audience = "training";

    private readonly RSA _key = RSA.Create(2048), _unknown = RSA.Create(2048);
    private FileServer? _server;

    /// <summary>Whether it answers at all.</summary>
    public bool Answers { get; set; } = true;

    public string Address => _server!.Address;

    public static async Task<Issuer> StartAsync()
    {
        var issuer = new Issuer();
        issuer._server = await FileServer.StartAsync(issuer.Answer);
        return issuer;
    }

    /// <summary>A token with these claims beside, or instead of, those of one that is valid; null takes a claim away.</summary>
    public string Token(Dictionary<string, object?>? claims = null, string algorithm = "RS256", bool otherKey = false)
    {
        var all = new Dictionary<string, object?>
        {
            ["iss"] = Address,
            ["aud"] = Audience,
            ["sub"] = "ada",
            ["exp"] = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeSeconds(),
            ["roles"] = new[] { "read" },
        };
        foreach (var (name, value) in claims ?? [])
            all[name] = value;
        var text = $"{Part(new { alg = algorithm, typ = "JWT", kid = "one" })}.{Part(all.Where(c => c.Value is not null).ToDictionary())}";
        var signed = Encoding.ASCII.GetBytes(text);
        return $"{text}." + WebEncoders.Base64UrlEncode(algorithm switch
        {
            "none" => [],
            "HS256" => HMACSHA256.HashData(Encoding.ASCII.GetBytes(_key.ExportSubjectPublicKeyInfoPem()), signed),
            _ => (otherKey ? _unknown : _key).SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1),
        });
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.DisposeAsync();
        _key.Dispose();
        _unknown.Dispose();
    }

    private static string Part(object json) => WebEncoders.Base64UrlEncode(JsonSerializer.SerializeToUtf8Bytes(json));

    private Task Answer(HttpContext context)
    {
        var key = _key.ExportParameters(false);
        return (Answers ? context.Request.Path.Value : null) switch
        {
            "/.well-known/openid-configuration" => context.Response.WriteAsJsonAsync(
                new { issuer = Address, jwks_uri = $"{Address}/keys", id_token_signing_alg_values_supported = (string[])["RS256"] }),
            "/keys" => context.Response.WriteAsJsonAsync(new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "RSA", use = "sig", kid = "one", alg = "RS256",
                        n = WebEncoders.Base64UrlEncode(key.Modulus!), e = WebEncoders.Base64UrlEncode(key.Exponent!),
                    },
                },
            }),
            _ => Task.FromResult(context.Response.StatusCode = 500),
        };
    }
}
