using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>The programs of README.md train their network, as they stand there.</summary>
[Collection(nameof(Builds))]
[Trait("Category", "Slow")]
public sealed partial class SampleTests(Service service) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sample-");

    /// <summary>In a fresh project, which adds the package as it is packed.</summary>
    [Fact]
    public async Task CSharp_with_the_package()
    {
        // Never one that lies in a cache.
        var version = $"0.1.0-test.{DateTime.UtcNow.Ticks}";
        await Tools.RunAsync(Tools.Repository, "dotnet", "pack", "src/TrainingService.Client", "-c", "Release", "-v", "q", "--nologo", "-o",
            Path.Combine(_folder.FullName, "feed"), $"-p:PackageVersion={version}");
        Assert.Single(_folder.GetFiles("feed/*.snupkg"));
        Write("NuGet.config", $"""
            <configuration>
              <config><add key="globalPackagesFolder" value="packages" /></config>
              <packageSources><add key="feed" value="{_folder.FullName}/feed" /></packageSources>
            </configuration>
            """);
        Write("Sample.csproj", """
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <WarningsNotAsErrors>NU1603</WarningsNotAsErrors>
              </PropertyGroup>
            </Project>
            """);
        Write("Program.cs", Sample("csharp"));
        await Tools.RunAsync(_folder.FullName, "dotnet", "add", "package", "TrainingService.Client", "--prerelease");
        Accurate(await Tools.RunAsync(_folder.FullName, "dotnet", "run"));
    }

    [Fact]
    public async Task Python_with_requests()
    {
        if (!Tools.Has("python3"))
            Assert.Skip("python3 was not found.");
        Write("has.py", "import importlib.util\nprint(importlib.util.find_spec('requests') is not None)");
        if ((await Tools.RunAsync(_folder.FullName, "python3", "has.py")).Trim() != "True")
            Assert.Skip("Python's package requests is not installed.");
        Write("sample.py", Sample("python"));
        Accurate(await Tools.RunAsync(_folder.FullName, "python3", "sample.py"));
    }

    [Fact]
    public async Task TypeScript()
    {
        var modules = await Tools.NodeModulesAsync();
        Write("package.json", """{"type": "module"}""");
        Write("sample.ts", Sample("typescript") + "\nexport {};\n");
        await Tools.RunAsync(_folder.FullName, Path.Combine(modules, ".bin/tsc"), "--target", "es2022", "--module", "nodenext", "--strict",
            "--lib", "es2022,dom", "sample.ts");
        Accurate(await Tools.RunAsync(_folder.FullName, "node", "sample.js"));
    }

    [Fact]
    public async Task Curl()
    {
        if (!Tools.Has("curl"))
            Assert.Skip("curl was not found.");
        Write("sample.sh", Sample("bash"));
        Accurate(await Tools.RunAsync(_folder.FullName, "bash", "-eu", "sample.sh"));
    }

    public void Dispose() => _folder.Delete(recursive: true);

    private static void Accurate(string output) => Assert.Matches("accuracy.{1,3}(0[.]9|1[.]0|9[0-9]|100)|Accuracy\":0[.]9", output);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder.FullName, name), text);

    /// <summary>Of the section on calling it from code.</summary>
    private string Sample(string language)
    {
        var text = File.ReadAllText(Path.Combine(Tools.Repository, "README.md")).Split("\n## Call it from code\n")[1].Split("\n## ")[0];
        return Block().Matches(text).Single(block => block.Groups["language"].Value == language).Groups["code"].Value
            .Replace("http://127.0.0.1:8080", service.Http.BaseAddress!.ToString().TrimEnd('/'), StringComparison.Ordinal);
    }

    [GeneratedRegex(@"```(?<language>\w+)\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();
}
