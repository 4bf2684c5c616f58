namespace TrainingService.Client;

/// <summary>Where the service is, and how it is asked.</summary>
public sealed class TrainingClientOptions
{
    /// <summary>The service's root, such as <c>http://127.0.0.1:8080</c>.</summary>
    public Uri? Address { get; set; }

    /// <summary>Sent as <c>X-Api-Key</c>; null where access is open.</summary>
    public string? ApiKey { get; set; }

    /// <summary>
    /// How often a request is sent again that the service could not take (429, 503) or that got lost on its way, before that is an error.
    /// A request that changes something carries a key by which the service knows it again, so that nothing is done twice.
    /// </summary>
    public int Retries { get; set; } = 5;

    /// <summary>Longest time between two requests, whatever <c>Retry-After</c> says.</summary>
    public TimeSpan LongestDelay { get; set; } = TimeSpan.FromSeconds(30);
}
