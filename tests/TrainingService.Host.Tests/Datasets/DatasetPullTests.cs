using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Files fetched from servers that this test starts, and from folders.</summary>
public sealed class DatasetPullTests(Service service) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("pull-").FullName;
    private readonly byte[] _images = Made(300_000, 1), _labels = Made(500, 2);

    private IReadOnlyList<PublishedFile> Files => [new("images.gz", "00", Sha256(_images)), new("labels.gz", Sha256(_labels))];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Files_are_fetched_once_and_progress_is_told()
    {
        await using var server = await FileServer.StartAsync(Whole);
        var told = new List<PullProgress>();
        await new DatasetPull(server.Address, told.Add).RunAsync("made", Files, _folder, Cancellation);
        Assert.Equal(_images, Content("images.gz"));
        Assert.Equal(_labels, Content("labels.gz"));
        Assert.Equal(["images.gz", "labels.gz"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order());
        Assert.Contains(new PullProgress("images.gz", 1, 2, 300_000, 300_000), told);
        Assert.Equal(new PullProgress("labels.gz", 2, 2, 500, 500), told[^1]);
        Assert.All(told.Where(t => t.Number == 1).Zip(told.Where(t => t.Number == 1).Skip(1)), pair =>
            Assert.True(pair.First.Bytes < pair.Second.Bytes));

        var before = server.Asked.Count;
        await new DatasetPull(server.Address, told.Add).RunAsync("made", Files, _folder, Cancellation);
        Assert.Equal(before, server.Asked.Count);
    }

    [Fact]
    public async Task What_is_cut_off_goes_on_where_it_ended()
    {
        await using var server = await FileServer.StartAsync(context => context.Request.Path.Value!.Contains("images", Is)
            ? FileServer.Give(context, _images, cutAfter: 120_000) : Whole(context));
        await Pull(server.Address);
        Assert.Equal(_images, Content("images.gz"));
        var ranges = server.Asked.Where(asked => asked.Path == "/made/images.gz").Select(asked => asked.Range).ToList();
        Assert.Null(ranges[0]);
        // At least half of each piece has arrived before its connection broke; the rest was asked for and no more.
        Assert.All(ranges.Skip(1), range => Assert.InRange(long.Parse(range![6..^1], System.Globalization.CultureInfo.InvariantCulture), 1,
            299_999));
        Assert.Equal(ranges.Count - 1, ranges.Skip(1).Distinct().Count());
    }

    [Fact]
    public async Task The_next_pull_goes_on_with_what_another_has_left()
    {
        await File.WriteAllBytesAsync(Part, _images[..200_000], Cancellation);
        await using var server = await FileServer.StartAsync(Whole);
        await Pull(server.Address);
        Assert.Equal(("/made/images.gz", "bytes=200000-"), server.Asked[0]);
        Assert.Equal(_images, Content("images.gz"));
        Assert.False(File.Exists(Part));
    }

    [Fact]
    public async Task What_was_left_of_another_file_is_fetched_anew()
    {
        await File.WriteAllBytesAsync(Part, Made(200_000, 9), Cancellation);
        await using var server = await FileServer.StartAsync(Whole);
        await Pull(server.Address);
        Assert.Equal(["bytes=200000-", null], server.Asked.Take(2).Select(asked => asked.Range));
        Assert.Equal(_images, Content("images.gz"));
        // Longer than the file: no such range.
        File.Delete(Path.Combine(_folder, "images.gz"));
        await File.WriteAllBytesAsync(Part, Made(400_000, 9), Cancellation);
        await Pull(server.Address);
        Assert.Equal(_images, Content("images.gz"));
        // Whole, but without its name yet.
        File.Move(Path.Combine(_folder, "images.gz"), Part);
        await Pull(server.Address);
        Assert.Equal(_images, Content("images.gz"));
    }

    [Fact]
    public async Task A_server_without_ranges_sends_all_again()
    {
        await File.WriteAllBytesAsync(Part, _images[..200_000], Cancellation);
        await using var server = await FileServer.StartAsync(context =>
        {
            context.Request.Headers.Range = default;
            return Whole(context);
        });
        await Pull(server.Address);
        Assert.Equal(_images, Content("images.gz"));
    }

    [Fact]
    public async Task A_wrong_checksum_is_refused_and_nothing_is_kept()
    {
        var other = Made(300_000, 3);
        await using var server = await FileServer.StartAsync(context => FileServer.Give(context, other));
        var refusal = await Assert.ThrowsAsync<PullException>(() => Pull(server.Address));
        Assert.Contains($"images.gz from {server.Address} has the SHA-256 {Sha256(other)} instead of 00 or {Sha256(_images)}",
            refusal.Message, Is);
        Assert.False(File.Exists(Path.Combine(_folder, "images.gz")));
        Assert.Equal(0, new FileInfo(Part).Length);
    }

    [Fact]
    public async Task A_source_that_is_down_keeps_what_has_come()
    {
        var asked = 0;
        await using var server = await FileServer.StartAsync(context =>
        {
            if (Interlocked.Increment(ref asked) == 1)
                return FileServer.Give(context, _images, cutAfter: 120_000);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        var refusal = await Assert.ThrowsAsync<PullException>(() => Pull(server.Address));
        Assert.Contains("/made/images.gz can't be reached: it answered 503. ", refusal.Message, Is);
        Assert.Contains($"{new FileInfo(Part).Length:N0} bytes are kept", refusal.Message, Is);
        Assert.Equal(_images[..(int)new FileInfo(Part).Length], await File.ReadAllBytesAsync(Part, Cancellation));
        Assert.Contains("http://127.0.0.1:1/made/images.gz can't be reached",
            (await Assert.ThrowsAsync<PullException>(() => Pull("http://127.0.0.1:1"))).Message, Is);
    }

    [Fact]
    public async Task Files_may_lie_beside_each_other_or_in_a_folder_of_their_name()
    {
        await using var server = await FileServer.StartAsync(context =>
        {
            if (!context.Request.Path.StartsWithSegments("/made"))
                return Whole(context);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        await Pull(server.Address);
        Assert.Equal(_images, Content("images.gz"));
        await using var empty = await FileServer.StartAsync(context =>
        {
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        File.Delete(Path.Combine(_folder, "images.gz"));
        Assert.Contains("answered 404", (await Assert.ThrowsAsync<PullException>(() => Pull(empty.Address))).Message, Is);

        var source = Directory.CreateDirectory(Path.Combine(_folder, "source")).FullName;
        await File.WriteAllBytesAsync(Path.Combine(source, "images.gz"), _images, Cancellation);
        Directory.CreateDirectory(Path.Combine(source, "made"));
        await File.WriteAllBytesAsync(Path.Combine(source, "made", "labels.gz"), _labels, Cancellation);
        File.Delete(Path.Combine(_folder, "labels.gz"));
        await Pull(source);
        Assert.Equal(_images, Content("images.gz"));
        Assert.Equal(_labels, Content("labels.gz"));
        File.Delete(Path.Combine(_folder, "labels.gz"));
        Assert.Contains("labels.gz is neither at", (await Assert.ThrowsAsync<PullException>(() => Pull("/nowhere"))).Message, Is);
    }

    [Fact]
    public async Task The_API_pulls_from_its_source_and_tells_how_it_went()
    {
        await using var server = await FileServer.StartAsync(context => FileServer.Give(context, _images));
        var database = await service.CreateMigratedDatabaseAsync();
        await using (var host = await HostProcess.StartAsync("api", database, new Dictionary<string, string?>
        {
            ["TRAINING_DATA_DIR"] = _folder,
            ["TRAINING_DATASETS_SOURCE"] = server.Address,
        }))
        {
            Assert.Equal(404, (await host.Http.GetAnswer("/api/v1/datasets/mnist/pull")).Status);
            var answer = await host.Http.Send("POST", "/api/v1/datasets/mnist/pull");
            Assert.Equal((202, "/api/v1/datasets/mnist/pull"), (answer.Status, answer.Headers.Location?.ToString()));
            Answer pull;
            do
                pull = await host.Http.GetAnswer("/api/v1/datasets/mnist/pull");
            while (pull["status"].GetString() == "running");
            Assert.Equal(("failed", "train-images-idx3-ubyte.gz", 300_000), (pull["status"].GetString(), pull["file"].GetString(),
                pull["bytes"].GetInt64()));
            Assert.Contains("instead of 440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609", pull["message"].GetString(), Is);
            Assert.Contains("POST /api/v1/datasets/mnist/pull",
                (await host.Http.GetAnswer("/api/v1/datasets/mnist"))["message"].GetString(),
                Is);
            (await host.Http.Send("POST", "/api/v1/datasets/digits/pull")).MustBeProblem(409, "conflict");
            (await host.Http.Send("POST", "/api/v1/datasets/nothing/pull")).MustBeProblem(404, "not-found");
        }
        await service.Postgres.DropDatabaseAsync(database);
        var refused = await service.Http.Send("POST", "/api/v1/datasets/mnist/pull");
        refused.MustBeProblem(409, "conflict");
        Assert.Contains("TRAINING_DATASETS_SOURCE", refused["detail"].GetString(), Is);
    }

    [Fact]
    public async Task The_command_refuses_in_a_sentence()
    {
        await using var server = await FileServer.StartAsync(context => FileServer.Give(context, _labels));
        var (exitCode, errors, log) = await Command("datasets", "pull", "mnist", "--from", server.Address);
        Assert.Equal(1, exitCode);
        Assert.Contains($"has the SHA-256 {Sha256(_labels)} instead of 440fcabf", errors, Is);
        Assert.Contains("train-images-idx3-ubyte.gz (1 of 4): 100 % of 0.0 MB", log, Is);
        Assert.Contains("set TRAINING_DATASETS_SOURCE, or say --from", (await Command("datasets", "pull", "mnist")).Errors, Is);
        Assert.Contains("did you mean 'mnist'?", (await Command("datasets", "pull", "mnits")).Errors, Is);
        Assert.Contains("begins with http:// or https://, or a folder", (await Command("datasets", "pull", "mnist", "--from",
            "ftp://x/y")).Errors, Is);
        Assert.Equal(2, (await Command("datasets", "fetch")).ExitCode);
    }

    [Fact]
    public async Task Files_of_a_Debian_package_are_there_already()
    {
        const string Installed = "/usr/share/datasets/fashion-mnist";
        Assert.SkipUnless(Directory.Exists(Installed), "Debian's dataset-fashion-mnist is not installed.");
        var (exitCode, errors, log) = await Command("datasets", "pull", "fashion-mnist");
        Assert.Equal((0, "", $"fashion-mnist is there already, in {Installed}."), (exitCode, errors, log));
        var answer = await service.Http.Send("POST", "/api/v1/datasets/fashion-mnist/pull");
        Assert.Equal((200, "succeeded"), (answer.Status, answer["status"].GetString()));
    }

    private const StringComparison Is = StringComparison.Ordinal;

    private string Part => Path.Combine(_folder, "images.gz.part");

    private Task<(int ExitCode, string Errors, string Log)> Command(params string[] arguments) =>
        HostProcess.RunAsync(arguments, new Dictionary<string, string?> { ["TRAINING_DATA_DIR"] = _folder });

    private Task Pull(string source) => new DatasetPull(source, _ => { }).RunAsync("made", Files, _folder, Cancellation);

    private Task Whole(HttpContext context) =>
        FileServer.Give(context, context.Request.Path.Value!.Contains("images", Is) ? _images : _labels);

    private byte[] Content(string name) => File.ReadAllBytes(Path.Combine(_folder, name));

    private static byte[] Made(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
