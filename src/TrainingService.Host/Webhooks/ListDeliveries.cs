using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Webhooks;

/// <summary>That somebody is told of an end.</summary>
/// <param name="Id">UUIDv7 of the end; the receiver gets it as `webhook-id`, the same at each attempt.</param>
/// <param name="Owner">Whose job or sweep it is; null for nobody's.</param>
/// <param name="Event">What happened: `job.succeeded`, `job.failed`, `job.canceled`, and the same of `sweep`.</param>
/// <param name="JobId">The job that ended.</param>
/// <param name="SweepId">The sweep that ended.</param>
/// <param name="Url">Who is told.</param>
/// <param name="Status">Whether they were.</param>
/// <param name="Attempts">How often it was tried.</param>
/// <param name="CreatedAt">When it ended.</param>
/// <param name="NextAt">When it is tried next; left out once it no longer is.</param>
/// <param name="LastAt">When it was tried last.</param>
/// <param name="Answer">The status that the receiver answered last.</param>
/// <param name="Error">Why the last attempt failed.</param>
/// <param name="Body">What is sent, as JSON.</param>
public sealed record DeliveryResponse(Guid Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Owner, string Event,
    Guid? JobId, Guid? SweepId, string Url, DeliveryStatus Status, int Attempts, DateTimeOffset CreatedAt, DateTimeOffset? NextAt,
    DateTimeOffset? LastAt, int? Answer, string? Error, string Body)
{
    public static DeliveryResponse Of(WebhookDelivery row) => new(row.Id, Owned.Named(row.Owner), row.Event, row.JobId, row.SweepId,
        row.Url, row.Status, row.Attempts, row.CreatedAt, row.NextAt, row.LastAt, row.Answer, row.Error, row.Body);
}

public static class ListDeliveries
{
    private const string List = "deliveries";

    /// <summary>Who was told of what ended</summary>
    /// <remarks>Newest first, kept for `TRAINING_WEBHOOKS_DAYS`: one's own; admins have all.</remarks>
    /// <param name="limit">Deliveries on a page; more than 500 gives 500.</param>
    /// <param name="cursor">The nextCursor of the page before, with the same filters.</param>
    /// <param name="jobId">Only of this job.</param>
    /// <param name="sweepId">Only of this sweep.</param>
    /// <param name="status">Only in this status: pending, delivered or failed.</param>
    /// <response code="200">A page of deliveries.</response>
    public static async Task<Results<Ok<Page<DeliveryResponse>>, ProblemHttpResult>> Handle(
        [FromQuery, Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, [FromQuery] string? cursor,
        [FromQuery] Guid? jobId, [FromQuery] Guid? sweepId, [FromQuery, RegularExpression("^(pending|delivered|failed)$")] string? status,
        TrainingDbContext db, CancellationToken cancellation)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var rows = db.WebhookDeliveries.AsNoTracking();
        if (jobId is not null)
            rows = rows.Where(row => row.JobId == jobId);
        if (sweepId is not null)
            rows = rows.Where(row => row.SweepId == sweepId);
        if (status is not null)
            if (Enum.GetValues<DeliveryStatus>().Where(one => Json.NameOf(one) == status).ToArray() is [var only])
                rows = rows.Where(row => row.Status == only);
            else
                errors.Add(new("/status", $"must be pending, delivered or failed, not '{Characters.Shorten(status, 100)}'"));
        if (Paging.TryRead(cursor, errors, out Guid last, List))
            rows = rows.Where(row => row.Id < last);
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        var found = await rows.OrderByDescending(row => row.Id).Take(size + 1).ToListAsync(cancellation);
        return TypedResults.Ok(new Page<DeliveryResponse>([.. found.Take(size).Select(DeliveryResponse.Of)],
            found.Count > size ? Paging.Cursor(found[size - 1].Id, List) : null));
    }
}
