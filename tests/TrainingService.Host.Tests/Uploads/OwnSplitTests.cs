using System.Globalization;
using System.Text;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Uploads;

/// <summary>Splits that keep groups together or follow time, from the upload to the rows of a job.</summary>
public sealed class OwnSplitTests(Service service)
{
    private const string Datasets = "/api/v1/datasets";
    private const int Rows = 400;

    private static string NewName() => $"split-{Guid.NewGuid():N}";

    /// <summary>Patients with several visits each; who and when also stand in columns of numbers, by which rows are told apart.</summary>
    private static string Visits(string? last = null)
    {
        var random = new Random(5);
        var csv = new StringBuilder("patient,who,day,when,kind\n");
        for (var i = 0; i < Rows; i++)
        {
            var (patient, when) = (random.Next(60), random.Next(2000));
            var day = new DateTime(2015, 1, 1).AddDays(when).ToString("dd.MM.yyyy", CultureInfo.InvariantCulture);
            csv.Append(CultureInfo.InvariantCulture, $"p{patient},{patient},{day},{when},{"abc"[(patient + i) % 3]}\n");
        }
        return csv.Append(last).ToString();
    }

    [Theory]
    [InlineData("fixed")]
    [InlineData("perSeed")]
    public async Task Rows_of_a_group_stay_on_one_side_of_every_split(string testSplit)
    {
        var name = NewName();
        var made = await service.Http.Upload(Datasets, Visits(), ("name", name), ("target", "kind"), ("groupBy", "patient"),
            ("drop", "day"));
        Assert.True(made.Status == 201, made.Text);
        var splits = made["splits"];
        Assert.Equal("patient", splits.GetProperty("groupBy").GetString());
        Assert.InRange(splits.GetProperty("testRows").GetInt32(), 60, 80);
        Assert.DoesNotContain("patient", made["features"].EnumerateArray().Select(f => f.GetProperty("name").GetString()));

        foreach (var seed in (long[])[1, 2, 3])
        {
            var data = await Load(name, testSplit, seed);
            var sides = new[] { data.Train, data.Validation!, data.Test! }.Select(split => Column(split, 0, data).ToHashSet()).ToList();
            Assert.Empty(sides[0].Intersect(sides[1]).Concat(sides[0].Intersect(sides[2])).Concat(sides[1].Intersect(sides[2])));
            Assert.Equal(60, sides.Sum(side => side.Count));
        }
        var job = await service.Http.PostJob($$"""
            {"dataset": {"name": "{{name}}", "testSplit": "{{testSplit}}"}, "training": {"epochs": 2},
             "diagnostics": {"tryPatches": false} }
            """);
        Assert.True(job.Status == 202, job.Text);
        Assert.Equal("succeeded", (await service.Http.WaitForEndAsync(Guid.Parse(job.Id))).Status());
    }

    [Fact]
    public async Task The_latest_rows_are_the_test_and_the_latest_of_the_others_are_for_validation()
    {
        var name = NewName();
        var made = await service.Http.Upload(Datasets, Visits(), ("name", name), ("target", "kind"), ("timeBy", "day"),
            ("drop", "patient,day"),
            ("types", "day=date:dmy"));
        Assert.True(made.Status == 201, made.Text);
        Assert.Equal(("latest", "day", 80, false), (made["splits"].GetProperty("origin").GetString(),
            made["splits"].GetProperty("timeBy").GetString(),
            made["splits"].GetProperty("testRows").GetInt32(), made["splits"].GetProperty("stratified").GetBoolean()));
        var data = await Load(name, "fixed", 1);
        var (train, validation, test) = (Column(data.Train, 1, data), Column(data.Validation!, 1, data), Column(data.Test!, 1, data));
        Assert.Equal((288, 32, 80), (train.Count, validation.Count, test.Count));
        Assert.True(train.Max() <= validation.Min() && validation.Max() <= test.Min());

        var drawn = await service.Http.PostJob($$"""{"dataset": {"name": "{{name}}", "testSplit": "perSeed"} }""");
        Assert.Contains("its latest", drawn.Error("/dataset/testSplit"), StringComparison.Ordinal);
        var sweep = await service.Http.Send("POST", "/api/v1/sweeps", $$"""
            {"base": {"dataset": "{{name}}", "training": {"epochs": 1} }, "grid": {"/model/activation": ["relu", "tanh"]}, "seedCount": 2}
            """);
        Assert.True(sweep.Status == 202, sweep.Text);
        Assert.Equal("fixed", sweep["spec"].GetProperty("testSplit").GetString());
        await service.Http.Send("POST", $"/api/v1/sweeps/{sweep.Id}/cancel");
    }

    [Theory]
    [InlineData("groupBy", "clas", "/groupBy", "did you mean 'class'?")]
    [InlineData("groupBy", "kind", "/groupBy", "is the target")]
    [InlineData("groupBy", "same", "/groupBy", "has the same value in all rows")]
    [InlineData("timeBy", "dai", "/timeBy", "did you mean 'day'?")]
    [InlineData("timeBy", "colour", "/timeBy", "must hold dates or numbers")]
    [InlineData("timeBy", "holes", "/timeBy", "lacks a value in 4 of 40 rows")]
    [InlineData("timeBy", "day,groupBy=who", "/timeBy", "exclude each other")]
    [InlineData("timeBy", "day,stratify=true", "/stratify", "leave stratify out")]
    [InlineData("timeBy", "order", "/timeBy", "all rows of the class 'c' are test rows")]
    [InlineData("groupBy", "class", "/groupBy", "no group can be held out")]
    public async Task What_gives_no_such_split_is_refused(string field, string value, string pointer, string message)
    {
        var csv = "who,same,day,colour,holes,order,class,kind\n" + string.Concat(Enumerable.Range(0, 40).Select(i =>
            FormattableString.Invariant($"{i % 7},x,2021-01-{1 + i % 28:00},{"rgb"[i % 3]},{(i % 10 == 0 ? "" : $"{i}")},{i},")
            + string.Join(',', Enumerable.Repeat(i > 37 ? "c" : i % 2 == 0 ? "a" : "b", 2)) + "\n"));
        var fields = value.Split(',').Select((pair, i) => i == 0 ? (field, pair) : (pair.Split('=')[0], pair.Split('=')[1]));
        var answer = await service.Http.Upload(Datasets, csv, [("name", NewName()), ("target", "kind"), .. fields]);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(message, answer.Error(pointer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_group_in_both_files_is_refused()
    {
        var answer = await service.Http.Upload("POST", Datasets, [("file", "train.csv", Encoding.UTF8.GetBytes(Visits())),
            ("testFile", "test.csv", "patient,who,day,when,kind\np3,3,01.01.2021,1,a\np99,99,01.01.2021,1,b\n"u8.ToArray())],
            ("name", NewName()), ("target", "kind"), ("groupBy", "patient"), ("drop", "day"));
        Assert.Contains("1 group has rows in 'file' and in 'testFile'", answer.Error("/groupBy"), StringComparison.Ordinal);
    }

    /// <summary>As a worker does, in its own units.</summary>
    private async Task<TrainingData> Load(string name, string testSplit, long seed)
    {
        var dataset = await service.BroughtAsync(name);
        var registry = new DatasetRegistry([dataset], new());
        var errors = new List<SpecError>();
        var resolved = registry.Resolve(new()
        {
            Name = name,
            Standardize = false,
            TestSplit = testSplit == "fixed" ? TestSplit.Fixed : TestSplit.PerSeed,
        }, seed, errors);
        Assert.Empty(errors);
        var data = registry.Load(resolved!.Value.Spec, seed);
        Assert.Equal(resolved.Value.Shape, data.Shape);
        return data;
    }

    private static List<float> Column(DataSplit split, int column, TrainingData data) =>
        [.. split.Features.All().Chunk(data.Shape.Features).Select(row => row[column])];
}
