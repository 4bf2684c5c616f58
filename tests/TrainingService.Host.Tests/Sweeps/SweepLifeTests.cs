using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>From the POST to the end, and what can be done to a sweep on its way.</summary>
public sealed class SweepLifeTests(Service service) : IAsyncDisposable
{
    private readonly HttpClient _http = service.Http;
    private readonly List<string> _submitted = [];

    /// <summary>Lest a test that fails leaves the workers busy for the others.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var id in _submitted)
            await Act(id, "cancel");
    }

    [Fact]
    public async Task A_sweep_runs_all_its_cells_and_ends()
    {
        var id = await Submit(Body("""{BASE, "arms": ARMS, "seedCount": 3}"""));
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("succeeded", 6, 6, 1.0), (sweep.Status(), sweep.GetProperty("cells").GetInt32(),
            sweep.Count("succeeded"), sweep.GetProperty("progress").GetProperty("fraction").GetDouble()));
        Assert.Null(sweep.ErrorCode());
        Assert.True(sweep.GetProperty("startedAt").GetDateTimeOffset() < sweep.GetProperty("finishedAt").GetDateTimeOffset());

        var answer = await _http.GetSweep(id);
        Assert.False(answer.Headers.Contains("Retry-After"));
        Assert.Equal(304, (await _http.GetAnswer($"{SweepClient.Root}/{id}", ("If-None-Match", answer.ETag!))).Status);
        // What has ended is no longer changed by a cancellation.
        var canceled = await Act(id, "cancel");
        Assert.Equal((202, "succeeded", answer.ETag), (canceled.Status, canceled["status"].GetString(), canceled.ETag));
        var retried = await Act(id, "retry-failed");
        Assert.Equal((202, "succeeded", answer.Text), (retried.Status, retried["status"].GetString(), retried.Text));
    }

    [Fact]
    public async Task A_running_sweep_is_canceled_and_its_canceled_cells_can_be_run_again()
    {
        var id = await Submit("""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [256, 256]}},
             "seedCount": 1, "arms": [{"name": "short", "patch": {"training": {"epochs": 1}}}]}
            """);
        await _http.WaitForSweepEnd(id);
        Assert.Equal(202, (await Act(id, "extend", """
            {"arms": [{"name": "long", "patch": {"training": {"epochs": 100000}}},
                      {"name": "longer", "patch": {"training": {"epochs": 99999}}},
                      {"name": "last", "patch": {"training": {"epochs": 99998}}}]}
            """)).Status);
        var running = await _http.WaitForSweep(id, sweep => sweep.Count("succeeded") == 1 && sweep.Count("running") > 0);
        Assert.Equal("running", running.Status());
        var unfinished = await _http.GetSweep(id);
        Assert.Equal("1", unfinished.Headers.GetValues("Retry-After").Single());
        (await _http.Send("DELETE", $"{SweepClient.Root}/{id}")).MustBeProblem(409, "conflict");
        (await Act(id, "retry-failed")).MustBeProblem(409, "conflict");
        (await Act(id, "extend", """{"seedCount": 2}""")).MustBeProblem(409, "conflict");
        var early = await _http.GetReport(id);
        Assert.Equal("running", early.Status());
        Assert.Contains("1 of 4 cells so far", early.Text("answer"), StringComparison.Ordinal);
        Assert.Contains(early.List("notes"),
            note => note.GetString()!.Contains("3 of 4 cells have not ended yet", StringComparison.Ordinal));

        Assert.Equal("canceling", (await Act(id, "cancel"))["status"].GetString());
        Assert.Equal(202, (await Act(id, "cancel")).Status);
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("canceled", 1, 3), (sweep.Status(), sweep.Count("succeeded"), sweep.Count("canceled")));
        Assert.NotEqual(unfinished.ETag, (await _http.GetSweep(id)).ETag);
        var report = await _http.GetReport(id);
        Assert.Contains(report.List("notes"), note => note.GetString()!.Contains("The sweep was canceled", StringComparison.Ordinal));
        Assert.Contains("1 of 4 cells. ", report.Text("answer"), StringComparison.Ordinal);
        Assert.Equal([(1, 0), (0, 1), (0, 1), (0, 1)],
            report.List("arms").Select(arm => (arm.GetProperty("n").GetInt32(), arm.GetProperty("failed").GetInt32())));

        var attempts = await Attempts(id);
        Assert.Equal((202, 3), (await Act(id, "retry-failed")) is var again
            ? (again.Status, again.Json.Count("queued") + again.Json.Count("running")) : default);
        await _http.WaitForSweep(id, s => s.Count("running") > 0);
        await Act(id, "cancel");
        Assert.Equal("canceled", (await _http.WaitForSweepEnd(id)).Status());
        var later = await Attempts(id);
        Assert.Equal((attempts[0], 4), (later[0], later.Count));

        Assert.Equal(204, (await _http.Send("DELETE", $"{SweepClient.Root}/{id}")).Status);
        (await _http.GetSweep(id)).MustBeProblem(404, "not-found");
        await using var db = service.NewDbContext();
        Assert.False(await db.Jobs.AnyAsync(job => job.SweepId == Guid.Parse(id), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task More_seeds_and_arms_run_only_the_new_cells()
    {
        var id = await Submit(Body("""{BASE, "arms": ARMS, "seeds": [5, 9]}"""));
        await _http.WaitForSweepEnd(id);
        var first = (await _http.SweepJobs(id)).ToDictionary(job => job.Text("id"), job => job.Text("finishedAt"));

        var extended = await Act(id, "extend", """
            {"seedCount": 3,
             "arms": [{"name": "again", "patch": {"model": {"activation": "tanh"}}},
                      {"name": "elu", "patch": {"model": {"activation": "elu"}}}]}
            """);
        Assert.True(extended.Status == 202, extended.Text);
        Assert.Equal((12, 5), (extended["cells"].GetInt32(), extended.Json.Count("queued")));
        Assert.Equal("[5,9,10]", JsonSerializer.Serialize(extended["spec"].GetProperty("seeds")));
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("succeeded", 9), (sweep.Status(), sweep.Count("succeeded")));
        var second = await _http.SweepJobs(id);
        Assert.Equal(first, second.Where(job => first.ContainsKey(job.Text("id")))
            .ToDictionary(job => job.Text("id"), job => job.Text("finishedAt")));
        var report = await _http.GetReport(id);
        Assert.All(report.List("arms"), arm => Assert.Equal(3, arm.GetProperty("n").GetInt32()));
        Assert.Equal(["relu", "tanh", "again", "elu"], report.List("arms").Select(arm => arm.Text("name")));
        Assert.Equal(["tanh", "again", "elu"], report.List("contrasts").Select(contrast => contrast.Text("arm")));
        Assert.Contains(report.List("notes"),
            note => note.GetString()!.Contains("Seeds were added by hand after a look at 2", StringComparison.Ordinal));
        Assert.Equal(report.List("arms")[1].List("jobs").Select(job => job.GetString()),
            report.List("arms")[2].List("jobs").Select(job => job.GetString()));

        // Nothing is left to run: it has ended when the answer comes, or at once afterwards.
        Assert.Equal(202,
            (await Act(id, "extend", """{"arms": [{"name": "third", "patch": {"model": {"activation": "relu"}}}]}""")).Status);
        Assert.Equal("succeeded", (await _http.GetSweep(id))["status"].GetString());
        Assert.Equal(9, (await _http.SweepJobs(id)).Count);
    }

    [Theory]
    [InlineData("{}", "", "nothing to add")]
    [InlineData("""{"arms": [], "seeds": []}""", "", "nothing to add")]
    [InlineData("""{"seed": [3]}""", "/seed", "did you mean 'seeds'")]
    [InlineData("""{"seedCount": 2}""", "/seedCount", "must be above 2")]
    [InlineData("""{"seedCount": 2147483647}""", "/seedCount", "at most 10,000")]
    [InlineData("""{"seedCount": 3, "seeds": [7]}""", "/seedCount", "exclude each other")]
    [InlineData("""{"seeds": [7, 2]}""", "/seeds", "has seed 2 already")]
    [InlineData("""{"seeds": [7, 7]}""", "/seeds", "given 2 times")]
    [InlineData("""{"arms": [{"name": "x"}, {"name": "base"}]}""", "/arms/1/name", "another arm 'base'")]
    [InlineData("""{"arms": [{"name": "x", "patch": {"model": {"activation": "rleu"}}}]}""",
        "/arms/0/patch/model/activation", "did you mean 'relu'")]
    public async Task What_can_not_be_added_is_refused_where_it_stands(string body, string pointer, string words)
    {
        var id = await Submit(Body("""{BASE, "seedCount": 2}"""));
        var before = await _http.WaitForSweepEnd(id);
        var answer = await Act(id, "extend", body);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(words, string.Join("\n", answer["errors"].GetProperty(pointer).EnumerateArray()), StringComparison.Ordinal);
        Assert.Equal(before.ToString(), (await _http.GetSweep(id)).Text);
    }

    [Fact]
    public async Task Each_seed_is_compared_with_the_values_that_were_best_on_its_own_validation_rows()
    {
        const string Rate = "/training/optimizer/learningRate";
        var id = await Submit("""
            {"base": {"dataset": {"name": "iris", "validationFraction": 0.2}, "model": {"hiddenLayers": [8]}, "training": {"epochs": 5}},
             "arms": [{"name": "relu"}, {"name": "tanh", "patch": {"model": {"activation": "tanh"}}}],
             "tune": {"/training/optimizer/learningRate": [0.00001, 0.03, 0.1]}, "seedCount": 3}
            """);
        var sweep = await _http.WaitForSweepEnd(id);
        // 2 arms x 3 rates x 3 seeds as trials; the compared cells are among them.
        Assert.Equal(("succeeded", 18), (sweep.Status(), sweep.Count("succeeded")));
        var report = await _http.GetReport(id);
        Assert.All(report.List("arms"), arm => Assert.Equal(3, arm.GetProperty("n").GetInt32()));
        var jobs = (await _http.SweepJobs(id)).ToDictionary(job => job.Text("id"));
        foreach (var arm in report.List("arms"))
            foreach (var (index, chosen) in arm.List("jobs").Select(job => jobs[job.GetString()!]).Index())
            {
                var trials = jobs.Values.Where(job => Seed(job) == index + 1 && Activation(job) == Activation(chosen)).ToList();
                Assert.Equal(3, trials.Count);
                Assert.Equal(Best(trials).Text("id"), chosen.Text("id"));
            }
        Assert.Equal(6, report.List("trials").Count);
        Assert.Equal([3, 3], report.List("trials").GroupBy(trial => trial.Text("arm"))
            .Select(arm => arm.Sum(trial => trial.GetProperty("chosen").GetInt32())));
        Assert.All(report.List("trials"), trial => Assert.Equal((3, "validationAccuracy"),
            (trial.GetProperty("seeds").GetInt32(), trial.Text("chosenBy"))));
        Assert.NotEqual(0.00001, report.List("arms")[0].GetProperty("tuned").GetProperty(Rate).GetDouble());

        var more = await Act(id, "extend", """{"seedCount": 4, "arms": [{"name": "elu", "patch": {"model": {"activation": "elu"}}}]}""");
        Assert.True(more.Status == 202, more.Text);
        sweep = await _http.WaitForSweepEnd(id);
        // One more seed for the two old arms, all four for the new one; each with three trials.
        Assert.Equal(("succeeded", 36), (sweep.Status(), sweep.Count("succeeded")));
        Assert.All((await _http.GetReport(id)).List("arms"), arm => Assert.Equal(4, arm.GetProperty("n").GetInt32()));

        static int Seed(JsonElement job) => job.GetProperty("spec").GetProperty("training").GetProperty("seed").GetInt32();
        static string Activation(JsonElement job) => job.GetProperty("spec").GetProperty("model").GetProperty("activation").Text("name");
        static JsonElement Best(IEnumerable<JsonElement> trials) => trials
            .OrderByDescending(job => job.GetProperty("result").GetProperty("validationAccuracy").GetDouble())
            .ThenBy(job => job.GetProperty("result").GetProperty("validationLoss").GetDouble()).First();
    }

    [Fact]
    public async Task A_seed_whose_trials_all_diverge_counts_as_diverged()
    {
        var id = await Submit("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [8, 8]}, "training": {"epochs": 2}},
             "tune": {"/training/optimizer/learningRate": [1e6, 1e7, 1e8]}, "seedCount": 2}
            """);
        await _http.WaitForSweepEnd(id);
        var report = await _http.GetReport(id);
        var arm = report.List("arms")[0];
        Assert.Equal((0, 2), (arm.GetProperty("n").GetInt32(), arm.GetProperty("diverged").GetInt32()));
        Assert.Equal([0, 2, 0], report.List("trials").Select(trial => trial.GetProperty("chosen").GetInt32()));
        Assert.Equal([2, 2, 2], report.List("trials").Select(trial => trial.GetProperty("diverged").GetInt32()));
        // Of outputs that aren't numbers there is no accuracy.
        Assert.All(await _http.SweepJobs(id), job => Assert.False(job.GetProperty("result").TryGetProperty("testAccuracy", out _)));
    }

    [Fact]
    public async Task What_was_tuned_stays_when_a_trial_that_had_failed_would_now_win()
    {
        var id = await Submit("""
            {"base": {"dataset": {"name": "iris", "validationFraction": 0.2}, "model": {"hiddenLayers": [8]}, "training": {"epochs": 5}},
             "tune": {"/training/optimizer/learningRate": [0.00001, 0.1]}, "seedCount": 2}
            """);
        await _http.WaitForSweepEnd(id);
        // As if the worse rate had been chosen, because the trial of the better one had failed.
        await using (var db = service.NewDbContext())
        {
            var cells = await db.SweepCells.Where(cell => cell.SweepId == Guid.Parse(id))
                .ToListAsync(TestContext.Current.CancellationToken);
            foreach (var worse in cells.Where(cell => cell.Candidate == 0))
                await db.SweepCells.Where(cell => cell.SweepId == worse.SweepId && cell.Candidate == -1 && cell.Seed == worse.Seed)
                    .ExecuteUpdateAsync(set => set.SetProperty(cell => cell.JobId, worse.JobId), TestContext.Current.CancellationToken);
        }
        await Act(id, "extend", """{"seedCount": 3}""");
        await _http.WaitForSweepEnd(id);
        var trials = (await _http.GetReport(id)).List("trials");
        Assert.Equal([2, 1], trials.Select(trial => trial.GetProperty("chosen").GetInt32()));
    }

    [Fact]
    public async Task A_sweep_that_the_version_before_tuned_is_shown_and_takes_no_more_seeds()
    {
        var id = await Submit("""
            {"base": {"dataset": {"name": "iris", "validationFraction": 0.2}, "model": {"hiddenLayers": [8]}, "training": {"epochs": 2}},
             "tune": {"/training/optimizer/learningRate": [0.001, 0.1]}, "seedCount": 3}
            """);
        await _http.WaitForSweepEnd(id);
        // As it was stored: trials with the first seed only.
        await using (var db = service.NewDbContext())
        {
            await db.SweepCells.Where(cell => cell.SweepId == Guid.Parse(id) && cell.Candidate >= 0 && cell.Seed > 1)
                .ExecuteDeleteAsync(TestContext.Current.CancellationToken);
            await db.Database.ExecuteSqlAsync($"""
                UPDATE sweeps SET spec = jsonb_set(spec - 'testSplit' - 'rows', ARRAY['tuneSeedCount'], '1') WHERE id = {Guid.Parse(id)}
                """, TestContext.Current.CancellationToken);
        }
        var sweep = (await _http.GetSweep(id)).Json;
        Assert.False(sweep.GetProperty("spec").TryGetProperty("tuneSeedCount", out _));
        var report = await _http.GetReport(id);
        Assert.Equal(3, report.List("arms")[0].GetProperty("n").GetInt32());
        Assert.Contains(report.List("notes"), note => note.GetString()!.Contains("by an earlier version", StringComparison.Ordinal));
        var more = await Act(id, "extend", """{"seedCount": 4}""");
        more.MustBeProblem(409, "conflict");
        Assert.Contains("by an earlier version", more["detail"].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_whose_defaults_were_others_takes_no_more_seeds()
    {
        var id = await Submit("""
            {"base": {"dataset": {"name": "friedman1", "maxTrainExamples": 100}, "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}},
             "arms": [{"name": "relu"}, {"name": "tanh", "patch": {"model": {"activation": "tanh"}}}], "delta": 0.1, "seedCount": 2}
            """);
        await _http.WaitForSweepEnd(id);
        Assert.Equal(202, (await Act(id, "extend", """{"seedCount": 3}""")).Status);
        await _http.WaitForSweepEnd(id);
        // As an earlier version stored its runs: no word of the target's scale, which was the target's own.
        await StoreAsBefore(id);
        await using (var db = service.NewDbContext())
            await db.Database.ExecuteSqlAsync($"""
                UPDATE jobs SET spec = spec #- ARRAY['training', 'standardizeTarget'] WHERE sweep_id = {Guid.Parse(id)}
                """, TestContext.Current.CancellationToken);
        foreach (var body in (string[])["""{"seedCount": 4}""",
            """{"arms": [{"name": "wide", "patch": {"model": {"hiddenLayers": [8]}}}]}"""])
        {
            var more = await Act(id, "extend", body);
            more.MustBeProblem(409, "conflict");
            Assert.Contains("an earlier version, for which what its spec leaves out meant something else: training.standardizeTarget was "
                + "false and is true now.", more["detail"].GetString(), StringComparison.Ordinal);
        }
        Assert.Equal("succeeded", (await _http.GetSweep(id)).Json.Status());
        Assert.Equal(3, (await _http.GetReport(id)).List("arms")[0].GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task A_sweep_whose_jobs_have_each_their_own_spec_is_shown_and_goes_on()
    {
        var id = await Submit("""
            {"base": {"dataset": "iris", "model": {"hiddenLayers": [4]}, "training": {"epochs": 1}},
             "arms": [{"name": "relu"}, {"name": "tanh", "patch": {"model": {"activation": "tanh"}}}], "seedCount": 2}
            """);
        await _http.WaitForSweepEnd(id);
        var jobs = (await _http.SweepJobs(id)).Select(job => job.GetProperty("spec").GetRawText()).ToList();
        await StoreAsBefore(id);
        Assert.Equal(jobs, (await _http.SweepJobs(id)).Select(job => job.GetProperty("spec").GetRawText()));
        Assert.Equal(202, (await Act(id, "extend", """{"seedCount": 3}""")).Status);
        Assert.Equal("succeeded", (await _http.WaitForSweepEnd(id)).Status());
        Assert.Equal(6, (await _http.SweepJobs(id)).Count);
        Assert.Equal(3, (await _http.GetReport(id)).List("arms")[1].GetProperty("n").GetInt32());
    }

    /// <summary>Each job with its own spec, as versions before stored a sweep's, too.</summary>
    private async Task StoreAsBefore(string id)
    {
        await using var db = service.NewDbContext();
        await db.Database.ExecuteSqlAsync($$"""
            UPDATE jobs SET template_number = NULL, seed = NULL,
                spec = jsonb_set(template.spec || jsonb_build_object('name', name), '{training,seed}', to_jsonb(seed)),
                request = jsonb_set(template.request || jsonb_build_object('name', name), '{training,seed}', to_jsonb(seed))
            FROM job_templates template
            WHERE jobs.sweep_id = {{Guid.Parse(id)}} AND template.sweep_id = jobs.sweep_id AND template.number = jobs.template_number
            """, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_single_job_of_a_sweep_can_be_canceled_and_the_sweep_ends_without_it()
    {
        var id = await Submit("""
            {"base": {"dataset": "digits", "model": {"hiddenLayers": [256, 256]}}, "seedCount": 1,
             "arms": [{"name": "short", "patch": {"training": {"epochs": 1}}}, {"name": "long", "patch": {"training": {"epochs": 100000}}}]}
            """);
        await _http.WaitForSweep(id, sweep => sweep.Count("succeeded") == 1 && sweep.Count("running") == 1);
        var job = (await _http.SweepJobs(id, "&status=running")).Single().Text("id");
        (await _http.Send("DELETE", $"/api/v1/jobs/{job}")).MustBeProblem(409, "conflict");
        Assert.Equal(202, (await _http.Send("POST", $"/api/v1/jobs/{job}/cancel")).Status);
        var sweep = await _http.WaitForSweepEnd(id);
        Assert.Equal(("succeeded", 1, 1), (sweep.Status(), sweep.Count("succeeded"), sweep.Count("canceled")));
        var report = await _http.GetReport(id);
        Assert.Contains(report.List("notes"), note => note.GetString()!.Contains("1 cell was canceled", StringComparison.Ordinal));

        var kept = await _http.Send("DELETE", $"/api/v1/jobs/{job}");
        kept.MustBeProblem(409, "conflict");
        Assert.Contains(id, kept["detail"].GetString(), StringComparison.Ordinal);
        var retried = await _http.Send("POST", $"/api/v1/jobs/{job}/retry");
        retried.MustBeProblem(409, "conflict");
        Assert.Contains("retry-failed", retried["detail"].GetString(), StringComparison.Ordinal);
        Assert.Equal("canceled", (await _http.GetJobAsync(Guid.Parse(job))).Status());
    }

    [Fact]
    public async Task Clones_and_verifications_of_a_cell_are_no_part_of_the_sweep()
    {
        var id = await Submit(Body("""{BASE, "seedCount": 1}"""));
        var before = await _http.WaitForSweepEnd(id);
        var job = (await _http.SweepJobs(id)).Single().Text("id");
        var clone = await _http.Send("POST", $"/api/v1/jobs/{job}/clone", """{"training": {"epochs": 3}}""");
        Assert.True(clone.Status == 202, clone.Text);
        Assert.Equal("succeeded", (await _http.WaitForEndAsync(Guid.Parse(clone.Id))).Status());
        Assert.Equal(JsonValueKind.Null, clone["sweepId"].ValueKind);
        Assert.Equal(202, (await _http.Send("POST", $"/api/v1/jobs/{job}/verify")).Status);
        Assert.Single(await _http.SweepJobs(id));
        Assert.Equal(before.ToString(), (await _http.GetSweep(id)).Text);
    }

    [Fact]
    public async Task Lists_can_be_filtered_and_paged()
    {
        var ids = new List<string>();
        for (var i = 0; i < 3; i++)
            ids.Add(await Submit(Body("""{BASE, "seedCount": 1, "arms": ARMS}""")));
        foreach (var id in ids)
            await _http.WaitForSweepEnd(id);
        var seen = new List<string>();
        string? cursor = null;
        do
        {
            var page = await _http.GetAnswer($"{SweepClient.Root}?status=succeeded&limit=2{(cursor is null ? "" : $"&cursor={cursor}")}");
            Assert.Equal(200, page.Status);
            Assert.InRange(page.Json.List("items").Count, 1, 2);
            Assert.All(page.Json.List("items"), sweep => Assert.Equal("succeeded", sweep.Status()));
            seen.AddRange(page.Json.List("items").Select(sweep => sweep.Text("id")));
            cursor = page["nextCursor"].GetString();
        }
        while (cursor is not null);
        Assert.Equal(Enumerable.Reverse(ids), seen.Where(ids.Contains));
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.DoesNotContain(await Listed("?status=running"), ids.Contains);
        Assert.DoesNotContain(await Listed("?study=capacity"), ids.Contains);
        Assert.Single(await _http.SweepJobs(ids[0], "&activation=tanh"));

        foreach (var (query, pointer, words) in ((string, string, string)[])
            [("status=runing", "/status", "did you mean 'running'"),
             ("limit=0", "/limit", "at least 1"), ("cursor=x", "/cursor", "not a cursor"),
             ("study=capacty", "/study", "did you mean 'capacity'"), ("stattus=running", "/stattus", "did you mean 'status'")])
        {
            var answer = await _http.GetAnswer($"{SweepClient.Root}?{query}");
            answer.MustBeProblem(400, "validation");
            Assert.Contains(words, answer.Error(pointer), StringComparison.Ordinal);
        }
        (await _http.GetAnswer($"{SweepClient.Root}/{ids[0]}/jobs?sweepId={ids[1]}")).MustBeProblem(400, "validation");
        (await _http.GetAnswer($"{SweepClient.Root}/{Guid.NewGuid()}/jobs")).MustBeProblem(404, "not-found");
        (await _http.GetAnswer($"{SweepClient.Root}/{Guid.NewGuid()}/report")).MustBeProblem(404, "not-found");
        foreach (var action in (string[])["cancel", "retry-failed"])
            (await Act($"{Guid.NewGuid()}", action)).MustBeProblem(404, "not-found");
        (await Act($"{Guid.NewGuid()}", "extend", """{"seedCount": 2}""")).MustBeProblem(404, "not-found");
        (await _http.Send("DELETE", $"{SweepClient.Root}/{Guid.NewGuid()}")).MustBeProblem(404, "not-found");
    }

    private async Task<string> Submit(string body)
    {
        _submitted.Add(await _http.SubmitSweep(body));
        return _submitted[^1];
    }

    private async Task<IReadOnlyList<string>> Listed(string query) =>
        [.. (await _http.GetAnswer($"{SweepClient.Root}{query}")).Json.List("items").Select(sweep => sweep.Text("id"))];

    private async Task<IReadOnlyList<int>> Attempts(string id) =>
        [.. (await _http.SweepJobs(id)).Select(job => job.GetProperty("attempt").GetInt32())];

    private Task<Answer> Act(string id, string action, string? body = null) =>
        _http.Send("POST", $"{SweepClient.Root}/{id}/{action}", body);

    private static string Body(string body) =>
        body.Replace("BASE", "\"base\": " + SweepClient.Tiny, StringComparison.Ordinal)
            .Replace("ARMS", SweepClient.ReluAndTanh, StringComparison.Ordinal);
}
