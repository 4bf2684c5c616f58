using System.Globalization;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Uploads;

/// <summary>
/// What the data sets of one owner may take in the database, all versions together, <c>TRAINING_OWNER_DATASETS_MB</c>. The last one may go
/// beyond it, since how large it is turns out as it is stored.
/// </summary>
public sealed class DatasetQuota(int megabytes)
{
    private const string Setting = "TRAINING_OWNER_DATASETS_MB";
    private const int Standard = 20_000;

    public static DatasetQuota Read(IConfiguration configuration) => new(configuration.WholeNumber(Setting, Standard, "megabytes"));

    /// <summary>What the caller gets who has no room left; null if there is some, or if they are nobody.</summary>
    public async Task<IResult?> RefusalAsync(TrainingDbContext db, CancellationToken cancellation)
    {
        var owner = View.Current.Owner;
        if (megabytes == 0 || owner.Length == 0)
            return null;
        // as stored, which needs no look into the rows
        var stored = await db.Database.SqlQuery<long>($"""
            SELECT coalesce(sum(pg_column_size(packed)), 0)::bigint AS "Value" FROM dataset_chunks
            WHERE content_id IN (SELECT content_id FROM dataset_versions WHERE owner = {owner})
            """).SingleAsync(cancellation);
        return stored < megabytes * 1_000_000L ? null : Problems.Conflict(string.Create(CultureInfo.InvariantCulture,
            $"The data sets of '{owner}' take {stored / 1e6:N1} MB, and {megabytes:N0} MB is as much as those of one owner may ")
            + $"({Setting}): upload it when some were deleted.");
    }
}

public static class DatasetQuotaExtensions
{
    /// <summary>The route stores a data set, but for requests that only look at one.</summary>
    public static RouteHandlerBuilder AddsToDatasets(this RouteHandlerBuilder route) => route.AddEndpointFilter(async (context, next) =>
    {
        var (http, services) = (context.HttpContext, context.HttpContext.RequestServices);
        return bool.TryParse(http.Request.Query["dryRun"], out var only) && only ? await next(context)
            : await services.GetRequiredService<DatasetQuota>().RefusalAsync(services.GetRequiredService<TrainingDbContext>(),
                http.RequestAborted) ?? await next(context);
    });
}
