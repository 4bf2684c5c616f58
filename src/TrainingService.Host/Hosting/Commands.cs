using TrainingService.Host.Access;

namespace TrainingService.Host.Hosting;

/// <summary>
/// What the executable does besides serving a role: it does one thing, mostly as a client of a service that runs, then ends.
/// </summary>
public static class Commands
{
    public static Func<Task<int>>? Find(string[] args) => args switch
    {
        ["healthcheck"] => Healthcheck.Run,
        ["demo", "--url", var url] when Uri.TryCreate(url, UriKind.Absolute, out var address) => () => Demo.Run(address),
        ["demo", "--url", var url, "--csv", var file, "--target", var target] when Uri.TryCreate(url, UriKind.Absolute, out var address) =>
            () => Demo.Run(address, (file, target)),
        ["datasets", "pull", var name] => () => PullCommand.Run(name, null),
        ["datasets", "pull", var name, "--from", var source] => () => PullCommand.Run(name, source),
        ["keys", "create", var name] => () => KeysCommand.Create(name, "admin"),
        ["keys", "create", var name, "--scope", var scope] => () => KeysCommand.Create(name, scope),
        ["demo" or "healthcheck" or "datasets" or "keys", ..] => Usage,
        _ => null,
    };

    private static async Task<int> Usage()
    {
        await Console.Error.WriteLineAsync("Usage: TrainingService.Host.dll demo --url http://127.0.0.1:8080 [--csv FILE --target COLUMN], "
            + "or TrainingService.Host.dll datasets pull NAME [--from ADDRESS|FOLDER] (else from TRAINING_DATASETS_SOURCE), "
            + "or TrainingService.Host.dll keys create NAME [--scope read|submit|admin] (admin unless said), "
            + "or TrainingService.Host.dll healthcheck (address from ASPNETCORE_URLS).");
        return 2;
    }
}
