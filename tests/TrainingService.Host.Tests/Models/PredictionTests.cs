using System.Globalization;
using System.Text;
using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Models;

public sealed class PredictionTests(Service service)
{
    [Theory]
    [InlineData("""{"dataset": "iris", "training": {"epochs": 15}}""")]
    [InlineData("""{"dataset": "penguins", "model": {"normalization": "batch_norm", "dropout": 0.2}, "training": {"epochs": 10}}""")]
    [InlineData("""{"dataset": {"name": "wine", "standardize": false}, "model": {"normalization": "layer_norm"}}""")]
    [InlineData("""{"dataset": "breast_cancer", "training": {"epochs": 5, "loss": "binary_cross_entropy"}}""")]
    [InlineData("""{"dataset": "digits", "model": {"activation": "prelu"}, "training": {"epochs": 3, "loss": "mse"}}""")]
    public async Task Classes_of_the_test_rows_are_the_ones_that_the_job_counted(string spec)
    {
        var job = await service.Http.TrainAsync(spec);
        var name = job.GetProperty("spec").GetProperty("dataset").GetProperty("name").GetString()!;
        var (rows, labels, _) = Kept.TestRows(name);

        var answer = await service.Http.AskAsync(job.Path(), new { inputs = rows });
        Assert.True(answer.Status == 200, answer.Text);
        var predicted = answer["labels"].EnumerateArray().Select(label => label.GetString()).ToList();
        var right = predicted.Zip(labels).Count(pair => pair.First == pair.Second);
        var result = job.GetProperty("result");
        Assert.Equal(result.GetProperty("testAccuracy").GetSingle(), (float)((double)right / rows.Count));
        // each row, not only their number: the confusion matrix has them by class
        var classes = answer["classes"].EnumerateArray().Select(c => c.GetString()).ToList();
        var confusion = classes.Select(_ => new int[classes.Count]).ToArray();
        foreach (var (was, taken) in labels.Zip(predicted))
            confusion[classes.IndexOf(was)][classes.IndexOf(taken)]++;
        Assert.Equal(JsonSerializer.Serialize(confusion), JsonSerializer.Serialize(result.GetProperty("confusion")));
        var scores = spec.Contains("mse", StringComparison.Ordinal);
        Assert.Equal(scores ? "scores" : "probabilities", answer["kind"].GetString());
        Assert.All(answer["outputs"].EnumerateArray(), row => Assert.True(scores
            || Math.Abs(row.EnumerateArray().Sum(p => p.GetDouble()) - 1) < 1e-12));

        // by name, in another order and with the target, and as CSV: the same
        var columns = Kept.Columns(name);
        var byName = await service.Http.AskAsync(job.Path(), new
        {
            inputs = rows.Select(row => columns.Zip(row).Reverse()
                .Append((answer["target"].GetString()!, "whatever"))
                .ToDictionary(cell => cell.Item1, cell => cell.Item2)),
        });
        Assert.Equal(answer.Text, byName.Text);
        var csv = new StringBuilder(string.Join(',', columns)).Append('\n');
        foreach (var row in rows)
            csv.Append(string.Join(',', row.Select(cell => Convert.ToString(cell, CultureInfo.InvariantCulture)))).Append('\n');
        var asCsv = await service.Http.Send("POST", job.Path() + "/predictions", Encoding.UTF8.GetBytes(csv.ToString()), "text/csv");
        Assert.Equal(answer.Text, asCsv.Text);
        // each row in an order of its own
        var mixed = await service.Http.AskAsync(job.Path(), new
        {
            inputs = rows.Select((row, r) => columns.Zip(row).Skip(r % columns.Count).Concat(columns.Zip(row).Take(r % columns.Count))
                .ToDictionary(cell => cell.First, cell => cell.Second)),
        });
        Assert.Equal(answer.Text, mixed.Text);
        // a row by itself gets the bits that it gets among others
        var alone = await service.Http.AskAsync(job.Path(), new { inputs = rows.Skip(7).Take(1) });
        Assert.Equal(answer["outputs"][7].ToString(), alone["outputs"][0].ToString());
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Numbers_come_in_the_targets_unit(bool standardized)
    {
        var job = await service.Http.TrainAsync($$"""
            {"dataset": "friedman1", "training": {"epochs": 5, "standardizeTarget": {{(standardized ? "true" : "false")}} } }
            """);
        var (rows, _, values) = Kept.TestRows("friedman1");
        var answer = await service.Http.AskAsync(job.Path(), new { inputs = rows });
        Assert.Equal(("values", "y"), (answer["kind"].GetString(), answer["target"].GetString()));
        Assert.False(answer.Json.TryGetProperty("labels", out _));
        var squares = answer["outputs"].EnumerateArray().Zip(values)
            .Select(pair => Math.Pow(pair.First[0].GetDouble() - (float)pair.Second, 2)).ToList();
        Assert.Equal(job.GetProperty("result").GetProperty("testRmse").GetSingle(), (float)Math.Sqrt(squares.Sum() / squares.Count));
    }

    [Fact]
    public async Task Each_wrong_value_is_told_with_row_column_what_was_found_and_what_is_allowed()
    {
        var job = await service.Http.TrainAsync("""{"dataset": "penguins", "training": {"epochs": 1}}""");
        object?[] good = ["Biscoe", 39.1, 18.7, 181, 3750, "MALE"];
        Assert.Equal(Kept.Columns("penguins").Count, good.Length);

        async Task Refused(string pointer, string part, object body)
        {
            var answer = await service.Http.AskAsync(job.Path(), body);
            answer.MustBeProblem(400, "validation");
            Assert.Contains(part, answer.Error(pointer), StringComparison.Ordinal);
        }

        object?[] With(int place, object? value) => [.. good.Select((cell, i) => i == place ? value : cell)];
        var number = Kept.Columns("penguins")[1];
        await Refused("/inputs/1/island", "row 1, column 'island': found 'Atlantis'; allowed is one of Biscoe, Dream, Torgersen, or null",
            new { inputs = (object[])[good, With(0, "Atlantis")] });
        await Refused($"/inputs/0/{number}", $"row 0, column '{number}': found 'long'; allowed is a finite number, or null",
            new { inputs = (object[])[With(1, "long")] });
        await Refused($"/inputs/0/{number}", "found [1]", new { inputs = (object[])[With(1, (int[])[1])] });
        await Refused("/inputs/0", "row 0 has 5 values; there must be 6: island", new { inputs = (object[])[good[..5]] });
        await Refused("/inputs/0", "row 0 lacks columns", new { inputs = (object[])[new { island = "Dream" }] });
        await Refused("/inputs/0/islnd", "there is no column 'islnd': did you mean 'island'?",
            new { inputs = (object[])[new { islnd = "Dream" }] });
        // in each row that has it
        await Refused("/inputs/1/islnd", "there is no column 'islnd'",
            new { inputs = (object[])[new { islnd = "Dream" }, new { islnd = "Dream" }] });
        var twice = await service.Http.Send("POST", job.Path() + "/predictions",
            """{"inputs": [{"sex": "MALE", "island": "Dream"}, {"sex": "MALE", "sex": "MALE"}]}""");
        Assert.Contains("row 1 names column 'sex' twice", twice.Error("/inputs/1/sex"), StringComparison.Ordinal);
        await Refused("/inputs/0", "row 0 must be a list of 6 values or an object by column name, not 7", new { inputs = (object[])[7] });
        await Refused("/inputs", "must be a list of one row or more", new { inputs = (object[])[] });
        await Refused("/inputs", "'inputs' is required", new { seed = 1 });
        await Refused("/input", "did you mean 'inputs'", new { input = (object[])[good] });
        await Refused("/explain", "permutation", new { inputs = (object[])[good], explain = "shap" });
        var large = await service.Http.Send("POST", job.Path() + "/predictions",
            """{"inputs": [["Biscoe", 1e400, 1, 1, 1, null]]}""");
        Assert.Contains("found 1e400", large.Error($"/inputs/0/{number}"), StringComparison.Ordinal);

        async Task<Answer> Csv(string text) =>
            await service.Http.Send("POST", job.Path() + "/predictions", Encoding.UTF8.GetBytes(text), "text/csv");

        var header = string.Join(',', Kept.Columns("penguins"));
        Assert.Contains("the header has no column 'sex'", (await Csv(header[..^4] + "\nDream,1,2,3,4\n")).Error(""),
            StringComparison.Ordinal);
        Assert.Contains("row 1 (line 3) has 2 values", (await Csv($"{header}\nDream,1,2,3,4,MALE\nDream,1\n")).Error("/1"),
            StringComparison.Ordinal);
        Assert.Contains("row 0, column 'sex': found 'm'", (await Csv($"{header}\nDream,1,2,3,4,m\n")).Error("/0/sex"),
            StringComparison.Ordinal);
        Assert.Contains("no rows", (await Csv(header)).Error(""), StringComparison.Ordinal);
        var many = string.Concat(Enumerable.Repeat("Dream,1,2,3,4,MALE\n", 10_000));
        Assert.Equal(10_000, (await Csv($"{header}\n{many}"))["labels"].GetArrayLength());
        Assert.Contains("at most 10,000 rows", (await Csv($"{header}\n{many}Dream,1,2,3,4,MALE\n")).Error("/inputs"),
            StringComparison.Ordinal);
        var latin = await service.Http.Send("POST", job.Path() + "/predictions", Encoding.Latin1.GetBytes($"{header}\né,1,2,3,4,MALE\n"),
            "text/csv");
        Assert.Contains("UTF-8", latin.Error(""), StringComparison.Ordinal);
        Assert.Equal(400, (await Csv("")).Status);
        Assert.Equal(400, (await Csv($"{header}\n\"Dream,1,2,3,4,MALE\n")).Status);
        (await service.Http.Send("POST", job.Path() + "/predictions", [1, 2, 3], "application/octet-stream"))
            .MustBeProblem(415, "unsupported-media-type");

        // missing values are imputed and encoded as in training: numbers by the median, categories by no input at all
        var missing = await service.Http.AskAsync(job.Path(), new { inputs = (object[])[With(0, null), With(1, null), With(1, "NA")] });
        Assert.Equal(200, missing.Status);
        Assert.Equal(missing["outputs"][1].ToString(), missing["outputs"][2].ToString());
    }

    [Fact]
    public async Task Permutation_tells_what_each_column_is_worth_and_tells_it_again()
    {
        var job = await service.Http.TrainAsync("""{"dataset": "friedman1", "training": {"epochs": 20}}""");
        var answer = await service.Http.AskAsync(job.Path(), new { explain = "permutation", seed = 3 });
        Assert.True(answer.Status == 200, answer.Text);
        Assert.False(answer.Json.TryGetProperty("outputs", out _));
        var importance = answer["importance"];
        Assert.Equal("rmse", importance.GetProperty("metric").GetString());
        Assert.Equal(job.GetProperty("result").GetProperty("testRmse").GetDouble(), importance.GetProperty("baseline").GetDouble(), 1e-5);
        // y = 10 sin(pi x1 x2) + 20 (x3 - 1/2)^2 + 10 x4 + 5 x5 + noise: the other five tell nothing
        var features = importance.GetProperty("features").EnumerateArray()
            .Select(f => (Name: f.GetProperty("name").GetString()!, Mean: f.GetProperty("mean").GetDouble())).ToList();
        Assert.Equal(10, features.Count);
        Assert.Equal(Kept.Columns("friedman1").Take(5).Order(), features.Take(5).Select(f => f.Name).Order());
        Assert.Equal(Kept.Columns("friedman1")[3], features[0].Name);
        Assert.True(features[4].Mean > 5 * Math.Abs(features[5].Mean), importance.ToString());
        Assert.Equal(answer.Text, (await service.Http.AskAsync(job.Path(), new { explain = "permutation", seed = 3 })).Text);
        Assert.NotEqual(answer.Text, (await service.Http.AskAsync(job.Path(), new { explain = "permutation", seed = 4 })).Text);
    }

    [Fact]
    public async Task Jobs_without_a_net_say_why()
    {
        var id = Guid.NewGuid();
        (await service.Http.AskAsync($"/api/v1/jobs/{id}", new { inputs = (int[][])[[1]] })).MustBeProblem(404, "not-found");
        var running = await service.Http.SubmitAsync(Client.Hours);
        (await service.Http.AskAsync($"/api/v1/jobs/{running}", new { inputs = (int[][])[[1]] })).MustBeProblem(409, "conflict");
        await service.Http.Send("POST", $"/api/v1/jobs/{running}/cancel");
        var canceled = (await service.Http.WaitForEndAsync(running)).Path();
        Assert.Contains("canceled", (await service.Http.AskAsync(canceled, new { }))["detail"].GetString(), StringComparison.Ordinal);
        var without = await service.Http.TrainAsync("""{"dataset": "iris", "training": {"epochs": 1}, "storeWeights": false}""");
        var answer = await service.Http.AskAsync(without.Path(), new { });
        answer.MustBeProblem(409, "conflict");
        Assert.Contains("storeWeights", answer["detail"].GetString(), StringComparison.Ordinal);
    }
}
