using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using TrainingService.Engine.Training;
using TrainingService.Host.Http;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;
using TrainingService.Host.Tests.Tables;
using TrainingService.Host.Tests.Uploads;

namespace TrainingService.Host.Tests.Models;

/// <summary>The whole way over HTTP: a file with missing values, categories, dates and booleans; a net of it; that net asked.</summary>
public sealed class OwnDataModelTests(Service service)
{
    [Fact]
    public async Task Predictions_and_ONNX_Runtime_are_right_on_the_very_test_rows_that_the_job_was()
    {
        var (train, test) = (UploadClient.Flowers(240, seed: 5), UploadClient.Flowers(90, seed: 6));
        var (name, job) = await TrainAsync(train, test);
        string[][] rows = [.. test.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(line => line.Split(','))];
        string[] truth = [.. rows.Select(row => row[5])];
        var accuracy = job.GetProperty("result").GetProperty("testAccuracy").GetSingle();
        Assert.InRange(accuracy, 0.5f, 0.999f);

        // The rows as they stand in the file, the target among them.
        var answer = await service.Http.Send("POST", job.Path() + "/predictions", Encoding.UTF8.GetBytes(test), "text/csv");
        Assert.True(answer.Status == 200, answer.Text);
        string[] labels = [.. answer["labels"].EnumerateArray().Select(label => label.GetString()!)];
        Assert.Equal(accuracy, Right(labels, truth));
        // The same by name as JSON, and by the parts that the net knows.
        string[] columns = test[..test.IndexOf('\n', StringComparison.Ordinal)].Split(',');
        var named = await service.Http.AskAsync(job.Path(), new
        {
            inputs = rows.Select(row => columns.Zip(row)
                .ToDictionary(cell => cell.First, cell => cell.Second.Length == 0 ? null : cell.Second)),
        });
        Assert.Equal(answer.Text, named.Text);

        var net = await service.Http.GetByteArrayAsync(job.Path() + "/model", TestContext.Current.CancellationToken);
        using var session = new InferenceSession(net);
        using var answers = session.Run([.. session.InputMetadata.Select(input =>
            Input(input.Key, input.Value.ElementType, columns, rows))]);
        Assert.Equal(labels, answers.First(a => a.Name == "label").AsEnumerable<string>());
        var probabilities = answers.First(a => a.Name == "probabilities").AsEnumerable<float>();
        Assert.All(answer["outputs"].EnumerateArray().SelectMany(row => row.EnumerateArray()).Zip(probabilities), pair =>
            Assert.Equal(pair.First.GetDouble(), pair.Second, 1e-5));
    }

    public static TheoryData<string> Kinds => [.. Files.Keys];

    /// <summary>Files of every kind, with the fields that are sent with them.</summary>
    private static readonly Dictionary<string, Func<((string Field, string Name, byte[] Content)[] Files, (string, string)[] Fields)>>
        Files = new()
        {
            ["categories, dates and booleans with missing values"] = () => ([File("f.csv", UploadClient.Flowers(400, seed: 3)
                .Replace(",g,", ",,", StringComparison.Ordinal))], [("target", "kind")]),
            ["a number as target, rare categories"] = () => ([File("f.csv", Rides())], [("target", "fare")]),
            ["more than 256 numbers"] = () => ([File("f.csv", Wide(300))], [("target", "kind")]),
            ["numbers that float32 hasn't"] = () => ([File("f.tsv", Wide(5, 1e9).Replace(',', '\t'))], [("target", "kind")]),
            ["images as IDX"] = () => ([File("images-idx3-ubyte", FormatTests.Idx([200, 4, 5], Pixels())),
                File("labels-idx1-ubyte", FormatTests.Idx([200], Labels()))], []),
            ["images as npz"] = () => ([File("f.npz", CsvTests.Zip(("X.npy", FormatTests.Npy("|u1", "(200, 4, 5)", Pixels())),
                ("y.npy", FormatTests.Npy("|u1", "(200,)", Labels()))))], [("target", "y"), ("task", "classification")]),
            ["groups"] = () => ([File("f.csv", UploadClient.Flowers(400, seed: 4))], [("target", "kind"), ("groupBy", "seen")]),
            ["the latest rows as test"] = () => ([File("f.csv", UploadClient.Flowers(400, seed: 4, classes: "ab"))],
                [("target", "kind"), ("timeBy", "seen")]),
        };

    /// <summary>All test rows are taken for the very classes that the job took them for, whoever is asked.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public async Task Test_rows_of_every_kind_of_data_are_answered_as_the_job_was_tested(string kind)
    {
        var name = $"own-{Guid.NewGuid():N}";
        var (files, fields) = Files[kind]();
        var stored = await service.Http.Upload("POST", "/api/v1/datasets", files, [("name", name), .. fields]);
        Assert.True(stored.Status == 201, stored.Text);
        var job = await service.Http.TrainAsync($$"""
            {"dataset": "{{name}}", "model": {"hiddenLayers": [8] }, "training": {"epochs": 3 }, "diagnostics": {"tryPatches": false} }
            """);
        var result = JsonSerializer.Deserialize<TrainingResult>(job.GetProperty("result"), Json.Options);
        Assert.NotNull(result);
        var dataset = await service.BroughtAsync(name);
        var rows = Nets.TestRows(dataset);
        Assert.InRange(rows.Count, 30, 200);
        var answer = await service.Http.AskAsync(job.Path(), new
        {
            inputs = rows.Select(row => row.Select((cell, c) => double.IsNaN(cell) ? null
                : dataset.Columns[c].Categories is { } names ? names[(int)cell] : (object)cell)),
        });
        Assert.True(answer.Status == 200, answer.Text);
        string[] labels = [.. dataset.Card.Classes.Count == 0 ? [] : answer["labels"].EnumerateArray().Select(label => $"{label}")];
        Nets.MustBeAsTested(result, dataset, [.. answer["outputs"].EnumerateArray().SelectMany(output =>
            output.ValueKind is JsonValueKind.Array ? output.EnumerateArray().Select(v => v.GetDouble()) : [output.GetDouble()])], labels);
        var net = await service.Http.GetByteArrayAsync(job.Path() + "/model", TestContext.Current.CancellationToken);
        var (values, otherLabels) = Nets.AskOnnx(net, dataset.Columns, rows);
        Nets.MustBeAsTested(result, dataset, values, otherLabels);
        Assert.Equal(labels, otherLabels);
    }

    private static (string, string, byte[]) File(string name, string text) => File(name, Encoding.UTF8.GetBytes(text));

    private static (string Field, string Name, byte[] Content) File(string name, byte[] content) => ("file", name, content);

    /// <summary>Dark in the half that the label tells, with noise.</summary>
    private static byte[] Pixels()
    {
        var random = new Random(8);
        return [.. Labels().SelectMany(label => Enumerable.Range(0, 20)
            .Select(i => (byte)(random.Next(200) + (i / 10 == label ? 55 : 0))))];
    }

    private static byte[] Labels() => [.. Enumerable.Range(0, 200).Select(i => (byte)(i % 2))];

    private static string Wide(int numbers, double offset = 0)
    {
        var random = new Random(9);
        var csv = new StringBuilder(string.Concat(Enumerable.Range(0, numbers).Select(c => $"n{c},"))).Append("kind\n");
        for (var row = 0; row < 300; row++)
        {
            for (var c = 0; c < numbers; c++)
                csv.Append(CultureInfo.InvariantCulture, $"{offset + random.NextDouble() * 10 + row % 3 * (c % 4):0.000},");
            csv.Append(CultureInfo.InvariantCulture, $"{"abc"[row % 3]}\n");
        }
        return csv.ToString();
    }

    private static string Rides()
    {
        var random = new Random(10);
        var csv = new StringBuilder("zone,distance,night,fare\n");
        for (var row = 0; row < 600; row++)
        {
            var (zone, distance) = ((int)(40 * Math.Pow(random.NextDouble(), 4)), random.NextDouble() * 20);
            csv.Append(CultureInfo.InvariantCulture,
                $"{(row % 50 == 7 ? "" : $"z{zone}")},{distance:0.0},{(row % 100 == 9 ? "yes" : "no")},")
                .Append(CultureInfo.InvariantCulture, $"{3 + zone + 2.5 * distance + random.NextDouble():0.00}\n");
        }
        return csv.ToString();
    }

    [Fact]
    public async Task What_does_not_fit_a_column_of_the_file_is_told()
    {
        var (_, job) = await TrainAsync(UploadClient.Flowers(90, seed: 7), UploadClient.Flowers(30, seed: 8));
        var wrong = await service.Http.AskAsync(job.Path(), new
        {
            inputs = new[] { new { length = "1.5", width = "-", color = "r", seen = "someday", wild = "perhaps" } },
        });
        wrong.MustBeProblem(400, "validation");
        Assert.Equal("row 0, column 'seen': found 'someday'; allowed is a date as in the file that was brought, or null for a missing "
            + "value",
            wrong.Error("/inputs/0/seen"));
        Assert.StartsWith("row 0, column 'wild': found 'perhaps'", wrong.Error("/inputs/0/wild"), StringComparison.Ordinal);
        Assert.Equal(2, wrong["errors"].EnumerateObject().Count());
        var lacking = await service.Http.AskAsync(job.Path(), new
        {
            inputs = new[] { new { length = 1.5, width = 1, color = "r", wild = true } },
        });
        Assert.Contains("seen.month", lacking.Error("/inputs/0"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infinite_values_are_missing_ones_for_predictions_and_ONNX_as_in_training()
    {
        var train = UploadClient.Flowers(90, seed: 9);
        string[] columns = train[..train.IndexOf('\n', StringComparison.Ordinal)].Split(',');
        var place = Array.IndexOf(columns, "length");
        string[][] rows = [.. train.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).Take(6).Select(line => line.Split(','))];
        string With(string value) => string.Join(',', columns) + "\n"
            + string.Concat(rows.Select(row => string.Join(',', row.Select((cell, c) => c == place ? value : cell)) + "\n"));
        var (_, job) = await TrainAsync(train + With("inf").Split('\n', 2)[1], UploadClient.Flowers(30, seed: 10));
        var infinite = await service.Http.Send("POST", job.Path() + "/predictions", Encoding.UTF8.GetBytes(With("-inf")), "text/csv");
        var missing = await service.Http.Send("POST", job.Path() + "/predictions", Encoding.UTF8.GetBytes(With("")), "text/csv");
        Assert.Equal((200, missing.Text), (infinite.Status, infinite.Text));

        using var session = new InferenceSession(
            await service.Http.GetByteArrayAsync(job.Path() + "/model", TestContext.Current.CancellationToken));
        float[] Asked(double value)
        {
            foreach (var row in rows)
                row[place] = value.ToString(CultureInfo.InvariantCulture);
            using var answers = session.Run([.. session.InputMetadata.Select(input =>
                Input(input.Key, input.Value.ElementType, columns, rows))]);
            return [.. answers.First(a => a.Name == "probabilities").AsEnumerable<float>()];
        }

        var expected = Asked(double.NaN);
        Assert.DoesNotContain(expected, float.IsNaN);
        Assert.Equal(expected, Asked(double.PositiveInfinity));
        Assert.Equal(expected, Asked(double.NegativeInfinity));
    }

    [Fact]
    public async Task A_sweeps_best_arm_is_kept_as_a_net()
    {
        var sweep = await service.Http.Send("POST", "/api/v1/sweeps", """
            {"base": {"dataset": "iris", "training": {"epochs": 8}}, "seedCount": 6, "baseline": "worse",
             "arms": [{"name": "worse", "patch": {"training": {"epochs": 1}}}, {"name": "better"}]}
            """);
        Assert.True(sweep.Status == 202, sweep.Text);
        var ended = await service.Http.WaitForSweepEnd(sweep.Id);
        Assert.True(ended.GetProperty("spec").GetProperty("keepBest").GetBoolean());
        Assert.Equal(12, ended.Count("succeeded"));
        var best = ended.GetProperty("best");
        Assert.Equal("better", best.GetProperty("arm").GetString());
        var report = await service.Http.GetAnswer($"/api/v1/sweeps/{sweep.Id}/report");
        Assert.Equal(best.GetRawText(), report["best"].GetRawText());
        var better = report["arms"].EnumerateArray().Single(arm => arm.GetProperty("name").GetString() == "better");
        Guid[] cells = [.. better.GetProperty("jobs").EnumerateArray().Select(id => id.GetGuid())];
        (await service.Http.GetAnswer($"/api/v1/jobs/{cells[0]}/model")).MustBeProblem(409, "conflict");

        // It is no cell of the sweep, and who asks for it gets the one that is there.
        var id = best.GetProperty("jobId").GetGuid();
        Assert.DoesNotContain(id, cells);
        var kept = await service.Http.WaitForEndAsync(id);
        Assert.False(kept.TryGetProperty("sweepId", out var belongs) && belongs.ValueKind != JsonValueKind.Null);
        Assert.Equal(best.GetProperty("seed").GetInt64(),
            kept.GetProperty("spec").GetProperty("training").GetProperty("seed").GetInt64());
        var answer = await service.Http.Send("POST", $"/api/v1/sweeps/{sweep.Id}/best", "{}");
        Assert.Equal((202, id.ToString()), (answer.Status, answer.Id));
        using var markdown = await service.Http.SendAsync(new(HttpMethod.Get, $"/api/v1/sweeps/{sweep.Id}/report")
        {
            Headers = { { "Accept", "text/markdown" } },
        }, TestContext.Current.CancellationToken);
        Assert.Contains($"[ONNX file](/api/v1/jobs/{id}/model)",
            await markdown.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        // The very net of the arm's lower median.
        var runs = new List<JsonElement>();
        foreach (var cell in cells)
            runs.Add((await service.Http.GetJobAsync(cell)).GetProperty("result"));
        var accuracies = runs.Select(run => run.GetProperty("testAccuracy").GetSingle()).Order().ToList();
        var result = kept.GetProperty("result");
        Assert.Equal(accuracies[2], result.GetProperty("testAccuracy").GetSingle());
        Assert.Contains(result.GetProperty("weightsSha256").GetString(), runs.Select(run => run.GetProperty("weightsSha256").GetString()));
        Assert.Equal(200, (await service.Http.GetAnswer(kept.Path() + "/model?format=json")).Status);

        var changed = await service.Http.Send("POST", $"/api/v1/sweeps/{sweep.Id}/best", """{"training": {"epochs": 2} }""");
        Assert.Equal(2, changed["spec"].GetProperty("training").GetProperty("epochs").GetInt32());
        Assert.True(changed["spec"].GetProperty("storeWeights").GetBoolean());
        (await service.Http.Send("POST", $"/api/v1/sweeps/{Guid.NewGuid()}/best", "{}")).MustBeProblem(404, "not-found");
    }

    [Fact]
    public async Task A_sweep_keeps_no_net_of_its_own_where_it_shall_not_and_one_job_however_often_it_is_asked()
    {
        const string Arms = """
            "seedCount": 2, "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"batchSize": 16}}}]
            """;
        var without = await EndedAsync($$"""{"base": {"dataset": "iris", "training": {"epochs": 2} }, "keepBest": false, {{Arms}} }""");
        Assert.False(without.GetProperty("spec").GetProperty("keepBest").GetBoolean());
        Assert.False(without.TryGetProperty("best", out _));
        var first = await service.Http.Send("POST", $"/api/v1/sweeps/{without.Text("id")}/best", "{}");
        var again = await service.Http.Send("POST", $"/api/v1/sweeps/{without.Text("id")}/best", "{}");
        Assert.Equal((202, 202, first.Id), (first.Status, again.Status, again.Id));
        var noted = (await service.Http.GetAnswer($"/api/v1/sweeps/{without.Text("id")}"))["best"];
        Assert.Equal(first.Id, noted.GetProperty("jobId").GetString());

        // Whose job is deleted, gets another one.
        await service.Http.WaitForEndAsync(Guid.Parse(first.Id));
        Assert.Equal(204, (await service.Http.Send("DELETE", $"/api/v1/jobs/{first.Id}", "")).Status);
        Assert.False((await service.Http.GetAnswer($"/api/v1/sweeps/{without.Text("id")}")).Json.TryGetProperty("best", out _));
        Assert.NotEqual(first.Id, (await service.Http.Send("POST", $"/api/v1/sweeps/{without.Text("id")}/best", "{}")).Id);

        // Cells that keep their nets need no other job.
        var own = await EndedAsync($$"""{"base": {"dataset": "iris", "training": {"epochs": 2}, "storeWeights": true}, {{Arms}} }""");
        var cell = await service.Http.GetJobAsync(own.GetProperty("best").GetProperty("jobId").GetGuid());
        Assert.Equal(own.Text("id"), cell.GetProperty("sweepId").GetString());

        // Of what is neither good nor bad there is no best.
        var none = await EndedAsync($$"""
            {"base": {"dataset": "iris", "training": {"epochs": 2} }, "metric": "sparsity", {{Arms}} }
            """);
        Assert.False(none.TryGetProperty("best", out _));

        async Task<JsonElement> EndedAsync(string body)
        {
            var sweep = await service.Http.Send("POST", "/api/v1/sweeps", body);
            Assert.True(sweep.Status == 202, sweep.Text);
            return await service.Http.WaitForSweepEnd(sweep.Id);
        }
    }

    private async Task<(string Name, JsonElement Job)> TrainAsync(string train, string test)
    {
        var name = $"own-{Guid.NewGuid():N}";
        var stored = await service.Http.Upload("POST", "/api/v1/datasets",
            [("file", "train.csv", Encoding.UTF8.GetBytes(train)), ("testFile", "test.csv", Encoding.UTF8.GetBytes(test))],
            ("name", name), ("target", "kind"));
        Assert.True(stored.Status == 201, stored.Text);
        return (name, await service.Http.TrainAsync($$"""
            {"dataset": "{{name}}", "model": {"hiddenLayers": [8] }, "training": {"epochs": 6 } }
            """));
    }

    private static NamedOnnxValue Input(string name, Type type, string[] columns, string[][] rows)
    {
        var parts = name.Split('.');
        var place = Array.IndexOf(columns, parts[0]);
        string[] cells = [.. rows.Select(row => row[place])];
        if (type == typeof(string))
            return NamedOnnxValue.CreateFromTensor(name, new DenseTensor<string>(cells, [rows.Length, 1]));
        var numbers = cells.Select(cell => cell switch
        {
            "" => double.NaN,
            "yes" or "no" => cell == "yes" ? 1 : 0,
            _ when parts.Length == 1 => double.Parse(cell, CultureInfo.InvariantCulture),
            _ => Part(DateTime.Parse(cell, CultureInfo.InvariantCulture), parts[1]),
        });
        return type == typeof(double) ? NamedOnnxValue.CreateFromTensor(name, new DenseTensor<double>(numbers.ToArray(), [rows.Length, 1]))
            : NamedOnnxValue.CreateFromTensor(name, new DenseTensor<float>(numbers.Select(n => (float)n).ToArray(), [rows.Length, 1]));
    }

    private static int Part(DateTime date, string part) => part switch
    {
        "month" => date.Month,
        "day" => date.Day,
        _ => date.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)date.DayOfWeek,
    };

    private static float Right(IReadOnlyList<string> labels, string[] truth) =>
        (float)(labels.Zip(truth).Count(pair => pair.First == pair.Second) / (double)truth.Length);
}
