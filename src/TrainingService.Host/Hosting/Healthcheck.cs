namespace TrainingService.Host.Hosting;

/// <summary>Asks the service that runs beside it, in the same container, whether it is ready: the image needs no curl.</summary>
public static class Healthcheck
{
    public static async Task<int> Run()
    {
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(2.5) };
        try
        {
            using var response = await http.GetAsync(Address(Environment.GetEnvironmentVariable("ASPNETCORE_URLS")));
            if (response.IsSuccessStatusCode)
                return 0;
            await Console.Error.WriteLineAsync($"not ready: {(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"no answer: {e.Message}");
        }
        return 1;
    }

    private static Uri Address(string? urls)
    {
        var bound = BindingAddress.Parse(urls?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .FirstOrDefault() ?? "http://127.0.0.1:8080");
        var host = bound.Host is "+" or "*" or "0.0.0.0" or "[::]" ? "127.0.0.1" : bound.Host;
        return new UriBuilder(bound.Scheme, host, bound.Port, "/health/ready").Uri;
    }
}
