using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.OpenApi;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>What the report says of small sweeps that really ran.</summary>
public sealed class SweepReportTests(Service service)
{
    private readonly HttpClient _http = service.Http;

    [Fact]
    public async Task The_report_has_the_names_of_the_contract()
    {
        var id = await Run($$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}}""");
        var report = await _http.GetReport(id);
        Assert.Empty((await Document.Read(_http)).Undescribed("get", "/api/v1/sweeps/{id}/report",
            await _http.GetAnswer($"{SweepClient.Root}/{id}/report")));
        var arm = report.List("arms")[0];
        foreach (var name in (string[])["name", "n", "diverged", "mean", "sd", "ci95", "median", "secondsPerEpoch", "layers"])
            Assert.True(arm.TryGetProperty(name, out _), $"{name} in {arm}");
        var contrast = report.List("contrasts").Single();
        foreach (var name in (string[])["arm", "baseline", "n", "meanDifference", "ci95", "pValue",
            "adjustedPValue", "probabilityOfSuperiority", "equivalence", "verdict", "sentence"])
            Assert.True(contrast.TryGetProperty(name, out _), $"{name} in {contrast}");
        foreach (var name in (string[])["delta", "ci90", "equivalent"])
            Assert.True(contrast.GetProperty("equivalence").TryGetProperty(name, out _), $"{name} in {contrast}");
        Assert.Equal(6, arm.GetProperty("n").GetInt32());
        Assert.Equal(6, arm.List("jobs").Count);

        // The figures are those of the jobs.
        var accuracies = (await _http.SweepJobs(id, "&activation=relu"))
            .Select(job => (double)job.GetProperty("result").GetProperty("testAccuracy").GetSingle()).ToList();
        Assert.Equal(accuracies.Average(), arm.GetProperty("mean").GetDouble(), 1e-9);
        Assert.Equal(accuracies.Count, (await _http.SweepJobs(id)).Count(job => job.Status() == "succeeded") / 2);
        Assert.Equal(["hidden1", "output"], arm.List("layers").Select(layer => layer.Text("name")));
        Assert.InRange(arm.List("layers")[0].GetProperty("values").GetProperty("sparsity").GetDouble(), 0.01, 0.99);
        Assert.Equal(report.GetProperty("provenance").List("seeds").Count, contrast.GetProperty("n").GetInt32());
        Assert.Equal("iris", report.GetProperty("provenance").Text("dataset"));
        Assert.Contains(contrast.Text("sentence"), report.Text("answer"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0}}}""")]   // which is ReLU
    [InlineData("""{"labels": {"team": "b"}}""")]
    [InlineData("""{"timeoutSeconds": 7200}""")]
    [InlineData("{}")]
    public async Task Arms_that_train_the_same_net_never_have_a_winner(string patch)
    {
        var report = await Report("""
            {"base": {"dataset": "iris",
                      "model": {"hiddenLayers": [8], "activation": "relu", "initializer": {"name": "kaiming_normal", "gain": 1.4}},
                      "training": {"epochs": 3}},
             "arms": [{"name": "one"}, {"name": "other", "patch": PATCH}], "seedCount": 8}
            """.Replace("PATCH", patch, StringComparison.Ordinal));
        var contrast = report.List("contrasts").Single();
        Assert.Contains(contrast.Text("verdict"), (string[])["equivalent", "inconclusive"]);
        Assert.Equal((0, 1, 0.5), (contrast.GetProperty("meanDifference").GetDouble(),
            contrast.GetProperty("pValue").GetDouble(), contrast.GetProperty("probabilityOfSuperiority").GetDouble()));
    }

    [Fact]
    public async Task Five_seeds_never_reach_significance_and_the_sentence_says_so()
    {
        var report = await Report("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [16]}, "training": {"epochs": 20}}, "seedCount": 5,
             "arms": [{"name": "learns"}, {"name": "can't", "patch": {"training": {"optimizer": {"learningRate": 1e-9}}}}],
             "baseline": "can't"}
            """);
        var contrast = report.List("contrasts").Single();
        Assert.True(contrast.GetProperty("meanDifference").GetDouble() > 0.2, contrast.ToString());
        Assert.Equal("inconclusive", contrast.Text("verdict"));
        Assert.Contains("significance can't be reached", contrast.Text("sentence"), StringComparison.Ordinal);
        Assert.Contains(report.List("notes"),
            note => note.GetString()!.Contains("With 5 seeds no difference can be significant", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Six_seeds_find_what_is_plain()
    {
        var report = await Report("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [16]}, "training": {"epochs": 20}}, "seedCount": 6,
             "arms": [{"name": "can't", "patch": {"training": {"optimizer": {"learningRate": 1e-9}}}}, {"name": "learns"}]}
            """);
        Assert.Equal(("supported", 0.03125),
            (report.List("contrasts")[0].Text("verdict"), report.List("contrasts")[0].GetProperty("pValue").GetDouble()));
    }

    [Fact]
    public async Task A_run_that_diverges_is_an_outcome_that_is_counted_and_keeps_its_figures()
    {
        var id = await Run("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [8, 8]}, "training": {"epochs": 3}}, "seedCount": 6,
             "arms": [{"name": "sane"}, {"name": "mad", "patch": {"training": {"optimizer": {"learningRate": 1e6}}}}]}
            """);
        var sweep = (await _http.GetSweep(id)).Json;
        Assert.Equal(("succeeded", 6, 6, 6), (sweep.Status(), sweep.Count("succeeded"), sweep.Count("failed"), sweep.Count("diverged")));
        var report = await _http.GetReport(id);
        var (sane, mad) = (report.List("arms")[0], report.List("arms")[1]);
        Assert.Equal((6, 0, 0),
            (sane.GetProperty("n").GetInt32(), sane.GetProperty("diverged").GetInt32(), sane.GetProperty("failed").GetInt32()));
        Assert.Equal((0, 6, 0),
            (mad.GetProperty("n").GetInt32(), mad.GetProperty("diverged").GetInt32(), mad.GetProperty("failed").GetInt32()));
        Assert.Equal(JsonValueKind.Null, mad.GetProperty("mean").ValueKind);
        Assert.True(mad.List("divergedCi95")[0].GetDouble() > 0.5);
        Assert.Equal("refuted", report.List("contrasts")[0].Text("verdict"));
        Assert.Contains("6 of 6 runs of mad diverged and none of sane", report.List("contrasts")[0].Text("sentence"),
            StringComparison.Ordinal);
        Assert.Contains(report.List("notes"), note => note.GetString()!.Contains("6 runs diverged", StringComparison.Ordinal));

        var job = mad.List("jobs")[0].GetString();
        Assert.Equal("diverged", (await _http.GetJobAsync(Guid.Parse(job!))).ErrorCode());
        var metrics = (await _http.GetAnswer($"/api/v1/jobs/{job}/metrics")).Text;
        Assert.Matches("\"(NaN|-?Infinity)\"", metrics);
        // An equal job would diverge again.
        Assert.Equal(sweep.ToString(), (await _http.Send("POST", $"{SweepClient.Root}/{id}/retry-failed")).Text);
    }

    [Fact]
    public async Task A_sweep_without_an_outcome_fails_and_says_why_and_its_failed_cells_can_be_run_again()
    {
        var id = await Run("""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [16]}, "training": {"epochs": 100000}, "timeoutSeconds": 1},
             "seedCount": 1, "arms": [{"name": "a"}, {"name": "b", "patch": {"model": {"activation": "tanh"}}}]}
            """);
        var sweep = (await _http.GetSweep(id)).Json;
        Assert.Equal(("failed", "no_outcome", 2), (sweep.Status(), sweep.ErrorCode(), sweep.Count("failed")));
        Assert.Contains("retry-failed", sweep.GetProperty("error").Text("message"), StringComparison.Ordinal);
        var report = await _http.GetReport(id);
        Assert.Contains("No cell has an outcome", report.Text("answer"), StringComparison.Ordinal);
        Assert.Contains(report.List("notes"),
            note => note.GetString()!.Contains("2 cells failed with 'timeout'", StringComparison.Ordinal));
        Assert.Contains("there is no seed with which all runs finished",
            report.List("contrasts")[0].Text("sentence"), StringComparison.Ordinal);
        Assert.All(report.List("arms"),
            arm => Assert.Equal((0, 1), (arm.GetProperty("n").GetInt32(), arm.GetProperty("failed").GetInt32())));

        var again = await _http.Send("POST", $"{SweepClient.Root}/{id}/retry-failed");
        Assert.Equal((202, JsonValueKind.Null), (again.Status, again["error"].ValueKind));
        await _http.WaitForSweepEnd(id);
        Assert.All(await _http.SweepJobs(id), job => Assert.Equal(2, job.GetProperty("attempt").GetInt32()));
    }

    [Fact]
    public async Task Trials_without_an_outcome_leave_their_arm_out_and_are_told()
    {
        var id = await Run("""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [16]}, "training": {"epochs": 1}}, "seedCount": 1,
             "tune": {"/training/batchSize": [32, 64]},
             "arms": [{"name": "fine"}, {"name": "late", "patch": {"training": {"epochs": 100000}, "timeoutSeconds": 1}}]}
            """);
        Assert.Equal("succeeded", (await _http.GetSweep(id))["status"].GetString());
        var report = await _http.GetReport(id);
        Assert.Equal([1, 0], report.List("arms").Select(arm => arm.GetProperty("n").GetInt32()));
        Assert.Contains(report.List("notes"),
            note => note.GetString()!.Contains("Tuning chose nothing for late", StringComparison.Ordinal));
        Assert.Contains(report.List("notes"),
            note => note.GetString()!.Contains("2 of 4 tuning trials have no outcome", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_dead_net_has_no_gradient_flow_but_has_not_diverged()
    {
        var report = await Report("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [8, 8, 8], "activation": "relu"}, "training": {"epochs": 1}},
             "seedCount": 2, "metric": "gradientFlow", "delta": 0.1,
             "arms": [{"name": "alive"}, {"name": "dead", "patch": {"model": {"biasInitializer": {"name": "constant", "value": -1000}}}}]}
            """);
        var (alive, dead) = (report.List("arms")[0], report.List("arms")[1]);
        Assert.Equal((2, 0), (alive.GetProperty("n").GetInt32(), alive.GetProperty("diverged").GetInt32()));
        Assert.Equal((0, 0, 0),
            (dead.GetProperty("n").GetInt32(), dead.GetProperty("diverged").GetInt32(), dead.GetProperty("failed").GetInt32()));
        Assert.Contains(report.List("notes"),
            note => note.GetString()!.Contains("2 runs that finished have no finite value of 'gradientFlow'", StringComparison.Ordinal));
        Assert.DoesNotContain("diverged", report.List("contrasts")[0].Text("sentence"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arms_can_be_compared_by_every_metric()
    {
        var classes = await Run("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [8, 8]}, "training": {"epochs": 2}},
             "seedCount": 2, "grid": {"/model/activation": ["relu", "tanh"]}}
            """);
        var numbers = await Run("""
            {"base": {"dataset": "friedman1", "model": {"hiddenLayers": [8, 8]}, "training": {"epochs": 1}},
             "seedCount": 2, "delta": 0.1, "grid": {"/model/activation": ["relu", "tanh"]}}
            """);
        await using var db = service.NewDbContext();
        IReadOnlyList<CellResult> cells = [];
        foreach (var id in (string[])[classes, numbers])
        {
            var sweep = await db.Sweeps.AsNoTracking().SingleAsync(s => s.Id == Guid.Parse(id), TestContext.Current.CancellationToken);
            cells = await SweepCells.ReadAsync(db, sweep, TestContext.Current.CancellationToken);
            foreach (var metric in SweepMetrics.All.Where(
                m => m.Target is null || m.Target == (id == classes ? Engine.Data.TargetKind.Classes : Engine.Data.TargetKind.Number)))
                // A layer may be dead after so little training and have no value, but not in every run.
                Assert.True(metric.Name == "cameBackFraction"
                    || cells.Any(cell => metric.Of(cell) is { } value && double.IsFinite(value)), metric.Name);
        }
        // none comes back where none was off
        double? CameBack(float off, float revived) => SweepMetrics.Named("cameBackFraction").Of(cells[0] with
        {
            Last = [.. cells[0].Last.Select(row => row with { NegativeLockedFraction = off, RevivedFraction = revived })],
        });
        Assert.Null(CameBack(0, 0));
        Assert.Equal(0.75, CameBack(0.1f, 0.3f) ?? 0, 1e-6);
        var report = await _http.GetReport(numbers);
        Assert.Equal(("testRmse", 2), (report.Text("metric"), report.List("arms")[0].GetProperty("n").GetInt32()));
    }

    [Fact]
    public async Task A_sweep_of_one_arm_and_one_seed_has_a_report()
    {
        var report = await Report($$"""{"base": {{SweepClient.Tiny}}, "seedCount": 1}""");
        Assert.Contains("one arm and nothing to compare it with", report.Text("answer"), StringComparison.Ordinal);
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null),
            (report.List("arms")[0].GetProperty("sd").ValueKind, report.List("arms")[0].GetProperty("ci95").ValueKind));
        Assert.Empty(report.List("contrasts"));
    }

    [Fact]
    public async Task As_few_rows_as_there_can_be_give_a_report()
    {
        var report = await Report("""
            {"base": {"dataset": {"name": "friedman1", "maxTrainExamples": 1, "validationFraction": 0},
                      "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}},
             "seedCount": 2, "delta": 0.1, "grid": {"/model/activation": ["relu", "tanh"]}}
            """);
        Assert.All(report.List("arms"), arm => Assert.Equal(2, arm.GetProperty("n").GetInt32() + arm.GetProperty("diverged").GetInt32()));
    }

    private async Task<string> Run(string body)
    {
        var id = await _http.SubmitSweep(body);
        await _http.WaitForSweepEnd(id);
        return id;
    }

    private async Task<JsonElement> Report(string body) => await _http.GetReport(await Run(body));
}
