using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

public static class RotateKey
{
    /// <summary>Replace an access key</summary>
    /// <remarks>
    /// Makes another key of the same name, owner and scopes, which expires when that one does, and revokes that one, in one step. To have
    /// both for a while, make a key and revoke the other one later.
    /// </remarks>
    /// <param name="id">The id of the key to be replaced.</param>
    /// <response code="201">The new key.</response>
    /// <response code="409">It is no longer valid.</response>
    public static async Task<Results<Created<NewKey>, ProblemHttpResult>> Handle(Guid id, TrainingDbContext db, TimeProvider clock,
        CancellationToken cancellation)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var now = clock.GetUtcNow();
        var revoked = await db.ApiKeys.Where(key => key.Id == id && key.RevokedAt == null && (key.ExpiresAt == null || key.ExpiresAt > now))
            .ExecuteUpdateAsync(set => set.SetProperty(key => key.RevokedAt, now), cancellation);
        if (await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(key => key.Id == id, cancellation) is not { } old)
            return RevokeKey.NotFound(id);
        if (revoked == 0)
            return Problems.Conflict($"The key {id} is no longer valid, so there is nothing to replace: make a new one.");
        var (row, key) = ApiKey.Create(old.Name, old.Owner, old.Scope, old.ExpiresAt, now);
        db.ApiKeys.Add(row);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return TypedResults.Created((string?)null, NewKey.Of(row, key));
    }
}
