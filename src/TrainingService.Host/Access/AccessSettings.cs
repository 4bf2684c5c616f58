using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Access;

/// <summary>
/// Whether callers need a key: they do once there is any, be it <c>TRAINING_ADMIN_KEY</c> or one in the database, and for good, since
/// keys that were revoked stay there; or once somebody else's tokens are taken.
/// </summary>
public sealed class AccessSettings(byte[]? adminKey, TokenSettings? tokens, IDbContextFactory<TrainingDbContext> databases,
    TimeProvider clock)
{
    public const string AdminKey = "TRAINING_ADMIN_KEY";

    private const int Shortest = 24;

    /// <summary>For so long after a look others may make the first key without this process' knowing.</summary>
    private static readonly TimeSpan Known = TimeSpan.FromSeconds(1);

    private readonly byte[]? _adminKey = adminKey;
    private bool _closed = adminKey is not null || tokens is not null;
    private long? _lookedAt;

    /// <summary>The hash of the operator's key; null if there is none.</summary>
    public static byte[]? Read(IConfiguration configuration) => configuration[AdminKey] switch
    {
        null or "" => null,
        { Length: < Shortest } => throw new StartRefusedException(
            $"{AdminKey} must have at least {Shortest} characters, such as those of: openssl rand -hex 32."),
        var key when key.Any(c => c is <= ' ' or > '~') => throw new StartRefusedException(
            $"{AdminKey} must be of printable ASCII characters without spaces, as it travels in a header."),
        var key => ApiKey.HashOf(key),
    };

    /// <summary>Whose tokens are taken; null if nobody's are.</summary>
    public TokenSettings? Tokens => tokens;

    /// <summary>Whether there are admins beside those with keys in the database: the operator, or whom an issuer makes one.</summary>
    public bool HasOtherAdmins => _adminKey is not null || tokens?.Scopes.Values.Contains(Scope.Admin) == true;

    public bool IsAdminKey(byte[] hash) => _adminKey is { } admin && CryptographicOperations.FixedTimeEquals(admin, hash);

    /// <summary>Whether a caller without a key may do everything.</summary>
    public async ValueTask<bool> IsOpenAsync(CancellationToken cancellation)
    {
        if (_closed || _lookedAt is { } at && clock.GetElapsedTime(at) < Known)
            return !_closed;
        try
        {
            await using var db = await databases.CreateDbContextAsync(cancellation);
            if (await db.ApiKeys.AnyAsync(cancellation))
                _closed = true;
            _lookedAt = clock.GetTimestamp();
        }
        catch (Exception e) when (_lookedAt is not null && Database.IsOutage(e))
        {
            // what was so stays so: without Postgres nothing that is anybody's can be asked for
        }
        return !_closed;
    }

    /// <summary>A key was made here.</summary>
    public void Close() => _closed = true;
}
