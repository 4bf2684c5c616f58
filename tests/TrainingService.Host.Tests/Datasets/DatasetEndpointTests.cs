using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Datasets;

public sealed class DatasetEndpointTests(Service service)
{
    /// <summary>Other tests bring data sets of their own meanwhile.</summary>
    private static readonly string[] BuiltIn = ["breast_cancer", "digits", "fashion-mnist", "friedman1", "gaussian_clusters", "iris",
        "kmnist", "mnist", "moons", "penguins", "spirals", "wine"];

    [Fact]
    public async Task All_are_listed_by_name()
    {
        var page = await Get("/api/v1/datasets?limit=500");
        Assert.Equal(BuiltIn, Names(page).Where(BuiltIn.Contains));
        Assert.Equal(JsonValueKind.Null, page.GetProperty("nextCursor").ValueKind);
        var digits = page.GetProperty("items").EnumerateArray().Single(item => item.GetProperty("name").GetString() == "digits");
        Assert.Equal(("ready", 1797, 64, "classes", 10, "CC BY 4.0"),
            (digits.GetProperty("status").GetString(), digits.GetProperty("rows").GetInt32(),
                digits.GetProperty("featureCount").GetInt32(), digits.GetProperty("targetKind").GetString(),
                digits.GetProperty("classCount").GetInt32(), digits.GetProperty("licence").GetString()));
    }

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repeat()
    {
        var (seen, cursor) = (new List<string>(), "");
        do
        {
            var page = await Get($"/api/v1/datasets?limit=3{cursor}");
            seen.AddRange(Names(page));
            cursor = page.GetProperty("nextCursor").GetString() is { } next ? $"&cursor={next}" : null;
        }
        while (cursor != null);
        Assert.Equal(seen.Order(StringComparer.Ordinal).Distinct(), seen);
        Assert.Equal(BuiltIn, seen.Where(BuiltIn.Contains));
    }

    [Fact]
    public async Task One_tells_features_classes_splits_and_origin()
    {
        var penguins = await Get("/api/v1/datasets/penguins");
        Assert.Equal("ready", penguins.GetProperty("status").GetString());
        Assert.Equal((344, 0, 9, 19), (penguins.GetProperty("rows").GetInt32(), penguins.GetProperty("droppedRows").GetInt32(),
            penguins.GetProperty("encodedFeatures").GetInt32(), penguins.GetProperty("missingValues").GetInt32()));
        var features = penguins.GetProperty("features").EnumerateArray().ToArray();
        Assert.Equal(["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex"],
            features.Select(f => f.GetProperty("name").GetString()));
        Assert.Equal("categorical", features[5].GetProperty("kind").GetString());
        Assert.Equal(["FEMALE", "MALE"], features[5].GetProperty("categories").EnumerateArray().Select(c => c.GetString()));
        Assert.Equal(11, features[5].GetProperty("missing").GetInt32());
        Assert.False(features[5].TryGetProperty("min", out _));
        Assert.Equal((2700, 6300), (features[4].GetProperty("min").GetDouble(), features[4].GetProperty("max").GetDouble()));
        var target = penguins.GetProperty("target");
        Assert.Equal(("species", "classes"), (target.GetProperty("name").GetString(), target.GetProperty("kind").GetString()));
        Assert.Equal([("Adelie", 152), ("Chinstrap", 68), ("Gentoo", 124)],
            penguins.GetProperty("classes").EnumerateArray()
                .Select(c => (c.GetProperty("name").GetString()!, c.GetProperty("count").GetInt32())));
        var splits = penguins.GetProperty("splits");
        Assert.Equal(("fixed", 275, 69, 0.2, true), (splits.GetProperty("origin").GetString(), splits.GetProperty("trainRows").GetInt32(),
            splits.GetProperty("testRows").GetInt32(), splits.GetProperty("testFraction").GetDouble(),
            splits.GetProperty("stratified").GetBoolean()));
        Assert.Equal("d61393e5e4aab6a0bd16706a76883933e57c81998e383b2db7464dfcf3bbbf9f", penguins.GetProperty("sha256").GetString());
        Assert.All(["licence", "source", "citation", "description"], name => Assert.NotEmpty(penguins.GetProperty(name).GetString()!));
    }

    [Fact]
    public async Task A_number_target_has_a_range_and_no_classes()
    {
        var friedman = await Get("/api/v1/datasets/friedman1");
        Assert.Equal("number", friedman.GetProperty("target").GetProperty("kind").GetString());
        Assert.InRange(friedman.GetProperty("target").GetProperty("mean").GetDouble(), 14, 15);
        Assert.Empty(friedman.GetProperty("classes").EnumerateArray());
        Assert.False(friedman.GetProperty("splits").GetProperty("stratified").GetBoolean());
    }

    [Fact]
    public async Task Every_listed_one_can_be_asked_for()
    {
        foreach (var name in Names(await Get("/api/v1/datasets")))
        {
            var one = await Get($"/api/v1/datasets/{name}");
            Assert.Equal(name, one.GetProperty("name").GetString());
            using var preview = await service.Http.GetAsync($"/api/v1/datasets/{name}/preview", TestContext.Current.CancellationToken);
            Assert.Equal(
                one.GetProperty("status").GetString() == "ready" ? HttpStatusCode.OK : HttpStatusCode.Conflict, preview.StatusCode);
        }
    }

    [Fact]
    public async Task An_unchanged_one_costs_no_body()
    {
        var path = "/api/v1/datasets/iris";
        using var first = await service.Http.GetAsync(path, TestContext.Current.CancellationToken);
        var tag = first.Headers.ETag!;
        using var again = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { IfNoneMatch = { new("\"other\""), tag } } };
        using var unchanged = await service.Http.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.NotModified, tag), (unchanged.StatusCode, unchanged.Headers.ETag));
        Assert.Empty(await unchanged.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var other = new HttpRequestMessage(HttpMethod.Get, "/api/v1/datasets/wine") { Headers = { IfNoneMatch = { tag } } };
        using var changed = await service.Http.SendAsync(other, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
    }

    [Fact]
    public async Task A_preview_shows_raw_rows_with_gaps()
    {
        var preview = await Get("/api/v1/datasets/penguins/preview?rows=4");
        Assert.Equal(["island", "bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "sex", "species"],
            preview.GetProperty("columns").EnumerateArray().Select(c => c.GetString()));
        Assert.Equal("species", preview.GetProperty("target").GetString());
        var rows = preview.GetProperty("rows");
        Assert.Equal(4, rows.GetArrayLength());
        Assert.Equal("""["Torgersen",39.1,18.7,181,3750,"MALE","Adelie"]""", rows[0].GetRawText());
        Assert.Equal("""["Torgersen",null,null,null,null,null,"Adelie"]""", rows[3].GetRawText());
    }

    [Fact]
    public async Task A_preview_of_images_has_their_shape()
    {
        var preview = await Get("/api/v1/datasets/digits/preview");
        Assert.Equal((8, 8, 16), (preview.GetProperty("image").GetProperty("height").GetInt32(),
            preview.GetProperty("image").GetProperty("width").GetInt32(), preview.GetProperty("image").GetProperty("maxValue").GetInt32()));
        Assert.Equal((10, 65), (preview.GetProperty("rows").GetArrayLength(), preview.GetProperty("rows")[0].GetArrayLength()));
        Assert.StartsWith("[0,0,5,13,9,1,0,0,", preview.GetProperty("rows")[0].GetRawText(), StringComparison.Ordinal);
        Assert.EndsWith(",\"0\"]", preview.GetProperty("rows")[0].GetRawText(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/api/v1/datasets/irs", 404, "did you mean 'iris'?")]
    [InlineData("/api/v1/datasets/irs/preview", 404, "did you mean 'iris'?")]
    [InlineData("/api/v1/datasets/Iris", 404, "did you mean 'iris'?")]
    [InlineData("/api/v1/datasets?limt=3", 400, "did you mean 'limit'?")]
    [InlineData("/api/v1/datasets?limit=0", 400, "at least 1")]
    [InlineData("/api/v1/datasets?limit=many", 400, "many")]
    [InlineData("/api/v1/datasets?cursor=!!", 400, "not a cursor")]
    [InlineData("/api/v1/datasets?cursor=", 400, "must not be empty")]
    [InlineData("/api/v1/datasets/iris?rows=3", 400, "unknown query parameter 'rows'")]
    [InlineData("/api/v1/datasets/iris/preview?rows=0", 400, "from 1 to 100, not 0")]
    [InlineData("/api/v1/datasets/iris/preview?rows=101", 400, "from 1 to 100, not 101")]
    [InlineData("/api/v1/datasets/iris/preview?row=3", 400, "did you mean 'rows'?")]
    public async Task A_mistake_is_a_problem_that_names_it(string path, int status, string message)
    {
        using var answer = await service.Http.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Contains(message, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private async Task<JsonElement> Get(string path)
    {
        using var answer = await service.Http.GetAsync(path, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(answer.StatusCode == HttpStatusCode.OK, body);
        return JsonSerializer.Deserialize<JsonElement>(body);
    }

    private static string[] Names(JsonElement page) =>
        [.. page.GetProperty("items").EnumerateArray().Select(item => item.GetProperty("name").GetString()!)];
}
