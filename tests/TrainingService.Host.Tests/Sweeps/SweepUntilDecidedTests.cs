using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>Sweeps that run until decided, over HTTP and with workers.</summary>
public sealed class SweepUntilDecidedTests(Service service)
{
    private const string LearnsAndCant = """
        "base": {"dataset": "iris", "model": {"hiddenLayers": [16]}, "training": {"epochs": 20}},
        "arms": [{"name": "learns"}, {"name": "can't", "patch": {"training": {"optimizer": {"learningRate": 1e-9}}}}]
        """;

    private readonly HttpClient _http = service.Http;

    [Fact]
    public async Task A_plain_difference_ends_long_before_the_last_seed()
    {
        var answer = await _http.PostSweep("{" + LearnsAndCant + """, "seeds": {"until": "decided"}, "budgetSeconds": 600}""");
        Assert.True(answer.Status == 202, answer.Text);
        Assert.Equal((6, 60, 12), (answer.Json.Int("seeds"), answer.Json.Int("seedsAtMost"), answer["cells"].GetInt32()));
        Assert.Equal((12, 120), (answer["progress"].GetProperty("total").GetInt32(), answer["progress"].GetProperty("atMost").GetInt32()));
        Assert.Equal("""{"until":"decided","atLeast":6,"atMost":60}""", JsonSerializer.Serialize(answer["spec"].GetProperty("seeds")));
        var sweep = await _http.WaitForSweepEnd(answer.Id);
        var seeds = sweep.Int("seeds");
        Assert.InRange(seeds, 7, 24);
        Assert.Equal(("succeeded", "decided", seeds, seeds, 2 * seeds, 1.0), (sweep.Status(), sweep.Text("stopped"), sweep.Int("seeds"),
            sweep.Int("seedsAtMost"), sweep.Count("succeeded"), sweep.GetProperty("progress").GetProperty("fraction").GetDouble()));

        var report = await _http.GetReport(answer.Id);
        Assert.Equal("refuted", report.List("contrasts").Single().Text("verdict"));
        Assert.All(report.List("arms"), arm => Assert.Equal(seeds, arm.GetProperty("n").GetInt32()));
        var looks = report.List("looks").Select(look => (Seeds: look.Int("seeds"), Decided: look.Int("decided"))).ToList();
        Assert.Equal(((6, 0), (seeds, 1)), (looks[0], looks[^1]));
        Assert.All(looks.SkipLast(1), look => Assert.Equal(0, look.Decided));
        Assert.Equal(report.List("looks").Select(look => look.ToString()), sweep.List("looks").Select(look => look.ToString()));
        var contrast = report.List("contrasts")[0];
        Assert.True(contrast.GetProperty("adjustedPValue").GetDouble() > contrast.GetProperty("pValue").GetDouble());
        MustNote(report, $"stopped with {seeds} of at most 60 seeds, because its comparison was decided");
        var page = (await _http.GetAnswer($"{SweepClient.Root}/{answer.Id}/report", ("Accept", "text/html"))).Text;
        Assert.Contains("alpha spent", page, StringComparison.Ordinal);

        // As it is shown it can be POSTed again, and does the same.
        var again = await _http.SubmitSweep(sweep.GetProperty("spec").ToString());
        var second = await _http.WaitForSweepEnd(again);
        Assert.Equal((sweep.GetProperty("spec").ToString(), seeds), (second.GetProperty("spec").ToString(), second.Int("seeds")));
    }

    [Fact]
    public async Task An_idempotent_repeat_gets_the_same_spec()
    {
        var body = "{" + LearnsAndCant + """, "seeds": {"until": "decided", "atMost": 6}}""";
        var first = await _http.PostSweep(body, ("Idempotency-Key", "until-decided"));
        var again = await _http.PostSweep(body, ("Idempotency-Key", "until-decided"));
        Assert.Equal((202, first.Text), (again.Status, again.Text));
        await _http.WaitForSweepEnd(first.Id);
    }

    [Fact]
    public async Task Without_time_no_batch_follows_the_first_and_seeds_by_hand_use_what_is_left()
    {
        var id = await _http.SubmitSweep("{" + LearnsAndCant
            + """, "seeds": {"until": "decided", "atMost": 20}, "budgetSeconds": 0.000001}""");
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("budget", 6), (sweep.Text("stopped"), sweep.Int("seeds")));
        var report = await _http.GetReport(id);
        Assert.Equal("inconclusive", report.List("contrasts").Single().Text("verdict"));

        Assert.Equal(202, (await _http.Send("POST", $"{SweepClient.Root}/{id}/extend", """{"seedCount": 14}""")).Status);
        sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal((14, "succeeded"), (sweep.Int("seeds"), sweep.Status()));
        report = await _http.GetReport(id);
        Assert.Equal([6, 14], report.List("looks").Select(look => look.Int("seeds")));
        Assert.Equal("refuted", report.List("contrasts").Single().Text("verdict"));
        MustNote(report, "Seeds were added by hand after a look at 6");
    }

    [Fact]
    public async Task Seeds_by_hand_give_a_finished_sweep_of_fixed_seeds_no_second_chance()
    {
        // Two settings that differ in nothing that matters, with a delta that nothing can be within.
        var id = await _http.SubmitSweep("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [8]}, "training": {"epochs": 2}}, "metric": "testLoss", "delta": 1e-9,
             "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"batchSize": 31}}}], "seedCount": 12}
            """);
        await _http.WaitForSweepEnd(id);
        var before = (await _http.GetReport(id)).List("contrasts").Single();
        Assert.Equal(202, (await _http.Send("POST", $"{SweepClient.Root}/{id}/extend", """{"seedCount": 16}""")).Status);
        await _http.WaitForSweepEnd(id);
        var report = await _http.GetReport(id);
        Assert.Equal([(12, 0.0), (16, 0.0)],
            report.List("looks").Select(look => (look.Int("seeds"), look.GetProperty("alphaLeft").GetDouble())));
        Assert.Equal(before.GetProperty("adjustedPValue").GetDouble(),
            report.List("contrasts").Single().GetProperty("adjustedPValue").GetDouble(), 1e-3);
        MustNote(report, "had spent all of alpha");
    }

    private static void MustNote(JsonElement report, string words) =>
        Assert.Contains(report.List("notes"), note => note.GetString()?.Contains(words, StringComparison.Ordinal) == true);
}
