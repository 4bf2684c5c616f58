using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Access;

/// <summary>
/// How much one caller may ask for: so many requests a minute, and so many at once that send something. A caller is a key, whose a token
/// is, or else an address. Where access is open and nobody but this machine reaches the service there is none.
/// </summary>
public sealed class RequestLimits
{
    public const string RateSetting = "TRAINING_REQUESTS_PER_MINUTE", PostsSetting = "TRAINING_CONCURRENT_POSTS";

    private const int StandardRate = 6000, StandardPosts = 50;

    private readonly int _rate, _posts;

    /// <summary>Made when there is somebody to be limited: they look at the time ten times a second.</summary>
    private readonly Lazy<PartitionedRateLimiter<string>> _rates, _underWay;

    private RequestLimits(int rate, int posts)
    {
        (_rate, _posts) = (rate, posts);
        _rates = new(() => PartitionedRateLimiter.Create<string, string>(caller =>
            RateLimitPartition.GetTokenBucketLimiter(caller, _ => new()
            {
                TokenLimit = rate,
                TokensPerPeriod = Math.Max(1, rate / 60),
                // of a whole number of requests
                ReplenishmentPeriod = TimeSpan.FromSeconds(Math.Max(1, 60.0 / rate)),
            })));
        _underWay = new(() => PartitionedRateLimiter.Create<string, string>(caller =>
            RateLimitPartition.GetConcurrencyLimiter(caller, _ => new() { PermitLimit = posts })));
    }

    public static RequestLimits Read(IConfiguration configuration) => new(
        configuration.WholeNumber(RateSetting, StandardRate, "requests a minute"),
        configuration.WholeNumber(PostsSetting, StandardPosts, "requests"));

    public async Task ServeAsync(HttpContext http, string caller, RequestDelegate next)
    {
        using var rate = _rate > 0 ? _rates.Value.AttemptAcquire(caller) : null;
        if (_rate > 0)
            http.Response.OnStarting(TellAsync, (http.Response, caller, rate is { IsAcquired: false }));
        if (rate is { IsAcquired: false })
        {
            var wait = rate.TryGetMetadata(MetadataName.RetryAfter, out var after) ? (int)Math.Ceiling(after.TotalSeconds) : 1;
            await Problems.TooMany(string.Create(CultureInfo.InvariantCulture,
                $"{_rate:N0} requests a minute are allowed to {Told(caller)} ({RateSetting}), and they are used up: ask again in ")
                + $"{wait} s.", wait).ExecuteAsync(http);
            return;
        }
        using var post = _posts > 0 && (HttpMethods.IsPost(http.Request.Method) || HttpMethods.IsPut(http.Request.Method))
            ? _underWay.Value.AttemptAcquire(caller) : null;
        if (post is { IsAcquired: false })
            await Problems.TooMany(string.Create(CultureInfo.InvariantCulture,
                $"{_posts:N0} POST and PUT requests of {Told(caller)} are under way, which is as many as may be at once ({PostsSetting}): ")
                + "send this one when one of them has been answered.", 1).ExecuteAsync(http);
        else
            await next(http);
    }

    // draft-ietf-httpapi-ratelimit-headers-10: q of w seconds are allowed; r are left, and in t seconds all are there again.
    private Task TellAsync(object state)
    {
        var (response, caller, refused) = ((HttpResponse, string, bool))state;
        // one may have come back since it was refused for want of any
        var left = refused ? 0 : _rates.Value.GetStatistics(caller)?.CurrentAvailablePermits ?? _rate;
        response.Headers["RateLimit-Policy"] = string.Create(CultureInfo.InvariantCulture, $"\"requests\";q={_rate};w=60");
        response.Headers["RateLimit"] = string.Create(CultureInfo.InvariantCulture,
            $"\"requests\";r={left};t={Math.Ceiling((_rate - left) * 60.0 / _rate)}");
        return Task.CompletedTask;
    }

    private static string Told(string caller) => caller.StartsWith(RequestLimitsExtensions.Address, StringComparison.Ordinal)
        ? "the address that this comes from" : "this key or token";
}

public static class RequestLimitsExtensions
{
    internal const string Address = "address ";

    /// <summary>Comes after it is known who calls.</summary>
    public static void UseRequestLimits(this WebApplication app)
    {
        var (limits, access) = (RequestLimits.Read(app.Configuration), app.Services.GetRequiredService<AccessSettings>());
        app.Use(async (http, next) =>
        {
            // machines ask after the health; and what they are told decides over restarts
            if (http.Request.Path.StartsWithSegments("/health") || await CallerAsync(http, access) is not { } caller)
                await next(http);
            else
                await limits.ServeAsync(http, caller, next);
        });
    }

    private static async ValueTask<string?> CallerAsync(HttpContext http, AccessSettings access)
    {
        if (Caller.KeyOf(http.User) is { } key)
            return $"key {key}";
        var address = http.Connection.RemoteIpAddress;
        return (address is null || IPAddress.IsLoopback(address)) && await access.IsOpenAsync(http.RequestAborted) ? null
            : $"{Address}{Network(address)}";
    }

    /// <summary>Whoever has an IPv6 address has 2^64 of them.</summary>
    private static string Network(IPAddress? address) => address switch
    {
        null => "",
        { IsIPv4MappedToIPv6: true } => address.MapToIPv4().ToString(),
        { AddressFamily: AddressFamily.InterNetworkV6 } => Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)),
        _ => address.ToString(),
    };
}
