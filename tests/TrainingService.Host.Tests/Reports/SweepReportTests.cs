using System.Xml.Linq;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Reports;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Reports;

/// <summary>
/// A sweep that the tests wrote into the tables, so that every number is known: two arms, four seeds, ten epochs;
/// the second arm's last seed diverges.
/// </summary>
public sealed class SweepReportTests(Service service)
{
    private const int Seeds = 4, Epochs = 10, DivergesAt = 6;

    private static readonly LayerInfo[] Net =
        [new(0, "hidden1", 16, "relu", "kaiming_normal"),
            new(1, "hidden2", 4, "relu", "kaiming_normal"), new(2, "output", 10, "identity", "zeros")];

    [Fact]
    public async Task Curves_are_means_and_deviations_over_the_seeds()
    {
        await using var db = service.NewDbContext();
        var curves = await SweepCurves.ReadAsync(db, await StoreAsync(db), [0, 1], TestContext.Current.CancellationToken);
        Assert.Equal(2, curves.Count);

        var loss = curves[0].Metrics[("loss", Split.Train)];
        Assert.Equal(Epochs + 1, loss.Count);
        // losses 1, 2, 3, 4 over 1 + epoch
        Assert.Equal((2, Seeds, Seeds), (loss[2].Epoch, loss[2].Runs, loss[2].Finite));
        Assert.Equal(2.5 / 3, loss[2].Mean!.Value, 6);
        Assert.Equal(Math.Sqrt(5.0 / 3) / 3, loss[2].Sd!.Value, 6);
        var point = loss[2].Scaled(1);
        // t with 3 degrees of freedom: 3.182
        Assert.Equal(3.182446 * Math.Sqrt(5.0 / 3) / 3 / 2, (point.High!.Value - point.Low!.Value) / 2, 5);
        Assert.DoesNotContain(("accuracy", Split.Train), curves[0].Metrics.Keys);

        var sparsity = curves[0].LayerStats[("sparsity", 1)];
        Assert.Equal(0.5, sparsity[^1].Mean!.Value, 6);
        Assert.Equal(0, sparsity[^1].Sd!.Value, 6);
        Assert.Equal(["hidden1", "hidden2", "output"], curves[0].Layers.Select(layer => layer.Name));
    }

    [Fact]
    public async Task Gradient_flow_is_that_of_each_run_before_it_is_averaged()
    {
        await using var db = service.NewDbContext();
        var curves = await SweepCurves.ReadAsync(db, await StoreAsync(db), [0, 1], TestContext.Current.CancellationToken);
        // rms 10^-seed over 1, widths 16 and 4: log10 of 2 * 10^-seed, the mean over seeds 1 to 4
        Assert.Equal(Math.Log10(2) - 2.5, curves[0].GradientFlow[3].Mean!.Value, 5);
        Assert.Equal(Epochs + 1, curves[0].GradientFlow.Count);
    }

    [Fact]
    public async Task Arms_are_compared_and_studies_read_by_the_gradient_flow_of_the_curves()
    {
        await using var db = service.NewDbContext();
        var cells = await SweepCells.ReadAsync(db, await StoreAsync(db), TestContext.Current.CancellationToken);
        foreach (var cell in cells.Where(cell => cell.Arm == 0))
        {
            Assert.Equal(Math.Log10(2) - cell.Seed, cell.GradientFlow(cell.First)!.Value, 5);
            Assert.Equal(Math.Log10(2) - cell.Seed, SweepMetrics.Find("gradientFlow")!.Of(cell)!.Value, 5);
        }
    }

    [Fact]
    public async Task A_run_that_diverges_is_in_the_means_until_then_and_is_counted()
    {
        await using var db = service.NewDbContext();
        var loss = (await SweepCurves.ReadAsync(db, await StoreAsync(db), [0, 1],
            TestContext.Current.CancellationToken))[1].Metrics[("loss", Split.Train)];
        Assert.Equal((Seeds, Seeds), (loss[DivergesAt - 1].Runs, loss[DivergesAt - 1].Finite));
        Assert.Equal((Seeds, Seeds - 1), (loss[DivergesAt].Runs, loss[DivergesAt].Finite));
        Assert.Equal(2.0 / (1 + DivergesAt), loss[DivergesAt].Mean!.Value, 6);
        Assert.Equal((Seeds - 1, Seeds - 1), (loss[^1].Runs, loss[^1].Finite));
    }

    [Theory]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "text/html")]
    [InlineData("text/markdown", "text/markdown")]
    [InlineData("text/markdown;q=0.5, text/html;q=0.4", "text/markdown")]
    [InlineData("application/json", "application/json")]
    [InlineData("application/vnd.apache.parquet", "application/vnd.apache.parquet")]
    [InlineData("*/*", "application/json")]
    public async Task Accept_decides_the_format(string accept, string mediaType)
    {
        await using var db = service.NewDbContext();
        var answer = await service.Http.GetAnswer($"/api/v1/sweeps/{(await StoreAsync(db)).Id}/report", ("Accept", accept));
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal((mediaType, "Accept"), (answer.MediaType, string.Join(",", answer.Headers.Vary)));
    }

    [Fact]
    public async Task The_page_shows_the_cells_curves_and_may_load_nothing()
    {
        await using var db = service.NewDbContext();
        var sweep = await StoreAsync(db);
        var answer = await service.Http.GetAnswer($"/api/v1/sweeps/{sweep.Id}/report", ("Accept", "text/html"));
        Assert.StartsWith("default-src 'none'", answer.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        var page = XDocument.Parse(answer.Text).Root!;
        XNamespace svg = "http://www.w3.org/2000/svg";
        var texts = page.Descendants(svg + "text").Select(text => text.Value).ToHashSet();
        Assert.Superset(new HashSet<string> { "relu", "<b>leaky</b>", "1", "2" }, texts);
        Assert.Contains("<b>leaky</b> (✕ 1 of 4 diverged)", page.Descendants("li").Select(entry => entry.Value));
        var jobs = page.Descendants("a").Select(a => a.Attribute("href")!.Value)
            .Where(href => href.StartsWith("/api/v1/jobs/", StringComparison.Ordinal)).ToList();
        Assert.Equal(2 * Seeds, jobs.Count);
        Assert.Equal(200, (await service.Http.GetAnswer(jobs[^1])).Status);
        Assert.Contains("Runs that diverged are in the means until their first value that isn't finite",
            page.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_can_not_be_had_is_refused()
    {
        (await service.Http.GetAnswer($"/api/v1/sweeps/{Guid.NewGuid()}/report", ("Accept", "text/html"))).MustBeProblem(404, "not-found");
        await using var db = service.NewDbContext();
        var pdf = await service.Http.GetAnswer($"/api/v1/sweeps/{(await StoreAsync(db)).Id}/report", ("Accept", "application/pdf"));
        pdf.MustBeProblem(406, "not-acceptable");
        Assert.Contains("text/html, text/markdown or application/vnd.apache.parquet", pdf["detail"].GetString(), StringComparison.Ordinal);
    }

    private async Task<Sweep> StoreAsync(TrainingDbContext db)
    {
        var sweep = new Sweep
        {
            Id = Guid.CreateVersion7(),
            Name = "tests",
            Status = JobStatus.Succeeded,
            CreatedAt = DateTimeOffset.UtcNow,
            FinishedAt = DateTimeOffset.UtcNow,
            Spec = new()
            {
                Base = new() { Dataset = new() { Name = "digits" } },
                Arms = [new() { Name = "relu" }, new() { Name = "<b>leaky</b>" }],
                Seeds = [1, 2, 3, 4],
                Metric = "testLoss",
                Baseline = "relu",
                Delta = 0.5,
                Contrasts = [new() { Arm = "<b>leaky</b>", Baseline = "relu" }],
            },
        };
        db.Sweeps.Add(sweep);
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        await using var connection = new NpgsqlConnection(service.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        for (var arm = 0; arm < 2; arm++)
            for (var seed = 1; seed <= Seeds; seed++)
                await StoreAsync(db, connection, sweep.Id, arm, seed, arm == 1 && seed == Seeds);
        return sweep;
    }

    private static async Task StoreAsync(TrainingDbContext db, NpgsqlConnection connection, Guid sweep, int arm, int seed, bool diverges)
    {
        var last = diverges ? DivergesAt : Epochs;
        var id = await db.InsertJobAsync(change: job =>
        {
            (job.Status, job.ErrorCode, job.FinishedAt, job.Step, job.Layers) =
                (diverges ? JobStatus.Failed : JobStatus.Succeeded, diverges ? "diverged" : null, DateTimeOffset.UtcNow, 10 * last, Net);
            job.Result = new() { TestLoss = seed, TrainLoss = seed, Seconds = 1, WeightsSha256 = "" };
        });
        await db.Jobs.Where(job => job.Id == id).ExecuteUpdateAsync(set => set.SetProperty(job => job.SweepId, sweep));
        db.SweepCells.Add(new() { SweepId = sweep, Arm = (short)arm, Candidate = -1, Seed = seed, JobId = id, SpecHash = [] });
        await db.SaveChangesAsync();
        var writer = new MetricWriter(CancellationToken.None);
        for (var epoch = 0; epoch <= last; epoch++)
        {
            writer.Add(new MetricPoint
            {
                Step = 10 * epoch,
                Epoch = epoch,
                Split = Split.Train,
                Loss = diverges && epoch == last ? float.NaN : (float)seed / (1 + epoch),
            });
            writer.Add([.. Net.Select(layer => new LayerPoint
            {
                Step = 10 * epoch,
                Epoch = epoch,
                Layer = layer.Index,
                Sparsity = 0.5f,
                RmsActivation = 1,
                GradientRms = layer.Index == 0 ? MathF.Pow(10, -seed) : 1,
            })]);
        }
        await MetricWriter.CopyAsync(connection, [(id, writer, false)]);
    }
}
