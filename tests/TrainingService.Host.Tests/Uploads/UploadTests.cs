using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Uploads;

/// <summary>People's own data, from the file to a job that has trained on it.</summary>
public sealed class UploadTests(Service service)
{
    private const string Datasets = "/api/v1/datasets";

    private static string NewName() => $"own-{Guid.NewGuid():N}";

    [Fact]
    public async Task A_file_and_a_target_are_enough_and_a_job_trains_on_them()
    {
        var (name, csv) = (NewName(), UploadClient.Flowers(240));
        var made = await service.Http.Upload(Datasets, csv, ("name", name), ("target", "kind"));
        Assert.True(made.Status == 201, made.Text);
        Assert.Equal($"{Datasets}/{name}", made.Headers.Location?.ToString());
        Assert.Equal(("ready", 1, 240, 0, 9), (made["status"].GetString(), made["version"].GetInt32(), made["rows"].GetInt32(),
            made["droppedRows"].GetInt32(), made["encodedFeatures"].GetInt32()));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(csv))),
            made["files"][0].GetProperty("sha256").GetString());

        var got = await service.Http.GetAnswer($"{Datasets}/{name}");
        Assert.Equal((200, made.Text), (got.Status, got.Text));
        Assert.Equal(304, (await service.Http.GetAnswer($"{Datasets}/{name}", ("If-None-Match", got.ETag!))).Status);
        var listed = await service.Http.GetAnswer($"{Datasets}?limit=500");
        Assert.Contains(listed["items"].EnumerateArray(), item => item.GetProperty("name").GetString() == name);
        var preview = await service.Http.GetAnswer($"{Datasets}/{name}/preview?rows=4");
        var fourth = csv.Split('\n')[4].Split(',');
        Assert.Equal(fourth[0], preview["rows"][3][0].GetDouble().ToString("0.00", System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((System.Text.Json.JsonValueKind.Null, fourth[2]),
            (preview["rows"][3][1].ValueKind, preview["rows"][3][2].GetString()));

        var job = await service.Http.PostJob($$"""
            {"dataset": "{{name}}", "training": {"epochs": 20}, "diagnostics": {"tryPatches": false} }
            """);
        Assert.True(job.Status == 202, job.Text);
        var sha256 = made["sha256"].GetString();
        Assert.Equal(sha256, job["spec"].GetProperty("dataset").GetProperty("sha256").GetString());
        var done = await service.Http.WaitForEndAsync(Guid.Parse(job.Id));
        Assert.Equal("succeeded", done.Status());
        Assert.Equal(sha256, done.GetProperty("result").GetProperty("datasetSha256").GetString());
        Assert.InRange(done.GetProperty("result").GetProperty("testAccuracy").GetDouble(), 0.8, 1);
    }

    [Fact]
    public async Task A_number_can_be_predicted()
    {
        var name = NewName();
        var csv = "a,b,y\n" + string.Concat(Enumerable.Range(0, 200).Select(i =>
            FormattableString.Invariant($"{i % 17},{i * 7 % 23},{2 * (i % 17) - 3 * (i * 7 % 23) + 0.5:0.0}\n")));
        var made = await service.Http.Upload(Datasets, csv, ("name", name), ("target", "y"));
        Assert.Equal("number", made["target"].GetProperty("kind").GetString());
        var job = await service.Http.PostJob($$"""
            {"dataset": "{{name}}", "training": {"epochs": 30}, "diagnostics": {"tryPatches": false} }
            """);
        var done = await service.Http.WaitForEndAsync(Guid.Parse(job.Id));
        Assert.InRange(done.GetProperty("result").GetProperty("testR2").GetDouble(), 0.8, 1);
    }

    [Fact]
    public async Task A_dry_run_tells_everything_and_stores_nothing()
    {
        var name = NewName();
        var csv = UploadClient.Flowers(100).Replace("\n", ",text\n", StringComparison.Ordinal);
        csv = string.Join('\n', csv.Split('\n').Select((line, i) => i == 0 || line.Length == 0 ? line : line[..^4] + $"text {i}"));
        var looked = await service.Http.Upload($"{Datasets}?dryRun=true", csv, ("name", name));
        Assert.True(looked.Status == 200, looked.Text);
        Assert.False(looked["ready"].GetBoolean());
        Assert.Equal(["/target", "/drop"], looked["problems"].EnumerateArray().Select(p => p.GetProperty("field").GetString()));
        Assert.Equal("text", looked["suggestedDrop"][0].GetString());

        var mended = await service.Http.Upload(Datasets, csv, ("name", name), ("target", "kind"), ("drop", "text"), ("dryRun", "true"));
        Assert.True(mended["ready"].GetBoolean(), mended.Text);
        Assert.Equal(["number", "number", "category", "date", "boolean", "category"],
            mended["columns"].EnumerateArray().Where(c => c.TryGetProperty("kind", out _)).Select(c => c.GetProperty("kind").GetString()));
        Assert.Equal((100, 10, "classification", 3),
            (mended["rows"].GetInt32(), mended["missingValues"].GetInt32(), mended["task"].GetString(),
            mended["classes"].GetArrayLength()));
        Assert.Equal((10, csv.Split('\n')[1]), (mended["preview"].GetArrayLength(),
            string.Join(',', mended["preview"][0].EnumerateArray().Select(cell => cell.GetString()))));
        Assert.Equal(404, (await service.Http.GetAnswer($"{Datasets}/{name}")).Status);
    }

    [Fact]
    public async Task A_new_version_is_for_new_jobs_and_a_deletion_is_told()
    {
        var name = NewName();
        var first = await service.Http.Upload(Datasets, UploadClient.Flowers(60), ("name", name), ("target", "kind"), ("drop", "seen"));
        var job = await service.Http.PostJob($$"""
            {"dataset": "{{name}}", "training": {"epochs": 1}, "diagnostics": {"tryPatches": false} }
            """);
        await service.Http.WaitForEndAsync(Guid.Parse(job.Id));

        var same = await service.Http.Upload(Datasets, UploadClient.Flowers(60), ("name", name), ("target", "kind"), ("drop", "seen"));
        Assert.Equal((201, 1), (same.Status, same["version"].GetInt32()));
        var other = await service.Http.Upload(Datasets, UploadClient.Flowers(90), ("name", name), ("target", "kind"));
        other.MustBeProblem(409, "conflict");
        Assert.Contains("PUT", other["detail"].GetString(), StringComparison.Ordinal);

        // What is not said is as it was.
        var second = await service.Http.Upload("PUT", $"{Datasets}/{name}",
            [("file", "more.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(90)))]);
        Assert.True(second.Status == 201, second.Text);
        Assert.Equal((2, 90, "kind", 4), (second["version"].GetInt32(), second["rows"].GetInt32(),
            second["target"].GetProperty("name").GetString(),
            second["features"].GetArrayLength()));
        var versions = await service.Http.GetAnswer($"{Datasets}/{name}/versions");
        Assert.Equal([(2, 90), (1, 60)], versions["items"].EnumerateArray().Select(v =>
            (v.GetProperty("version").GetInt32(), v.GetProperty("rows").GetInt32())));

        var now = await service.Http.PostJob($$"""
            {"dataset": "{{name}}", "training": {"epochs": 1}, "diagnostics": {"tryPatches": false} }
            """);
        Assert.Equal(second["sha256"].GetString(), now["spec"].GetProperty("dataset").GetProperty("sha256").GetString());
        var old = await service.Http.PostJob($$"""
            {"dataset": {"name": "{{name}}", "sha256": "{{first["sha256"].GetString()}}" }, "training": {"epochs": 1} }
            """);
        Assert.Equal(202, old.Status);
        var again = await service.Http.Send("POST", $"/api/v1/jobs/{job.Id}/verify");
        Assert.Equal(202, again.Status);
        foreach (var id in (string[])[now.Id, old.Id, again.Id])
            Assert.Equal("succeeded", (await service.Http.WaitForEndAsync(Guid.Parse(id))).Status());
        Assert.True((await service.Http.GetAnswer($"/api/v1/jobs/{again.Id}/verification"))["equal"].GetBoolean());

        var kept = await service.Http.Send("DELETE", $"{Datasets}/{name}");
        kept.MustBeProblem(409, "conflict");
        Assert.Contains("4 jobs have used", kept["detail"].GetString(), StringComparison.Ordinal);
        var gone = await service.Http.Send("DELETE", $"{Datasets}/{name}?force=true");
        Assert.Equal((200, 4), (gone.Status, gone["jobs"].GetInt32()));
        Assert.Equal(404, (await service.Http.GetAnswer($"{Datasets}/{name}")).Status);
        Assert.Equal("succeeded", (await service.Http.GetAnswer($"/api/v1/jobs/{job.Id}"))["status"].GetString());
        (await service.Http.PostJob($$"""{"dataset": "{{name}}"}""")).MustBeProblem(400, "validation");
        await using var db = service.NewDbContext();
        var sha256 = first["sha256"].GetString();
        Assert.False(await db.DatasetContents.AnyAsync(c => c.Sha256 == sha256, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_sweep_keeps_the_version_it_began_with()
    {
        var name = NewName();
        var first = await service.Http.Upload(Datasets, UploadClient.Flowers(60), ("name", name), ("target", "kind"));
        var sweep = await service.Http.Send("POST", "/api/v1/sweeps", $$"""
            {"base": {"dataset": "{{name}}", "training": {"epochs": 1} }, "grid": {"/model/activation": ["relu", "tanh"]}, "seedCount": 2}
            """);
        Assert.True(sweep.Status == 202, sweep.Text);
        Assert.Equal(first["sha256"].GetString(),
            sweep["spec"].GetProperty("base").GetProperty("dataset").GetProperty("sha256").GetString());
        await service.Http.Upload("PUT", $"{Datasets}/{name}", [("file", "more.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(90)))]);
        var jobs = await service.Http.GetAnswer($"/api/v1/sweeps/{sweep.Id}/jobs?fields=spec");
        Assert.All(jobs["items"].EnumerateArray(), job =>
            Assert.Equal(first["sha256"].GetString(), job.GetProperty("spec").GetProperty("dataset").GetProperty("sha256").GetString()));
        await service.Http.Send("POST", $"/api/v1/sweeps/{sweep.Id}/cancel");
    }

    [Fact]
    public async Task A_file_of_test_rows_is_the_test()
    {
        var name = NewName();
        var made = await service.Http.Upload("POST", Datasets, [("file", "train.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(60))),
            ("testFile", "test.csv",
                Encoding.UTF8.GetBytes("kind,wild,seen,color,width,length\na,yes,2021-01-01,r,1,0.5\nb,no,2021-02-02,g,2,1.5\n"))],
            ("name", name), ("target", "kind"));
        Assert.True(made.Status == 201, made.Text);
        Assert.Equal(("official", 60, 2), (made["splits"].GetProperty("origin").GetString(),
            made["splits"].GetProperty("trainRows").GetInt32(),
            made["splits"].GetProperty("testRows").GetInt32()));
        var wrong = await service.Http.Upload("POST", Datasets, [("file", "train.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(60))),
            ("testFile", "test.csv", "kind\na\n"u8.ToArray())], ("name", NewName()), ("target", "kind"));
        Assert.Contains("has no column 'length'", wrong.Error("/testFile"), StringComparison.Ordinal);
        var unlearned = await service.Http.Upload("POST", Datasets,
            [("file", "train.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(60, classes: "ab"))),
            ("testFile", "test.csv", Encoding.UTF8.GetBytes(UploadClient.Flowers(60)))], ("name", NewName()), ("target", "kind"));
        Assert.Contains("all rows of the class 'c' are test rows", unlearned.Error("/testFile"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("targt", "kind", "/targt", "did you mean 'target'?")]
    [InlineData("testFraction", "2", "/testFraction", "must be a number from 0.01 to 0.9, not '2'")]
    [InlineData("task", "clasification", "/task", "did you mean 'classification'?")]
    [InlineData("types", "{\"color\": \"nmber\"}", "/types/color", "did you mean 'number'?")]
    [InlineData("types", "{\"colr\": \"number\"}", "/types/colr", "did you mean 'color'?")]
    [InlineData("types", "[]", "/types", "must be a JSON object")]
    [InlineData("drop", "colr", "/drop", "did you mean 'color'?")]
    [InlineData("drop", "kind", "/drop", "is the target")]
    [InlineData("name", "a/b", "/name", "letters, digits")]
    [InlineData("header", "maybe", "/header", "must be true or false")]
    [InlineData("encoding", "klingon", "/encoding", "must be utf-8")]
    [InlineData("delimiter", "abc", "/delimiter", "one character")]
    [InlineData("decimal", "dash", "/decimal", "point or comma")]
    [InlineData("format", "xls", "/format", "must be csv or parquet")]
    [InlineData("stratify", "no", "", "")]
    public async Task A_wrong_field_is_named(string field, string value, string pointer, string message)
    {
        var answer = await service.Http.Upload($"{Datasets}?dryRun=true", UploadClient.Flowers(60), ("target", "kind"), (field, value));
        if (pointer.Length == 0)
            Assert.Equal(200, answer.Status);
        else if (answer.Status == 200)
            Assert.Contains(answer["problems"].EnumerateArray(), p => p.GetProperty("field").GetString() == pointer
                && p.GetProperty("message").GetString()!.Contains(message, StringComparison.Ordinal));
        else
            Assert.Contains(message, answer.Error(pointer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_upload_is_refused()
    {
        (await service.Http.Send("POST", Datasets, "{}")).MustBeProblem(415, "unsupported-media-type");
        var nothing = await service.Http.Upload("POST", Datasets, [], ("target", "kind"));
        Assert.Contains("'file' is required", nothing.Error("/file"), StringComparison.Ordinal);
        (await service.Http.Upload(Datasets, UploadClient.Flowers(60), ("name", "iris"), ("target", "kind"))).MustBeProblem(409,
            "conflict");
        (await service.Http.Send("DELETE", $"{Datasets}/iris")).MustBeProblem(409, "conflict");
        (await service.Http.Send("DELETE", $"{Datasets}/nothing")).MustBeProblem(404, "not-found");
        (await service.Http.GetAnswer($"{Datasets}/nothing/versions")).MustBeProblem(404, "not-found");
        var bad = await service.Http.Upload(Datasets, "x,y\n1,a\n2\n", ("name", NewName()), ("target", "y"));
        bad.MustBeProblem(400, "validation");
        Assert.Contains("row 2 (line 3)", bad.Error("/file"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_that_is_cut_off_leaves_nothing()
    {
        var (name, csv) = (NewName(), UploadClient.Flowers(2000));
        var form = $"--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n{name}\r\n--b\r\nContent-Disposition: form-data; "
            + $"name=\"target\"\r\n\r\nkind\r\n"
            + $"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.csv\"\r\n\r\n{csv}";
        var answer = await service.Http.Send("POST", Datasets, Encoding.UTF8.GetBytes(form), "multipart/form-data; boundary=b");
        answer.MustBeProblem(400, "validation");
        Assert.Contains("cut off", answer.Error("/file"), StringComparison.Ordinal);

        // The line goes dead in the middle.
        using (var socket = new TcpClient(service.Http.BaseAddress!.Host, service.Http.BaseAddress.Port))
        {
            await socket.GetStream().WriteAsync(Encoding.UTF8.GetBytes($"POST {Datasets} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
                + $"Content-Type: multipart/form-data; boundary=b\r\n\r\n{form}"), TestContext.Current.CancellationToken);
        }
        Assert.Equal(404, (await service.Http.GetAnswer($"{Datasets}/{name}")).Status);
    }
}
