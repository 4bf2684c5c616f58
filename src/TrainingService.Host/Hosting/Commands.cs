namespace TrainingService.Host.Hosting;

/// <summary>What the executable does besides serving a role: it acts as a client of a service that runs, then ends.</summary>
public static class Commands
{
    public static Func<Task<int>>? Find(string[] args) => args switch
    {
        ["healthcheck"] => Healthcheck.Run,
        ["demo", "--url", var url] when Uri.TryCreate(url, UriKind.Absolute, out var address) => () => Demo.Run(address),
        ["demo", "--url", var url, "--csv", var file, "--target", var target] when Uri.TryCreate(url, UriKind.Absolute, out var address) =>
            () => Demo.Run(address, (file, target)),
        ["demo" or "healthcheck", ..] => Usage,
        _ => null,
    };

    private static async Task<int> Usage()
    {
        await Console.Error.WriteLineAsync("Usage: TrainingService.Host.dll demo --url http://127.0.0.1:8080 [--csv FILE --target COLUMN], "
            + "or TrainingService.Host.dll healthcheck (address from ASPNETCORE_URLS).");
        return 2;
    }
}
