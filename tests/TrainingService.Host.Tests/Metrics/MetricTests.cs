using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Metrics;

/// <summary>Reads rows that the tests wrote, so that every value is known.</summary>
public sealed class MetricTests(Service service)
{
    private const int Rows = 5000;

    [Fact]
    public async Task All_series_come_in_the_order_of_steps()
    {
        var id = await StoreAsync(100);
        var series = await SeriesAsync(id, "");
        Assert.Equal(
            [("loss", "train"), ("loss", "validation"), ("accuracy", "train"), ("accuracy", "validation"), ("learningRate", "train")],
            series.Select(s => (s.GetProperty("name").GetString(), s.GetProperty("split").GetString())));
        Assert.All(series, s => Assert.False(s.GetProperty("downsampled").GetBoolean()));
        Assert.Equal(Enumerable.Range(0, 100).Select(i => (long)i), Points(series[0]).Select(p => p[0].GetInt64()));
        Assert.Equal([0.1, 0.5, 0.25], Points(series[0])[1].Select((v, i) => i == 0 ? 0.1 : v.GetDouble()));
    }

    [Fact]
    public async Task Values_that_are_not_finite_are_named_and_floats_keep_their_short_form()
    {
        var id = await StoreAsync(10);
        var text = await service.Http.GetStringAsync($"/api/v1/jobs/{id}/metrics?names=accuracy&split=train",
            TestContext.Current.CancellationToken);
        Assert.Contains("[3,1.5,\"NaN\"],[4,2,\"Infinity\"],[5,2.5,\"-Infinity\"],[6,3,0.1]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Names_splits_and_steps_filter()
    {
        var id = await StoreAsync(100);
        var series = Assert.Single(await SeriesAsync(id, "names=loss&split=validation&fromStep=10&toStep=20"));
        Assert.Equal([10L, 20L], Points(series).Select(p => p[0].GetInt64()));
    }

    [Fact]
    public async Task A_long_series_is_thinned_out_by_default_and_not_on_demand()
    {
        var id = await StoreAsync(Rows);
        var thin = (await SeriesAsync(id, "names=loss&split=train"))[0];
        Assert.True(thin.GetProperty("downsampled").GetBoolean());
        Assert.InRange(Points(thin).Length, 500, 1000);
        Assert.Equal((0L, Rows - 1L), (Points(thin)[0][0].GetInt64(), Points(thin)[^1][0].GetInt64()));
        // The one spike of the curve survives.
        Assert.Contains(Points(thin), p => p[0].GetInt64() == 1234 && p[2].GetDouble() == 99);

        var whole = (await SeriesAsync(id, "names=loss&split=train&maxPoints=1000000"))[0];
        Assert.False(whole.GetProperty("downsampled").GetBoolean());
        Assert.Equal(Rows, Points(whole).Length);
    }

    [Fact]
    public async Task Csv_holds_all_rows()
    {
        var id = await StoreAsync(Rows);
        var lines = await RowsAsync(id, "metrics", "text/csv");
        Assert.Equal("step,epoch,split,loss,penalty,accuracy,rmse,r2,learningRate,gradientNorm", lines[0]);
        Assert.Equal(Rows + Rows / 10, lines.Length - 1);
        Assert.Equal("0,0,train,0.25,,0.1,,,0.05,", lines[1]);
        Assert.Equal("3,1.5,train,0.25,,NaN,,,0.05,", lines[5]);
    }

    [Fact]
    public async Task Ndjson_holds_all_rows()
    {
        var id = await StoreAsync(20);
        var lines = await RowsAsync(id, "metrics", "application/x-ndjson");
        Assert.Equal(22, lines.Length);
        var row = JsonSerializer.Deserialize<JsonElement>(lines[4]);
        Assert.Equal("NaN", row.GetProperty("accuracy").GetString());
        Assert.False(row.TryGetProperty("rmse", out _));
    }

    [Fact]
    public async Task Parquet_holds_all_rows_with_their_types()
    {
        var id = await StoreAsync(Rows);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/jobs/{id}/metrics");
        request.Headers.Add("Accept", "application/vnd.apache.parquet");
        using var answer = await service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal("application/vnd.apache.parquet", answer.Content.Headers.ContentType?.MediaType);
        using var file = new MemoryStream(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        await using var reader = await Parquet.ParquetReader.CreateAsync(file, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(["step", "epoch", "split", "loss", "penalty", "accuracy", "rmse", "r2", "learningRate", "gradientNorm"],
            reader.Schema.DataFields.Select(field => field.Name));
        using var group = reader.OpenRowGroupReader(0);
        Assert.Equal((1, Rows + Rows / 10), (reader.RowGroupCount, (int)group.RowCount));
        var accuracy = new float?[group.RowCount];
        await group.ReadAsync<float>(reader.Schema.DataFields[5], accuracy.AsMemory(),
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal([0.1f, 0.5f, 0.1f, 0.1f, float.NaN, float.PositiveInfinity], accuracy.Take(6).Select(value => value!.Value));
        var rmse = new float?[group.RowCount];
        await group.ReadAsync<float>(reader.Schema.DataFields[6], rmse.AsMemory(),
            cancellationToken: TestContext.Current.CancellationToken);
        Assert.All(rmse, value => Assert.Null(value));
    }

    [Theory]
    [InlineData("names=los", "/names", "did you mean 'loss'")]
    [InlineData("split=vaildation", "/split", "did you mean 'validation'")]
    [InlineData("maxPoints=1", "/maxPoints", "2 to 1000000")]
    [InlineData("maxPoints=1000001", "/maxPoints", "2 to 1000000")]
    [InlineData("fromStep=-1", "/fromStep", "from 0")]
    [InlineData("toStep=x", "/toStep", "integer")]
    [InlineData("form=1", "/form", "fromStep")]
    public async Task A_bad_query_is_a_400_that_names_the_place(string query, string pointer, string hint)
    {
        var id = await StoreAsync(1);
        using var answer = await service.Http.GetAsync(new Uri($"/api/v1/jobs/{id}/metrics?{query}", UriKind.Relative),
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var problem = await answer.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Contains(hint, problem.GetProperty("errors").GetProperty(pointer)[0].GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("metrics")]
    [InlineData("layers")]
    public async Task An_unknown_job_is_a_404_and_an_unknown_format_a_406(string path)
    {
        using var unknown = await service.Http.GetAsync(new Uri($"/api/v1/jobs/{Guid.NewGuid()}/{path}", UriKind.Relative),
            TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Equal("application/problem+json", unknown.Content.Headers.ContentType?.MediaType);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/jobs/{await StoreAsync(1)}/{path}");
        request.Headers.Add("Accept", "application/pdf");
        using var pdf = await service.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotAcceptable, pdf.StatusCode);
        Assert.Contains("application/x-ndjson or application/vnd.apache.parquet",
            await pdf.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_measurements_the_answers_are_empty()
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync(change: job => job.Status = JobStatus.Canceled);
        Assert.Equal("{\"series\":[]}",
            await service.Http.GetStringAsync($"/api/v1/jobs/{id}/metrics", TestContext.Current.CancellationToken));
        Assert.Equal("{\"layers\":[],\"gradientFlow\":[],\"downsampled\":false}",
            await service.Http.GetStringAsync($"/api/v1/jobs/{id}/layers", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Layers_have_their_series_and_the_gradient_flow_is_that_of_the_hidden_layers()
    {
        var id = await StoreAsync(30);
        var answer = await service.Http.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{id}/layers", TestContext.Current.CancellationToken);
        var layers = answer.GetProperty("layers").EnumerateArray().ToArray();
        Assert.Equal(["hidden1", "hidden2", "output"], layers.Select(l => l.GetProperty("name").GetString()));
        Assert.Equal((0, 16, "relu", "kaiming_normal"),
            (layers[0].GetProperty("index").GetInt32(), layers[0].GetProperty("units").GetInt32(),
                layers[0].GetProperty("activation").GetString(), layers[0].GetProperty("initializer").GetString()));
        var series = layers[0].GetProperty("series");
        Assert.Equal(
            ["sparsity", "offRate", "deadFraction", "bornDeadFraction", "diedFraction", "revivedFraction",
                "nearDeadFraction", "offEveryRowFraction", "dormantFraction", "dormantFractionAt0", "dormantFractionAt10",
                "saturation", "meanActivation", "rmsActivation", "activationVariance", "meanAbsActivation",
                "centredness", "relativeL1", "gradientRms", "updateRatio", "weightRms"],
            series.EnumerateObject().Select(s => s.Name));
        Assert.Equal(["slope", "varianceRatio"],
            layers[1].GetProperty("series").EnumerateObject().Select(s => s.Name).Except(series.EnumerateObject().Select(s => s.Name)));
        Assert.Equal(0, series.GetProperty("sparsity")[0][0].GetInt64());
        // variances 1 - 0.25 and 0.5625 - 0.25
        Assert.Equal(0.5, series.GetProperty("centredness")[0][2].GetDouble(), 1e-6);
        Assert.Equal(0.3125 / 0.75, layers[1].GetProperty("series").GetProperty("varianceRatio")[0][2].GetDouble(), 1e-6);
        Assert.Equal(1, series.GetProperty("updateRatio")[0][0].GetInt64());
        // norms 1 * sqrt(16) and 0.2 * sqrt(4): a ratio of 10
        Assert.Equal(30, answer.GetProperty("gradientFlow").GetArrayLength());
        Assert.Equal(1, answer.GetProperty("gradientFlow")[0][2].GetDouble(), 6);
    }

    [Fact]
    public async Task Layers_as_csv_hold_all_rows()
    {
        var id = await StoreAsync(Rows);
        var lines = await RowsAsync(id, "layers", "text/csv");
        Assert.Equal(3 * Rows, lines.Length - 1);
        Assert.StartsWith("step,epoch,layer,name,sparsity,offRate,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("0,0,0,hidden1,0.5,", lines[1], StringComparison.Ordinal);
    }

    /// <summary>A measure's value is found in its own column, whatever its name.</summary>
    [Fact]
    public async Task Every_measure_goes_through_its_column()
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync();
        var point = new LayerPoint { Step = 0, Epoch = 0, Layer = 0, Histogram = new(-1, 2, [3, 4]) };
        // no two alike
        var properties = typeof(LayerPoint).GetProperties()
            .Where(p => p.CanWrite && (p.PropertyType == typeof(float) || p.PropertyType == typeof(float?))).ToList();
        foreach (var (i, property) in properties.Index())
            property.SetValue(point, i + 0.5f);
        var metric = new MetricPoint
        {
            Step = 0,
            Epoch = 0,
            Split = Split.Train,
            Loss = 1,
            Penalty = 2,
            Accuracy = 3,
            Rmse = 4,
            R2 = 5,
            LearningRate = 6,
            GradientNorm = 7,
        };
        var writer = new MetricWriter(CancellationToken.None);
        writer.Add(metric);
        writer.Add([point]);
        await using var connection = new Npgsql.NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await MetricWriter.CopyAsync(connection, [(id, writer, false)]);

        var layer = await db.Layers.AsNoTracking().SingleAsync(row => row.JobId == id, TestContext.Current.CancellationToken);
        Assert.Equal(point.Histogram, layer.Histogram);
        Assert.All(properties, property => Assert.Equal(property.GetValue(point), property.GetValue(layer)));
        Assert.Equal(properties.Count, Measures.OfLayers.Count(measure => measure.IsStored));
        var stored = await db.Metrics.AsNoTracking().SingleAsync(row => row.JobId == id, TestContext.Current.CancellationToken);
        Assert.Equal([1, 2, 3, 4, 5, 6, 7], Measures.OfMetrics.Select(measure => measure.Value(stored)!.Value));
        Assert.Equal(MetricFilter.Name, $"({string.Join('|', Measures.OfMetrics.Select(measure => measure.Name))})");
    }

    private static JsonElement[][] Points(JsonElement series) =>
        [.. series.GetProperty("points").EnumerateArray().Select(p => p.EnumerateArray().ToArray())];

    private async Task<JsonElement[]> SeriesAsync(Guid id, string query) =>
        [.. (await service.Http.GetFromJsonAsync<JsonElement>($"/api/v1/jobs/{id}/metrics?{query}"))
            .GetProperty("series").EnumerateArray()];

    private async Task<string[]> RowsAsync(Guid id, string path, string mediaType)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/jobs/{id}/{path}");
        request.Headers.Add("Accept", mediaType);
        using var answer = await service.Http.SendAsync(request);
        Assert.Equal((HttpStatusCode.OK, mediaType), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
        return (await answer.Content.ReadAsStringAsync()).Split((char[])['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>A finished job with a train row for each step, a validation row for each tenth and three layers.</summary>
    private async Task<Guid> StoreAsync(int steps)
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync(change: job =>
        {
            (job.Status, job.FinishedAt) = (JobStatus.Succeeded, DateTimeOffset.UtcNow);
            job.Layers = [new(0, "hidden1", 16, "relu", "kaiming_normal"),
                new(1, "hidden2", 4, "prelu", "kaiming_normal"), new(2, "output", 10, "identity", "zeros")];
        });
        var writer = new MetricWriter(CancellationToken.None);
        await using var connection = new Npgsql.NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync();
        for (var step = 0; step < steps; step++)
        {
            var accuracy = step switch { 3 => float.NaN, 4 => float.PositiveInfinity, 5 => float.NegativeInfinity, _ => 0.1f };
            var point = new MetricPoint
            {
                Step = step,
                Epoch = step / 2.0,
                Split = Split.Train,
                Loss = step == 1234 ? 99 : 0.25f,
                Accuracy = accuracy,
                LearningRate = 0.05f,
            };
            writer.Add(point);
            if (step % 10 == 0)
                writer.Add(point with { Split = Split.Validation, Loss = 1, Accuracy = 0.5f, LearningRate = null });
            writer.Add([.. Enumerable.Range(0, 3).Select(layer => new LayerPoint
            {
                Step = step,
                Epoch = step / 2.0,
                Layer = layer,
                Sparsity = 0.5f,
                OffRate = 0.5f,
                MeanActivation = 0.5f,
                RmsActivation = layer == 0 ? 1 : 0.75f,
                MeanAbsActivation = 0.5f,
                GradientRms = layer == 0 ? 1 : 0.2f,
                WeightRms = 0.1f,
                UpdateRatio = step == 0 ? null : 1e-3f,
                Slope = layer == 1 ? 0.25f : null,
            })]);
            if (writer.Waiting > 1000)
                await FlushAsync();
        }
        await FlushAsync();
        return id;

        async Task FlushAsync()
        {
            await MetricWriter.CopyAsync(connection, [(id, writer, false)]);
            writer.Forget();
        }
    }
}
