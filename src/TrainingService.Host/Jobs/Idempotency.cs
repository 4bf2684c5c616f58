using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>
/// Lets a POST with an <c>Idempotency-Key</c> take effect once. What it creates and the answer to it are committed together, under a
/// lock on the key that Postgres drops with the transaction: a crash leaves neither a job without its answer nor a key that blocks.
/// Without a key, nothing here has an effect.
/// </summary>
public sealed class Idempotency : IAsyncDisposable
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public static readonly TimeSpan Kept = TimeSpan.FromHours(24);

    private readonly TrainingDbContext _db;
    private readonly HttpContext _http;
    private readonly IDbContextTransaction? _transaction;
    private readonly string _key;
    private readonly byte[] _hash;
    private IdempotencyRecord? _first;

    private Idempotency(TrainingDbContext db, HttpContext http, IDbContextTransaction? transaction, string key, byte[] hash) =>
        (_db, _http, _transaction, _key, _hash) = (db, http, transaction, key, hash);

    private DateTimeOffset Now => _http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow();

    public static async Task<Idempotency> Begin<T>(TrainingDbContext db,
        HttpContext http, string? key, T body, CancellationToken cancellation)
    {
        // as some made clients say that they have none
        if (string.IsNullOrEmpty(key))
            return new(db, http, null, "", []);
        if (key.Length > 255 || key.Any(c => c is < ' ' or > '~'))
            throw new ProblemException(Problems.Invalid($"/{Header}", "must have 1 to 255 printable ASCII characters, best a random UUID"));
        var hash = SHA256.HashData(
            Encoding.UTF8.GetBytes($"{http.Request.Method} {http.Request.Path}\n{JsonSerializer.Serialize(body, Json.Options)}"));
        var once = new Idempotency(db, http, await db.Database.BeginTransactionAsync(cancellation), key, hash);
        try
        {
            await once.Lock(cancellation);
            return once;
        }
        catch
        {
            await once.DisposeAsync();
            throw;
        }
    }

    /// <summary>The first request's answer, if this one repeats it.</summary>
    public Accepted<T>? Answered<T>()
    {
        if (_first is null)
            return null;
        _http.Response.Headers[ReplayedHeader] = "true";
        return TypedResults.Accepted(_first.Location, JsonSerializer.Deserialize<T>(_first.Body, Json.Options));
    }

    /// <summary>Stores the answer with the next SaveChanges.</summary>
    public void Remember<T>(Accepted<T> answer)
    {
        if (_transaction is not null)
        {
            _db.IdempotencyKeys.Add(new()
            {
                Key = _key,
                RequestHash = _hash,
                Location = answer.Location,
                Body = JsonSerializer.Serialize(answer.Value, Json.Options),
                CreatedAt = Now,
            });
        }
    }

    public Task Commit(CancellationToken cancellation) => _transaction?.CommitAsync(cancellation) ?? Task.CompletedTask;

    public ValueTask DisposeAsync() => _transaction?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async Task Lock(CancellationToken cancellation)
    {
        var whose = View.Current.Owner is { Length: > 0 } owner ? $"{owner}\n{_key}" : _key;
        var lockId = BinaryPrimitives.ReadInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(whose)));
        if (!await _db.Database.SqlQuery<bool>($"""SELECT pg_try_advisory_xact_lock({lockId}) AS "Value" """).SingleAsync(cancellation))
            throw new ProblemException(Problems.IdempotencyKeyInFlight());
        _first = await _db.IdempotencyKey(_key).AsNoTracking().SingleOrDefaultAsync(cancellation);
        if (_first is { CreatedAt: var then } && then < Now - Kept)
        {
            // one that nobody has taken away yet (Retention)
            await _db.IdempotencyKey(_key).ExecuteDeleteAsync(cancellation);
            _first = null;
        }
        if (_first is not null && !_first.RequestHash.AsSpan().SequenceEqual(_hash))
            throw new ProblemException(Problems.IdempotencyKeyReused());
    }
}
