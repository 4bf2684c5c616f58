using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Pages;

public static class ShowKeys
{
    private const int Entries = 50;

    public static async Task<IResult> Handle(string? cursor, TrainingDbContext db, AccessSettings access, CancellationToken cancellation)
    {
        var keys = await ListKeys.Handle(Paging.Most, null, db, cancellation);
        var audit = await ListAudit.Handle(Entries, cursor, null, null, null, null, null, null, db, cancellation);
        return keys.Result is not Ok<Page<KeyResponse>> { Value: { } held } ? keys.Result
            : audit.Result is not Ok<Page<AuditResponse>> { Value: { } entries } ? audit.Result
            : new PageResult<KeysPage>(new()
            {
                [nameof(KeysPage.Keys)] = held.Items,
                [nameof(KeysPage.Audit)] = entries,
                [nameof(KeysPage.IsOpen)] = await access.IsOpenAsync(cancellation),
            });
    }
}
