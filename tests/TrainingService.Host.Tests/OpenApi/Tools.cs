using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>
/// Tests that build programs by tools of others, which take all cores: nothing else runs beside them, least of all what counts the seconds
/// in which a process answers.
/// </summary>
[CollectionDefinition(nameof(Builds), DisableParallelization = true)]
public sealed class Builds;

/// <summary>Programs of others: those that make clients, and those that build and run them.</summary>
public static class Tools
{
    public static string Repository { get; } = Path.GetFullPath(Path.Combine(Here(), "../../.."));

    /// <summary>The tools' versions, and the programs that use what they make.</summary>
    public static string Clients { get; } = Path.Combine(Repository, "tests/TrainingService.Host.Tests/Clients");

    public static string Document { get; } = Path.Combine(Repository, "deploy/openapi/v1.json");

    /// <summary>What it has written; it must end well.</summary>
    public static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        // Nothing of the test's own build reaches theirs, and no server of a build outlives the test.
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("MSBUILD", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in ((string, string)[])[("MSBUILDDISABLENODEREUSE", "1"), ("DOTNET_NOLOGO", "1"),
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"), ("KIOTA_TUTORIAL_ENABLED", "false"), ("KIOTA_OFFLINE_ENABLED", "true")])
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        var text = await output + await errors;
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{text}");
        return text;
    }

    public static bool Has(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>Where npm's packages are, as package-lock.json names them.</summary>
    public static async Task<string> NodeModulesAsync()
    {
        if (!Has("npm") && Environment.GetEnvironmentVariable("CI") is not "true")
            Assert.Skip("npm was not found: install nodejs and npm.");
        var folder = Path.Combine(Clients, "node_modules");
        if (File.GetLastWriteTimeUtc(Path.Combine(folder, ".package-lock.json"))
            < File.GetLastWriteTimeUtc(Path.Combine(Clients, "package-lock.json")))
            await RunAsync(Clients, "npm", "ci", "--ignore-scripts", "--prefer-offline");
        return folder;
    }

    public static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
