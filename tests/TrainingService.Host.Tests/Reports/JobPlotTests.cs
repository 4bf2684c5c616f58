using System.Xml.Linq;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Reports;

public sealed class JobPlotTests(Service service)
{
    private static readonly LayerInfo[] Net =
        [new(0, "hidden1", 16, "relu", "kaiming_normal"),
            new(1, "hidden2", 4, "leaky_relu", "kaiming_normal"), new(2, "output", 10, "identity", "zeros")];

    [Theory]
    [InlineData("loss", "Loss: <a> & b|cross entropy (nats)|epoch|train|validation")]
    [InlineData("accuracy", "Accuracy: <a> & b|correctly classified (%)|train|validation")]
    [InlineData("sparsity", "Sparsity: <a> & b|Dead units|hidden1 (relu)|hidden2 (leaky_relu)")]
    [InlineData("gradient-flow", "Gradient flow: <a> & b|flow|Gradient of each layer|hidden1 (relu)")]
    [InlineData("activations", "Activations before training: <a> & b|Activations at the end|hidden1|Activations: "
        + "mean|Activations: size|Saturated|hidden2 (leaky_relu)")]
    public async Task Each_plot_shows_what_was_measured(string plot, string expected)
    {
        var svg = await SvgAsync(await StoreAsync(40), plot);
        Assert.Superset(expected.Split('|').ToHashSet(), Texts(svg).ToHashSet());
        Assert.DoesNotContain("output (identity)", Texts(svg));
    }

    [Fact]
    public async Task A_layer_without_exact_zeros_shows_its_off_rate_and_says_so()
    {
        var svg = await SvgAsync(await StoreAsync(40), "sparsity");
        var description = svg.Elements().Single(e => e.Name.LocalName == "desc").Value;
        Assert.Contains("hidden1 (relu): from 50 at 0 to 50 at", description, StringComparison.Ordinal);
        Assert.Contains("hidden2 (leaky_relu): from 40 at 0 to 40 at", description, StringComparison.Ordinal);
        Assert.Contains("of hidden2, which have no exact zeros, the off rate", description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_diverged_job_is_marked_where_it_diverged()
    {
        var svg = await SvgAsync(await StoreAsync(40, diverges: true), "loss");
        Assert.Contains("✕ not finite from epoch 15", Texts(svg));
    }

    [Fact]
    public async Task A_regression_shows_r2_in_place_of_accuracy()
    {
        var svg = await SvgAsync(await StoreAsync(10, regression: true), "accuracy");
        Assert.Contains("A regression has no accuracy.", Texts(svg));
        Assert.Contains("R²: <a> & b", Texts(svg));
    }

    [Theory]
    [InlineData("loss")]
    [InlineData("sparsity")]
    [InlineData("gradient-flow")]
    public async Task A_job_that_has_not_measured_anything_has_an_empty_picture_and_a_time_to_ask_again(string plot)
    {
        await using var db = service.NewDbContext();
        var id =
            await db.InsertJobAsync(change: job => (job.Status, job.LeaseUntil) = (JobStatus.Running, DateTimeOffset.UtcNow.AddHours(1)));
        var answer = await service.Http.GetAnswer($"/api/v1/jobs/{id}/plots/{plot}.svg");
        Assert.Equal((200, "1"), (answer.Status, answer.Headers.RetryAfter?.ToString()));
        Assert.Contains("Nothing has been measured yet.", Texts(XElement.Parse(answer.Text)));
    }

    [Fact]
    public async Task A_picture_that_the_client_has_costs_no_body()
    {
        var path = $"/api/v1/jobs/{await StoreAsync(3)}/plots/loss.svg";
        var first = await service.Http.GetAnswer(path);
        Assert.Equal((200, "image/svg+xml", "no-cache"), (first.Status, first.MediaType, first.Headers.CacheControl?.ToString()));
        Assert.Null(first.Headers.RetryAfter);
        Assert.Equal((304, ""),
            await service.Http.GetAnswer(path, ("If-None-Match", first.ETag!)) is var second ? (second.Status, second.Text) : default);
    }

    [Fact]
    public async Task What_does_not_exist_is_a_404_with_the_nearest()
    {
        var id = await StoreAsync(1);
        var plot = await service.Http.GetAnswer($"/api/v1/jobs/{id}/plots/gradient_flow.svg");
        plot.MustBeProblem(404, "not-found");
        Assert.Contains("did you mean 'gradient-flow'", plot["detail"].GetString(), StringComparison.Ordinal);
        (await service.Http.GetAnswer($"/api/v1/jobs/{Guid.NewGuid()}/plots/loss.svg")).MustBeProblem(404, "not-found");
        (await service.Http.GetAnswer($"/api/v1/jobs/{id}/plots/loss.svg?size=2")).MustBeProblem(400, "validation");
    }

    private static IEnumerable<string> Texts(XElement svg) =>
        svg.Descendants().Where(e => e.Name.LocalName == "text").Select(text => text.Value);

    private async Task<XElement> SvgAsync(Guid id, string plot)
    {
        var answer = await service.Http.GetAnswer($"/api/v1/jobs/{id}/plots/{plot}.svg");
        Assert.True(answer.Status == 200, answer.Text);
        return XElement.Parse(answer.Text);
    }

    private async Task<Guid> StoreAsync(int steps, bool diverges = false, bool regression = false)
    {
        await using var db = service.NewDbContext();
        var id = await db.InsertJobAsync(change: job =>
        {
            (job.Status, job.FinishedAt) = (JobStatus.Succeeded, DateTimeOffset.UtcNow);
            job.Layers = Net;
        }, name: "<a> & b");
        var writer = new MetricWriter(CancellationToken.None);
        for (var step = 0; step < steps; step++)
            foreach (var split in (Split[])[Split.Train, Split.Validation])
            {
                var loss = diverges && step >= 30 ? float.NaN : 2.3f / (1 + step);
                writer.Add(new MetricPoint
                {
                    Step = step,
                    Epoch = step / 2.0,
                    Split = split,
                    Loss = loss,
                    Accuracy = regression ? null : 0.5f,
                    Rmse = regression ? 1 : null,
                    R2 = regression ? 0.5f : null,
                });
                if (split == Split.Train)
                    writer.Add([.. Enumerable.Range(0, 3).Select(layer => new LayerPoint
                    {
                        Step = step,
                        Epoch = step / 2.0,
                        Layer = layer,
                        Sparsity = layer == 0 ? 0.5f : 0,
                        OffRate = layer == 0 ? 0.5f : 0.4f,
                        DeadFraction = 0.1f,
                        RmsActivation = 1,
                        GradientRms = layer == 0 ? 1 : 0.2f,
                        Histogram = step == 0 || step == steps - 1 ? new(-1, 1, [.. Enumerable.Range(0, Histogram.Bins)]) : null,
                    })]);
            }
        await using var connection = new NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await MetricWriter.CopyAsync(connection, [(id, writer, false)]);
        return id;
    }
}
