using TrainingService.Host.Access;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Hosting;

/// <summary>Which part of the service this process is, from <c>--role</c>.</summary>
public sealed record Role
{
    private static readonly string[] Names = ["all", "api", "worker", "migrate"];

    private Role(string name) => Name = name;

    public string Name { get; }
    public bool ServesApi => Name is "all" or "api";
    public bool RunsWorker => Name is "all" or "worker";
    public bool Migrates => Name is "migrate";

    public static Role Parse(string[] args)
    {
        var name = args switch
        {
            [] => "all",
            ["--role", var value] => value,
            [var option] when option.StartsWith("--role=", StringComparison.Ordinal) => option["--role=".Length..],
            ["--role"] => throw new StartRefusedException($"--role needs a value: one of {string.Join(", ", Names)}."),
            ["--role", _, var extra, ..] => throw new StartRefusedException(Unknown(extra)),
            [var first, ..] => throw new StartRefusedException(Unknown(first)),
        };
        return Names.Contains(name)
            ? new Role(name)
            : throw new StartRefusedException($"Unknown role '{name}'; "
                + $"roles are {string.Join(", ", Names)}{Engine.Specs.Names.DidYouMean(name, Names)}");
    }

    private static string Unknown(string argument) =>
        $"Unknown argument '{argument}': the service takes --role {string.Join("|", Names)}, "
        + "or the command healthcheck, demo, datasets or keys; all else comes from the environment.";
}

public static class RoleExtensions
{
    public static async Task<int> RunRole(this WebApplication app, Role role)
    {
        if (role.Migrates)
        {
            await app.Services.MigrateAsync(CancellationToken.None);
            return 0;
        }
        await app.Services.WaitForSchemaAsync(CancellationToken.None);
        await Addresses.RefuseToExposeAsync(app);
        await Addresses.ListenAsync(app);
        var log = app.Services.GetRequiredService<ILogger<Role>>();
        log.LogInformation("Version {Version} serves as {Role}, until Ctrl+C or SIGTERM.", Engine.Training.EngineInfo.Version, role.Name);
        app.Lifetime.ApplicationStopping.Register(() => log.LogInformation("Shutting down."));
        if (app.Services.GetRequiredService<AccessSettings>().Tokens is { } tokens)
            log.LogInformation("Callers need an access key, or a token of {Authority} for {Audience} with one of the roles {Roles} in "
                + "its claim {RolesClaim}; whose it is tells its claim {OwnerClaim}.", tokens.Authority, tokens.Audience,
                string.Join(", ", tokens.Scopes.Select(role => $"{role.Key} ({Json.NameOf(role.Value)})")), tokens.RolesClaim,
                tokens.OwnerClaim);
        await app.WaitForShutdownAsync();
        return 0;
    }
}
