using TrainingService.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers a <see cref="TrainingClient"/>.</summary>
public static class ClientServices
{
    /// <summary>A <see cref="TrainingClient"/> wherever a constructor asks for one, by the program's <c>IHttpClientFactory</c>.</summary>
    /// <param name="services">The program's.</param>
    /// <param name="configure">Where the service is, and how it is asked.</param>
    /// <returns>What more can be said of its HTTP client.</returns>
    public static IHttpClientBuilder AddTrainingClient(this IServiceCollection services, Action<TrainingClientOptions> configure)
    {
        var options = new TrainingClientOptions();
        configure(options);
        return services.AddHttpClient(nameof(TrainingClient)).AddTypedClient(http => new TrainingClient(http, options));
    }
}
