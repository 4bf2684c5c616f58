using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

public static class RevokeKey
{
    /// <summary>Revoke an access key</summary>
    /// <remarks>From now on no process takes it. Done again, it changes nothing.</remarks>
    /// <param name="id">Its id.</param>
    /// <response code="204">It is revoked.</response>
    /// <response code="409">It is the last one with the scope admin, and neither an operator's key nor an issuer makes others.</response>
    public static async Task<Results<NoContent, ProblemHttpResult>> Handle(Guid id, TrainingDbContext db, AccessSettings access,
        TimeProvider clock, CancellationToken cancellation)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Of the last two that are revoked at once, the second waits for the first and is the last.
        await db.Database.ExecuteSqlAsync($"LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE", cancellation);
        var now = clock.GetUtcNow();
        if (await db.ApiKeys.SingleOrDefaultAsync(key => key.Id == id, cancellation) is not { } found)
            return NotFound(id);
        if (found.RevokedAt is not null)
            return TypedResults.NoContent();
        if (found.Scope is Scope.Admin && !access.HasOtherAdmins && !await db.ApiKeys.AnyAsync(key => key.Id != id
            && key.Scope == Scope.Admin && key.RevokedAt == null && (key.ExpiresAt == null || key.ExpiresAt > now), cancellation))
            return Problems.Conflict("This is the last key with the scope admin: make another one first, or nobody could any more.");
        found.RevokedAt = now;
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return TypedResults.NoContent();
    }

    public static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no key {id}.");
}
