using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>Clients that common tools make of the document compile, and run a job, a sweep and a study to their end.</summary>
[Collection(nameof(Builds))]
[Trait("Category", "Slow")]
public sealed class MadeClientTests(Service service, MadeClientTests.CSharp csharp, MadeClientTests.TypeScript typescript)
    : IClassFixture<MadeClientTests.CSharp>, IClassFixture<MadeClientTests.TypeScript>
{
    [Theory]
    [InlineData("nswag-system-text")]
    [InlineData("nswag-newtonsoft")]
    [InlineData("kiota")]
    public async Task In_CSharp(string client) =>
        Assert.Contains("all came to their end", await Tools.RunAsync(csharp.Folder, "dotnet",
            "out/Clients.dll", client, service.Http.BaseAddress!.ToString()), StringComparison.Ordinal);

    [Theory]
    [InlineData("openapi-typescript")]
    [InlineData("hey-api")]
    [InlineData("nswag")]
    public async Task In_TypeScript(string client) =>
        Assert.Contains("all came to their end", await Tools.RunAsync(typescript.Folder, "node",
            $"out/{client}.js", service.Http.BaseAddress!.ToString().TrimEnd('/')), StringComparison.Ordinal);

    /// <summary>Made and built once for all tests.</summary>
    public abstract class Made : IAsyncLifetime
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("clients-");

        public string Folder => _folder.FullName;

        public async ValueTask InitializeAsync()
        {
            Tools.Copy(Path.Combine(Tools.Clients, GetType().Name), Folder);
            Tools.Copy(Path.Combine(Tools.Clients, ".config"), Path.Combine(Folder, ".config"));
            await Tools.RunAsync(Folder, "dotnet", "tool", "restore");
            await MakeAsync();
        }

        public ValueTask DisposeAsync()
        {
            GC.SuppressFinalize(this);
            _folder.Delete(recursive: true);
            return ValueTask.CompletedTask;
        }

        protected abstract Task MakeAsync();
    }

    public sealed class CSharp : Made
    {
        protected override async Task MakeAsync()
        {
            foreach (var library in (string[])["SystemTextJson", "NewtonsoftJson"])
            {
                var name = library == "SystemTextJson" ? "NSwagSystemText" : "NSwagNewtonsoft";
                await Tools.RunAsync(Folder, "dotnet", "nswag", "openapi2csclient", $"/input:{Tools.Document}", "/classname:Api",
                    $"/namespace:Clients.{name}", $"/output:{name}.made.cs", $"/jsonLibrary:{library}", "/useBaseUrl:false");
            }
            // One program for both, which differ in their names alone.
            var program = await File.ReadAllTextAsync(Path.Combine(Folder, "NSwagNewtonsoft.cs"));
            await File.WriteAllTextAsync(Path.Combine(Folder, "NSwagSystemText.cs"),
                program.Replace("NSwagNewtonsoft", "NSwagSystemText", StringComparison.Ordinal));
            await Tools.RunAsync(Folder, "dotnet", "kiota", "generate", "-l", "CSharp", "-d", Tools.Document, "-o", "Made", "-c",
                "ServiceClient", "-n", "Clients.Kiota", "--log-level", "Error");
            await Tools.RunAsync(Folder, "dotnet", "build", "-c", "Release", "-o", "out", "-v", "q", "--nologo");
        }
    }

    public sealed class TypeScript : Made
    {
        protected override async Task MakeAsync()
        {
            var modules = await Tools.NodeModulesAsync();
            Directory.CreateSymbolicLink(Path.Combine(Folder, "node_modules"), modules);
            File.Copy(Path.Combine(Tools.Clients, "package.json"), Path.Combine(Folder, "package.json"));
            string Tool(string name) => Path.Combine(modules, ".bin", name);
            await Tools.RunAsync(Folder, Tool("openapi-typescript"), Tools.Document, "-o", "openapi-typescript.made.ts");
            await Tools.RunAsync(Folder, Tool("openapi-ts"), "-i", Tools.Document, "-o", "hey");
            await Tools.RunAsync(Folder, "dotnet", "nswag", "openapi2tsclient", $"/input:{Tools.Document}", "/className:Api",
                "/template:Fetch", "/output:nswag.made.ts");
            await Tools.RunAsync(Folder, Tool("tsc"), "-p", ".");
        }
    }
}
