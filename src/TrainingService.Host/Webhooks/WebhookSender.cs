using System.Net.Http.Headers;
using System.Text;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Telemetry;

namespace TrainingService.Host.Webhooks;

/// <summary>
/// Tells receivers what ended, as Standard Webhooks has it. Each process takes what is due and no other has taken; of one that dies
/// meanwhile another process tries again, so that a receiver may hear of the same delivery twice, by the same <c>webhook-id</c>.
/// </summary>
public sealed class WebhookSender(Reach reach, WebhookSecrets secrets, NpgsqlDataSource source, TimeProvider clock,
    ILogger<WebhookSender> log) : BackgroundService
{
    /// <summary>Under way at once, of all and of one owner, so that nobody's slow receiver keeps the others waiting.</summary>
    private const int Most = 32, MostOfOne = 8, AtOnce = 4;

    private const int MostHeaderKilobytes = 16, LongestError = 300;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5), Patience = TimeSpan.FromSeconds(15),
        Lease = TimeSpan.FromMinutes(1);

    /// <summary>After so many attempts the next one, as Standard Webhooks recommends; each a tenth sooner or later.</summary>
    private static readonly TimeSpan[] Pauses =
    [
        TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(30), TimeSpan.FromHours(2), TimeSpan.FromHours(5),
        TimeSpan.FromHours(10), TimeSpan.FromHours(14), TimeSpan.FromHours(20), TimeSpan.FromHours(24),
    ];

    private const string Claim = """
        UPDATE webhook_deliveries d SET attempts = d.attempts + 1, last_at = now(), next_at = now() + $1
        FROM (SELECT id FROM webhook_deliveries WHERE next_at <= now() AND NOT owner = ANY ($2)
            ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
        WHERE d.id = due.id RETURNING d.id, d.owner, d.url, d.body, d.attempts
        """;

    /// <summary>Of an attempt that took too long another has been made.</summary>
    private const string Settle = """
        UPDATE webhook_deliveries SET status = $3, answer = $4, error = $5, next_at = now() + $6
        WHERE id = $1 AND attempts = $2 AND status = 'pending'
        """;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _underWay = [];
    private readonly SemaphoreSlim _free = new(Most);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (reach is Reach.Off)
            return;
        using var http = Client();
        using var timer = new PeriodicTimer(Interval);
        do
        {
            try
            {
                while (await ClaimAsync(stoppingToken) is { Count: > 0 } due)
                    foreach (var delivery in due)
                    {
                        await _free.WaitAsync(stoppingToken);
                        _ = SendAsync(http, delivery, stoppingToken);
                    }
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                if (!Database.IsOutage(e))
                    log.LogError(e, "Nobody can be notified ({Message}); trying again.", e.GetBaseException().Message);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private HttpClient Client() => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        MaxResponseHeadersLength = MostHeaderKilobytes,
        // nobody reads what a receiver says
        MaxResponseDrainSize = 0,
        ConnectTimeout = Patience,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        ConnectCallback = (context, stop) => Reaches.ConnectAsync(context.DnsEndPoint, reach, () => new HttpRequestException(
            $"{context.DnsEndPoint.Host} is no address that the whole world reaches; the operator allows others with "
            + $"{NotifyUrl.Setting}=any"), stop),
    })
    { Timeout = Timeout.InfiniteTimeSpan };

    private async Task<IReadOnlyList<Due>> ClaimAsync(CancellationToken cancellation)
    {
        string[] busy;
        lock (_lock)
            busy = [.. _underWay.Where(owner => owner.Value >= MostOfOne).Select(owner => owner.Key)];
        await using var command = source.CreateCommand(Claim);
        command.Parameters.Add(new() { Value = Lease });
        command.Parameters.Add(new() { Value = busy });
        command.Parameters.Add(new() { Value = Math.Min(AtOnce, Math.Max(1, _free.CurrentCount)) });
        var due = new List<Due>();
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
            while (await reader.ReadAsync(cancellation))
                due.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetInt32(4)));
        lock (_lock)
            foreach (var delivery in due)
                _underWay[delivery.Owner] = _underWay.GetValueOrDefault(delivery.Owner) + 1;
        return due;
    }

    private async Task SendAsync(HttpClient http, Due delivery, CancellationToken stopping)
    {
        try
        {
            var (answer, error) = await TryAsync(http, delivery, stopping);
            // of one that was told to end in the midst another process tries again
            if (stopping.IsCancellationRequested && answer is null)
                return;
            var pause = answer is >= 200 and < 300 or 410 || delivery.Attempt > Pauses.Length ? (TimeSpan?)null
                : Pauses[delivery.Attempt - 1] * (0.9 + 0.2 * Random.Shared.NextDouble());
            var status = answer is >= 200 and < 300 ? DeliveryStatus.Delivered
                : pause is null ? DeliveryStatus.Failed : DeliveryStatus.Pending;
            Meters.WebhookAttempts.Add(1, new KeyValuePair<string, object?>("outcome", status is DeliveryStatus.Pending ? "again"
                : Json.NameOf(status)));
            await using var command = source.CreateCommand(Settle);
            command.Parameters.Add(new() { Value = delivery.Id });
            command.Parameters.Add(new() { Value = delivery.Attempt });
            command.Parameters.Add(new() { Value = Json.NameOf(status) });
            command.Parameters.Add(new() { Value = (object?)answer ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Integer });
            command.Parameters.Add(new() { Value = (object?)error ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            command.Parameters.Add(new() { Value = (object?)pause ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Interval });
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception e)
        {
            // once its lease has run out it is tried again
            log.LogWarning(Database.IsOutage(e) ? null : e, "What became of the delivery {Id} is not known ({Message}).", delivery.Id,
                e.GetBaseException().Message);
        }
        finally
        {
            lock (_lock)
                if (--_underWay[delivery.Owner] == 0)
                    _underWay.Remove(delivery.Owner);
            _free.Release();
        }
    }

    private async Task<(int? Answer, string? Error)> TryAsync(HttpClient http, Due delivery, CancellationToken stopping)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(Patience);
        try
        {
            var (id, now) = ($"{delivery.Id}", clock.GetUtcNow().ToUnixTimeSeconds());
            using var request = new HttpRequestMessage(HttpMethod.Post, delivery.Url);
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(delivery.Body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            request.Headers.UserAgent.Add(new("TrainingService", "1"));
            request.Headers.Add("webhook-id", id);
            request.Headers.Add("webhook-timestamp", $"{now}");
            request.Headers.Add("webhook-signature",
                WebhookSecrets.Sign(await secrets.OfAsync(delivery.Owner, patience.Token), id, now, delivery.Body));
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            return ((int)response.StatusCode, response.IsSuccessStatusCode ? null : $"The receiver answered {(int)response.StatusCode}.");
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            return (null, $"The receiver did not answer within {Patience.TotalSeconds:0} seconds.");
        }
        catch (Exception e)
        {
            return (null, Characters.Shorten(e.GetBaseException().Message, LongestError));
        }
    }

    private sealed record Due(Guid Id, string Owner, string Url, string Body, int Attempt);
}
