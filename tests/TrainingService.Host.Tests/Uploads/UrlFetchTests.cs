using System.Net;
using System.Security.Cryptography;
using System.Text;
using TrainingService.Host.Http;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Uploads;

namespace TrainingService.Host.Tests.Uploads;

/// <summary>Files that the service fetches by itself, if it may.</summary>
public sealed class UrlFetchTests(Service service)
{
    [Fact]
    public async Task It_is_off_and_the_refusal_names_the_setting()
    {
        var answer = await service.Http.Send("POST", "/api/v1/datasets?fromUrl=http://127.0.0.1/x.csv");
        answer.MustBeProblem(400, "validation");
        Assert.Contains("TRAINING_UPLOAD_FROM_URL=public", answer.Error("/fromUrl"), StringComparison.Ordinal);
        var form = await service.Http.Upload("POST", "/api/v1/datasets?fromUrl=http://127.0.0.1/x.csv", [], ("target", "y"));
        Assert.Contains("TRAINING_UPLOAD_FROM_URL=public", form.Error("/fromUrl"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("172.32.0.1", true)]
    [InlineData("192.168.1.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("93.184.216.34", true)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:93.184.216.34", true)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("fc00::1", false)]
    [InlineData("fe80::1", false)]
    [InlineData("2606:2800:220:1::1", true)]
    public void Only_what_the_whole_world_reaches_is_public(string address, bool expected) =>
        Assert.Equal(expected, Reaches.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public async Task What_is_fetched_is_what_is_there_and_no_more_than_is_allowed()
    {
        var here = service.Http.BaseAddress ?? throw new InvalidOperationException("no address");
        var fetched = await Fetch($"{here}openapi/v1.json", Reach.Any);
        Assert.Equal(((await service.Http.GetAnswer("/openapi/v1.json")).Text, "v1.json"), (fetched[0], fetched[1]));
        Assert.Contains("TRAINING_UPLOAD_FROM_URL=any", await Refusal($"{here}openapi/v1.json", Reach.Public),
            StringComparison.Ordinal);
        Assert.Contains("TRAINING_UPLOAD_FROM_URL=any", await Refusal($"http://localhost:{here.Port}/openapi/v1.json", Reach.Public),
            StringComparison.Ordinal);
        Assert.Contains("answered 404", await Refusal($"{here}nothing", Reach.Any), StringComparison.Ordinal);
        Assert.Contains("can't be read", await Refusal("http://127.0.0.1:1/", Reach.Any), StringComparison.Ordinal);
        foreach (var address in (string[])["file:///etc/passwd", "ftp://127.0.0.1/x", "x.csv", "http://me:secret@127.0.0.1/"])
            Assert.Contains("must be an address", await Refusal(address, Reach.Any), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_is_fetched_and_stored_or_nothing_is()
    {
        var csv = Encoding.UTF8.GetBytes(UploadClient.Flowers(90));
        await using var server = await FileServer.StartAsync(async context =>
        {
            switch (context.Request.Path.Value)
            {
                case "/flowers.csv":
                    await FileServer.Give(context, csv);
                    break;
                case "/moved":
                    context.Response.Redirect("/flowers.csv");
                    break;
                case "/circle":
                    context.Response.Redirect("/circle");
                    break;
                case "/elsewhere":
                    context.Response.Redirect("file:///etc/passwd");
                    break;
                case "/cut":
                    await FileServer.Give(context, csv, cutAfter: csv.Length / 2);
                    break;
                case "/large":
                    // Without a length: what counts is what comes.
                    for (var i = 0; i < 40 && !context.RequestAborted.IsCancellationRequested; i++)
                        await context.Response.Body.WriteAsync(new byte[100_000], context.RequestAborted);
                    break;
                default:
                    context.Response.StatusCode = 404;
                    break;
            }
        });
        var database = await service.CreateMigratedDatabaseAsync();
        await using (var host = await HostProcess.StartAsync("api", database, new Dictionary<string, string?>
        {
            ["TRAINING_UPLOAD_FROM_URL"] = "any",
            ["TRAINING_UPLOAD_MB"] = "2",
            ["TRAINING_DATA_DIR"] = Path.Combine(Path.GetTempPath(), $"fetch-{Guid.NewGuid():N}"),
        }))
        {
            Task<Answer> Bring(string path, string name) => host.Http.Upload("POST",
                $"/api/v1/datasets?fromUrl={Uri.EscapeDataString(server.Address + path)}", [], ("target", "kind"), ("name", name));

            var stored = await Bring("/flowers.csv", "fetched");
            Assert.True(stored.Status == 201, stored.Text);
            Assert.Equal((90, "flowers.csv"), (stored["rows"].GetInt32(), stored["files"][0].GetProperty("name").GetString()));
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(csv)), stored["files"][0].GetProperty("sha256").GetString());
            var moved = await Bring("/moved", "moved");
            Assert.Equal((201, stored["sha256"].GetString()), (moved.Status, moved["sha256"].GetString()));

            Assert.Contains("can't be read", (await Bring("/cut", "cut")).Error("/fromUrl"), StringComparison.Ordinal);
            Assert.Contains("answered 302", (await Bring("/circle", "circle")).Error("/fromUrl"), StringComparison.Ordinal);
            Assert.Contains("leads on to an address", (await Bring("/elsewhere", "elsewhere")).Error("/fromUrl"), StringComparison.Ordinal);
            Assert.Contains("answered 404", (await Bring("/none", "none")).Error("/fromUrl"), StringComparison.Ordinal);
            (await Bring("/large", "large")).MustBeProblem(413, "too-large");
            foreach (var name in (string[])["cut", "circle", "elsewhere", "none", "large"])
                Assert.Equal(404, (await host.Http.GetAnswer($"/api/v1/datasets/{name}")).Status);
        }
        await service.Postgres.DropDatabaseAsync(database);
    }

    private static async Task<string[]> Fetch(string address, Reach sources)
    {
        string[] read = [];
        await UrlFetch.ReadAsync(address, sources, async (content, name) =>
        {
            using var reader = new StreamReader(content);
            read = [await reader.ReadToEndAsync(TestContext.Current.CancellationToken), name];
        }, TestContext.Current.CancellationToken);
        return read;
    }

    private static async Task<string> Refusal(string address, Reach sources) =>
        (await Assert.ThrowsAsync<ProblemException>(() => Fetch(address, sources))).Message;
}
