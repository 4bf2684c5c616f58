using System.Security.Cryptography;
using System.Text;

namespace TrainingService.Host.Access;

/// <summary>What a caller may do; each may do what those before it may.</summary>
public enum Scope
{
    /// <summary>See what there is.</summary>
    Read,

    /// <summary>Change things: submit, cancel, delete.</summary>
    Submit,

    /// <summary>Give and take keys.</summary>
    Admin,
}

/// <summary>A row of <c>api_keys</c>. It is never deleted, so that who held it can be told later on.</summary>
public sealed class ApiKey
{
    /// <summary>By which a key is known when it is seen, as by those who look for lost ones.</summary>
    public const string Prefix = "tsk_";

    private const int RandomBytes = 32, ShownCharacters = 8;

    public Guid Id { get; init; }
    public required string Name { get; init; }
    public required string Owner { get; init; }
    public required Scope Scope { get; init; }

    /// <summary>
    /// SHA-256 of the key. A key is 256 random bits, which nobody guesses: what slows down the guessing of passwords would only slow down
    /// each request.
    /// </summary>
    public required byte[] Hash { get; init; }

    /// <summary>The key's first characters, for its holder to know it by.</summary>
    public required string Start { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>To the minute.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
    public DateTimeOffset? RevokedAt { get; set; }

    /// <summary>A new one, and the key itself, which is kept nowhere.</summary>
    public static (ApiKey Row, string Key) Create(string name, string owner, Scope scope, DateTimeOffset? expiresAt, DateTimeOffset now)
    {
        var key = Prefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(RandomBytes));
        return (new()
        {
            Id = Guid.CreateVersion7(now),
            Name = name,
            Owner = owner,
            Scope = scope,
            Hash = HashOf(key),
            Start = key[..(Prefix.Length + ShownCharacters)],
            CreatedAt = DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()),
            ExpiresAt = expiresAt,
        }, key);
    }

    public static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
