namespace TrainingService.Client;

/// <summary>A TrainingService. One is enough for a program; it may be used from many threads at once.</summary>
public sealed partial class TrainingClient : IDisposable
{
    private readonly HttpClient? _own;

    /// <param name="address">The service's root, such as <c>http://127.0.0.1:8080</c>.</param>
    /// <param name="apiKey">Sent as <c>X-Api-Key</c>; null where access is open.</param>
    public TrainingClient(string address, string? apiKey = null)
        : this(new TrainingClientOptions { Address = new(address), ApiKey = apiKey })
    {
    }

    /// <param name="options">Where the service is, and how it is asked.</param>
    public TrainingClient(TrainingClientOptions options) : this(new HttpClient(), options) => _own = Http;

    /// <param name="http">By which requests are sent; it stays the caller's.</param>
    /// <param name="options">Where the service is, and how it is asked.</param>
    public TrainingClient(HttpClient http, TrainingClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(options);
        var root = options.Address ?? http.BaseAddress
            ?? throw new ArgumentException("The service's address is missing: set TrainingClientOptions.Address.", nameof(options));
        // relative addresses replace what follows the last slash
        http.BaseAddress = root.AbsoluteUri.EndsWith('/') ? root : new($"{root.AbsoluteUri}/");
        Http = http;
        Connect(new(http, options));
    }

    private HttpClient Http { get; }

    /// <inheritdoc/>
    public void Dispose() => _own?.Dispose();
}
