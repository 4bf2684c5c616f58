using System.Globalization;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>What is accepted as a sweep and becomes of it, and what is refused with which words.</summary>
[Collection(nameof(ApiOnly))]
public sealed class CreateSweepTests(ApiOnly api)
{
    private const string Base = "\"base\": " + SweepClient.Tiny;

    [Fact]
    public async Task Names_are_counted_and_cut_in_characters_not_in_halves_of_them()
    {
        // 200 characters are 400 UTF-16 units; the jobs' names hold the sweep's, the arm's and the seed, and are cut to 200
        var (name, arm) = (string.Concat(Enumerable.Repeat("😀", 200)), string.Concat(Enumerable.Repeat("é", 50)));
        var answer = await Post($$"""{"name": "{{name}}", {{Base}}, "arms": [{"name": "{{arm}}"}, {"name": "b"}], "seeds": [1]}""");
        Assert.Equal(202, answer.Status);
        var jobs = await api.Http.SweepJobs(answer.Id);
        Assert.All(jobs, job => Assert.Equal(name, job.Text("name")));
        Assert.Equal(400, (await Post($$"""{"name": "{{name}}😀", {{Base}}}""")).Status);

    }

    [Fact]
    public async Task Arms_and_seeds_become_jobs_of_the_patched_base()
    {
        var answer = await Post("""
            {"name": "mine",
             "base": {"dataset": "iris", "model": {"hiddenLayers": [8], "activation": {"name": "elu", "alpha": 2}, "dropout": 0.5},
                      "labels": {"team": "a"}},
             "arms": [{"name": "as it is"},
                      {"name": "changed",
                       "patch": {"model": {"activation": "tanh", "dropout": null, "hiddenLayers": [4, 4]},
                                 "labels": {"team": null, "who": "b"}}}],
             "seeds": [7, -3]}
            """);
        Assert.Equal(202, answer.Status);
        Assert.Equal($"{SweepClient.Root}/{answer.Id}", answer.Headers.Location!.ToString());
        Assert.Equal("1", answer.Headers.GetValues("Retry-After").Single());
        Assert.Equal(("mine", "queued", 4, 4),
            (answer["name"].GetString(), answer["status"].GetString(), answer["cells"].GetInt32(), answer.Json.Count("queued")));
        Assert.True(JsonElement.DeepEquals(answer.Json, (await api.Http.GetSweep(answer.Id)).Json));
        Assert.Equal(JsonValueKind.Null, answer["study"].ValueKind);

        var jobs = await api.Http.SweepJobs(answer.Id);
        Assert.Equal(["mine · as it is · seed 7", "mine · changed · seed 7",
            "mine · as it is · seed -3", "mine · changed · seed -3"],
            jobs.Select(job => job.Text("name")));
        Assert.All(jobs, job => Assert.Equal(answer.Id, job.Text("sweepId")));
        Assert.All(jobs, job => Assert.Equal("low", job.GetProperty("spec").Text("priority")));
        Assert.Equal([7, 7, -3, -3], jobs.Select(job => job.GetProperty("spec").GetProperty("training").GetProperty("seed").GetInt32()));
        var (asItIs, changed) = (jobs[0].GetProperty("spec").GetProperty("model"), jobs[1].GetProperty("spec").GetProperty("model"));
        Assert.Equal(("elu", 2, 0.5), (asItIs.GetProperty("activation").Text("name"),
            asItIs.GetProperty("activation").GetProperty("alpha").GetDouble(), asItIs.GetProperty("dropout").GetDouble()));
        Assert.Equal(("tanh", 0, "[4,4]"), (changed.GetProperty("activation").Text("name"), changed.GetProperty("dropout").GetDouble(),
            changed.GetProperty("hiddenLayers").ToString().Replace(" ", "", StringComparison.Ordinal)));
        Assert.Equal("""{"who":"b"}""", jobs[1].GetProperty("labels").ToString().Replace(" ", "", StringComparison.Ordinal));
        var same = await api.Http.GetAnswer($"/api/v1/jobs?sweepId={answer.Id}&orderBy=createdAt&limit=500");
        Assert.Equal(jobs.Select(job => job.Text("id")), same.Json.List("items").Select(job => job.Text("id")));
    }

    [Fact]
    public async Task Defaults_are_filled_in_and_the_resolved_spec_can_be_posted_again()
    {
        var answer = await Post("""{BASE, "arms": ARMS}""");
        Assert.Equal(202, answer.Status);
        var spec = answer["spec"];
        Assert.Equal("[1,2,3,4,5,6]", JsonSerializer.Serialize(spec.GetProperty("seeds")));
        Assert.Equal(("testAccuracy", "relu", 0.005), (spec.Text("metric"), spec.Text("baseline"), spec.GetProperty("delta").GetDouble()));
        Assert.Equal("""[{"arm":"tanh","baseline":"relu"}]""", JsonSerializer.Serialize(spec.GetProperty("contrasts")));
        var again = await Post(spec.ToString());
        Assert.Equal(202, again.Status);
        Assert.True(JsonElement.DeepEquals(spec, again["spec"]), $"{spec}\n{again["spec"]}");
        Assert.NotEqual(answer.Id, again.Id);
    }

    [Fact]
    public async Task A_grid_is_every_combination_named_after_its_values()
    {
        var answer = await Post("""
            {BASE, "seedCount": 1,
             "grid": {"/training/optimizer/learningRate": [0.1, 0.2],
                      "/training/optimizer": ["sgd", {"name": "adam", "beta1": 0.5}], "/model/hiddenLayers": [[4], [4, 4]]},
             "baseline": "learningRate=0.2, adam(beta1=0.5), hiddenLayers=[4]"}
            """);
        Assert.True(answer.Status == 202, answer.Text);
        Assert.Equal(
            ["learningRate=0.1, sgd, hiddenLayers=[4]", "learningRate=0.1, sgd, hiddenLayers=[4,4]",
             "learningRate=0.1, adam(beta1=0.5), hiddenLayers=[4]", "learningRate=0.1, adam(beta1=0.5), hiddenLayers=[4,4]",
             "learningRate=0.2, sgd, hiddenLayers=[4]", "learningRate=0.2, sgd, hiddenLayers=[4,4]",
             "learningRate=0.2, adam(beta1=0.5), hiddenLayers=[4]", "learningRate=0.2, adam(beta1=0.5), hiddenLayers=[4,4]"],
            answer["spec"].List("arms").Select(arm => arm.Text("name")));
        // A rate beside an optimizer keeps both, whichever is named first.
        var optimizers = (await api.Http.SweepJobs(answer.Id))
            .Select(job => job.GetProperty("spec").GetProperty("training").GetProperty("optimizer"))
            .Select(o => $"{o.Text("name")} {o.GetProperty("learningRate").GetDouble().ToString(CultureInfo.InvariantCulture)}").ToList();
        Assert.Equal(["sgd 0.1", "sgd 0.1", "adam 0.1", "adam 0.1", "sgd 0.2", "sgd 0.2", "adam 0.2", "adam 0.2"], optimizers);
    }

    [Fact]
    public async Task Equal_arms_share_jobs_unless_their_labels_differ()
    {
        var shared = await Post("""
            {BASE, "seedCount": 2,
             "arms": [{"name": "a"}, {"name": "b", "patch": {}}, {"name": "c", "patch": {"model": {"activation": "relu"}}}]}
            """);
        Assert.Equal((202, 6, 2), (shared.Status, shared["cells"].GetInt32(), shared.Json.Count("queued")));
        var apart = await Post("""{BASE, "seedCount": 2, "arms": [{"name": "a"}, {"name": "b", "patch": {"labels": {"x": "1"}}}]}""");
        Assert.Equal((202, 4), (apart.Status, apart.Json.Count("queued")));
    }

    [Fact]
    public async Task Tuning_begins_with_its_trials()
    {
        var answer = await Post("""
            {BASE,
             "arms": [{"name": "sgd", "patch": {"training": {"optimizer": "sgd"}}},
                      {"name": "adam", "patch": {"training": {"optimizer": "adam"}}}],
             "tune": {"/training/optimizer/learningRate": [0.1, 0.01, 0.001]}, "seedCount": 4}
            """);
        Assert.True(answer.Status == 202, answer.Text);
        // 2 arms x 4 seeds, each of which tries 3 rates
        Assert.Equal((8, 24), (answer["cells"].GetInt32(), answer.Json.Count("queued")));
        Assert.False(answer["spec"].TryGetProperty("tuneSeedCount", out _));
        var specs = (await api.Http.SweepJobs(answer.Id)).Select(job => job.GetProperty("spec").GetProperty("training")).ToList();
        Assert.Equal(["sgd", "adam"], specs.Select(t => t.GetProperty("optimizer").Text("name")).Distinct());
        Assert.Equal([1, 2, 3, 4], specs.Select(t => t.GetProperty("seed").GetInt32()).Distinct());
        // seed by seed, so that pairs are complete early
        Assert.Equal([.. Enumerable.Range(0, 24).Select(i => 1 + i / 6)], specs.Select(t => t.GetProperty("seed").GetInt32()));
    }

    [Theory]
    [InlineData("{BASE}", "perSeed")]
    [InlineData("""{BASE, "testSplit": "fixed"}""", "fixed")]
    [InlineData("""{"base": {"dataset": {"name": "iris", "testSplit": "fixed"}}}""", "fixed")]
    [InlineData("""{"base": {"dataset": {"name": "iris", "testSplit": "perSeed"}}, "testSplit": "perSeed"}""", "perSeed")]
    public async Task Each_seed_draws_its_own_test_rows_unless_there_are_many_or_the_request_says_otherwise(string body, string split)
    {
        var answer = await Post(body);
        Assert.True(answer.Status == 202, answer.Text);
        Assert.Equal(split, answer["spec"].Text("testSplit"));
        Assert.All(await api.Http.SweepJobs(answer.Id), job =>
            Assert.Equal(split, job.GetProperty("spec").GetProperty("dataset").Text("testSplit")));
    }

    [Theory]
    [InlineData("""{BASE, "arms": ARMS, "seedCount": 5}""",
        "With 5 seeds no difference can be significant: the least possible p is 0.0625")]
    [InlineData("""{BASE, "arms": ARMS, "seedCount": 5}""", "It takes at least 6 seeds.")]
    [InlineData("""{BASE, "grid": {"/model/activation": ["relu", "elu", "tanh", "selu"]}}""",
        "With 6 seeds and 3 contrasts no difference can be significant: the least possible adjusted p is 0.0938. "
        + "It takes at least 7 seeds.")]
    [InlineData("""{BASE, "arms": ARMS, "seedCount": 2}""", "Nor can equivalence be shown, which takes 5 seeds.")]
    [InlineData("""{BASE, "arms": ARMS, "seedCount": 9}""",
        "is less than two of the 30 test rows, one of which is worth 3.33 points")]
    [InlineData("""{BASE, "arms": ARMS, "testSplit": "fixed"}""", "tested on the same 30 rows")]
    [InlineData("""{BASE, "arms": ARMS, "tune": {"/training/epochs": [1, 2]}}""", "Each seed tunes on 12 validation rows")]
    public async Task What_it_can_not_find_out_is_said_before_it_runs(string body, string words)
    {
        var answer = await Post(body);
        Assert.True(answer.Status == 202, answer.Text);
        Assert.Contains(words, string.Join("\n", answer.Json.List("warnings")), StringComparison.Ordinal);
        Assert.Equal(answer["warnings"].ToString(), (await api.Http.GetSweep(answer.Id))["warnings"].ToString());
    }

    [Fact]
    public async Task There_is_no_warning_where_it_can_find_out()
    {
        var answer = await Post("""
            {"base": {"dataset": {"name": "digits", "validationFraction": 0.15}}, "arms": ARMS, "seedCount": 8, "delta": 0.01,
             "tune": {"/training/optimizer/learningRate": [0.01, 0.1]}}
            """);
        Assert.Empty(answer.Json.List("warnings"));
        Assert.Empty((await Post("""{BASE, "seedCount": 1}""")).Json.List("warnings"));
    }

    [Fact]
    public async Task Numbers_are_compared_by_rmse_with_a_delta_of_ones_own()
    {
        var answer = await Post("""{"base": {"dataset": "friedman1"}, "arms": ARMS, "delta": 0.1, "seedCount": 2}""");
        Assert.Equal((202, "testRmse"), (answer.Status, answer["spec"].Text("metric")));
        var single = await Post("""{"base": {"dataset": "friedman1"}, "seedCount": 2}""");
        Assert.Equal((202, "base"), (single.Status, single["spec"].List("arms").Single().Text("name")));
    }

    [Theory]
    [InlineData("""{}""", "/base", "'base' is required")]
    [InlineData("""{"base": null}""", "/base", "must not be null")]
    [InlineData("""{"base": {}}""", "/base/dataset", "required")]
    [InlineData("""{BASE, "arm": []}""", "/arm", "did you mean 'arms'")]
    [InlineData("""{BASE, "name": " "}""", "/name", "1 to 200 characters")]
    [InlineData("""{"base": {"dataset": "iriss"}}""", "/base/dataset/name", "did you mean 'iris'")]
    [InlineData("""{"base": {"dataset": "iris", "model": {"activation": "leaky_rely"}}}""",
        "/base/model/activation", "did you mean 'leaky_relu'")]
    [InlineData("""{"base": {"dataset": "iris", "model": {"activation": "leaky_rely"}}, "arms": [{"name": "a"}, {"name": "b"}]}""",
        "/base/model/activation", "did you mean 'leaky_relu'")]
    [InlineData("""{BASE, "arms": []}""", "/arms", "at least one arm")]
    [InlineData("""{BASE, "arms": [{"name": "a"}, {"name": "b", "patch": {"model": {"activation": "leaky_rely"}}}]}""",
        "/arms/1/patch/model/activation", "did you mean 'leaky_relu'")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": {"modle": {}}}]}""", "/arms/0/patch/modle", "did you mean 'model'")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": {"dataset": null}}]}""", "/arms/0/patch/dataset", "required")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": {"model": {"hiddenLayers": [0]}}}]}""", "/arms/0/patch/model/hiddenLayers/0", "")]
    [InlineData("""{BASE, "arms": [{"name": "a", "pach": {}}]}""", "/arms/0/pach", "did you mean 'patch'")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": []}]}""", "/arms/0/patch", "must be an object")]
    [InlineData("""{BASE, "arms": [{"patch": {}}]}""", "/arms/0/name", "required")]
    [InlineData("""{BASE, "arms": [{"name": ""}]}""", "/arms/0/name", "1 to 100 characters")]
    [InlineData("""{BASE, "arms": [{"name": "a"}, {"name": "a"}]}""", "/arms/1/name", "another arm 'a'")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": {"training": {"seed": 3}}}]}""", "/arms/0/patch/training/seed", "seedCount")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": {"name": "x"}}]}""", "/arms/0/patch/name", "give the arm a name")]
    [InlineData("""{BASE, "arms": [{"name": "a", "patch": {"priority": "high"}}]}""", "/arms/0/patch/priority", "belongs into 'base'")]
    [InlineData("""{BASE, "arms": [{"name": "a"}, {"name": "b", "patch": {"dataset": "friedman1"}}]}""",
        "/arms/1/patch/dataset", "can't be compared")]
    [InlineData("""{BASE, "arms": [{"name": "a"}, {"name": "b", "patch": {"dataset": {"name": "wine"}}}]}""",
        "/arms/1/patch/dataset", "arm 'b' trains on 'wine' and 'a' on 'iris'")]
    [InlineData("""{BASE, "metric": "sparsity", "grid": {"/dataset": ["iris", "wine"]}}""", "/grid/~1dataset", "can't be compared")]
    [InlineData("""{BASE, "grid": {"/dataset/name": ["iris", "wine"]}}""", "/grid/~1dataset~1name", "a sweep for each data set")]
    [InlineData("""{BASE, "tune": {"/dataset/name": ["iris", "wine"]}}""", "/tune/~1dataset~1name", "the data can't be tuned")]
    [InlineData(
        """{BASE, "metric": "testLoss", "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"labelSmoothing": 0.1}}}]}""",
        "/metric", "labelSmoothing is 0.1 against 0); did you mean the metric 'testAccuracy'?")]
    [InlineData("""{BASE, "metric": "trainLoss", "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"loss": "mse"}}}]}""",
        "/metric", "loss is \"mse\" against \"cross_entropy\"")]
    [InlineData("""
        {"base": {"dataset": "friedman1", "training": {"loss": "huber"}}, "metric": "validationLoss",
         "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"huberDelta": 2}}}, {"name": "c"}],
         "contrasts": [{"arm": "c", "baseline": "a"}, {"arm": "b", "baseline": "a"}]}
        """, "/contrasts/1", "huberDelta is 2 against 1); did you mean the metric 'testRmse'?")]
    [InlineData("""{"base": {"dataset": {"name": "iris", "testSplit": "fixed"}}, "testSplit": "perSeed"}""", "/testSplit", "leave one of")]
    [InlineData("""{BASE, "testSplit": "perSeeds"}""", "/testSplit", "must be one of fixed, perSeed")]
    [InlineData("""{BASE, "arms": [{"name": "a"}, {"name": "b", "patch": {"dataset": {"testSplit": "perSeed"}}}]}""",
        "/arms/1/patch/dataset/testSplit", "give 'testSplit' beside 'base'")]
    [InlineData("""{BASE, "grid": {"/dataset/testSplit": ["perSeed", "fixed"]}}""", "/grid/~1dataset~1testSplit", "the same for all arms")]
    [InlineData("""{BASE, "metric": "testLoss", "tune": {"/training/labelSmoothing": [0, 0.1]}}""",
        "/tune/~1training~1labelSmoothing", "chooses by the validation loss")]
    [InlineData("""{BASE, "metric": "sparsity", "tune": {"/training": [{"loss": "mse"}, {}]}}""",
        "/tune/~1training", "tuning for 'sparsity' chooses by the validation loss")]
    [InlineData("""
        {"base": {"dataset": "iris", "training": {"optimizer": {"name": "sgd", "nesterov": true}}},
         "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"optimizer": {"momentum": 0}}}}]}
        """,
        "/base/training/optimizer/nesterov", "in arm 'b'")]
    [InlineData("""{BASE, "arms": [{"name": "a"}], "grid": {"/model/activation": ["relu"]}}""", "/grid", "exclude each other")]
    [InlineData("""{BASE, "grid": {}}""", "/grid", "at least one JSON pointer")]
    [InlineData("""{BASE, "grid": {"/model/activation": []}}""", "/grid/~1model~1activation", "at least one value")]
    [InlineData("""{BASE, "grid": {"/model/activation": ["relu", "leaky_rely"]}}""",
        "/grid/~1model~1activation", "did you mean 'leaky_relu'")]
    [InlineData("""{BASE, "grid": {"/model/activation": ["relu", "leaky_rely"]}}""", "/grid/~1model~1activation", "in arm 'leaky_rely'")]
    [InlineData("""{BASE, "grid": {"/model/activation": ["relu", "relu"]}}""", "/grid", "would be called 'relu'")]
    [InlineData("""{BASE, "grid": {"/model/activatoin": ["relu"]}}""", "/grid/~1model~1activatoin", "did you mean 'activation'")]
    [InlineData("""{BASE, "grid": {"model.activation": ["relu"]}}""", "/grid/model.activation", "did you mean '/model/activation'")]
    [InlineData("""{BASE, "grid": {"/model/hiddenLayers/0": [4, 8]}}""", "/grid/~1model~1hiddenLayers~10", "give whole lists")]
    [InlineData("""{BASE, "grid": {"/training/seed": [1, 2]}}""", "/grid/~1training~1seed", "seedCount")]
    [InlineData("""{BASE, "grid": {"/priority": ["low"]}}""", "/grid/~1priority", "belongs into 'base'")]
    [InlineData("""{BASE, "grid": {"/training/epochs/deep": [1]}}""", "/grid/~1training~1epochs~1deep", "")]
    [InlineData("""{BASE, "seeds": []}""", "/seeds", "1 to 10,000")]
    [InlineData("""{BASE, "seeds": [1, 2, 1]}""", "/seeds", "no further evidence")]
    [InlineData("""{BASE, "seeds": [1.5]}""", "/seeds/0", "whole number")]
    [InlineData("""{BASE, "seeds": [1], "seedCount": 1}""", "/seedCount", "exclude each other")]
    [InlineData("""{BASE, "seedCount": 0}""", "/seedCount", "from 1 to 10,000")]
    [InlineData("""{BASE, "seedCount": 2147483647}""", "/seedCount", "from 1 to 10,000")]
    [InlineData("""{BASE, "seedCount": 5001, "arms": [{"name": "a"}, {"name": "b"}]}""", "", "10,002 cells")]
    [InlineData("""{BASE, "seeds": 5}""", "/seeds", "a list or an object")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decidid"}}""", "/seeds/until", "did you mean 'decided'")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"atMost": 12}}""", "/seeds/until", "required")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided", "atlest": 6}}""", "/seeds/atlest", "did you mean 'atLeast'")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided", "atLeast": 61, "atMost": 60}}""",
        "/seeds/atLeast", "at most 'atMost' (60)")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided", "atLeast": 1}}""", "/seeds/atLeast", "from 2 to 10,000")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided", "atMost": 10001}}""", "/seeds/atMost", "from 2 to 10,000")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided", "atMost": 5001}}""", "", "10,002 cells")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided"}, "seedCount": 6}""", "/seedCount", "exclude each other")]
    [InlineData("""{BASE, "seeds": {"until": "decided"}}""", "/seeds", "nothing to decide")]
    [InlineData("""{BASE, "arms": ARMS, "seeds": {"until": "decided"}, "budgetSeconds": 0}""", "/budgetSeconds", "above 0")]
    [InlineData("""{BASE, "arms": ARMS, "seedCount": 6, "budgetSeconds": 5}""", "/budgetSeconds", "given seeds all run")]
    [InlineData("""{BASE, "tune": {"/training/optimizer/learningRate": [0.1, -1]}}""",
        "/tune/~1training~1optimizer~1learningRate", "must be > 0")]
    [InlineData("""{BASE, "tune": {}}""", "/tune", "at least one JSON pointer")]
    [InlineData("""{BASE, "tune": {"/training/batchSize": [8]}, "tuneSeedCount": 2}""", "/tuneSeedCount", "tuning is per seed now")]
    [InlineData("""{BASE, "tune": {"/training/batchSize": [8, 16]}, "seedCount": 5001}""",
        "", "10,002 cells (arms times seeds times 2 tuned")]
    [InlineData("""{BASE, "tune": {"/training/batchSize": [8]}, "arms": [{"name": "a", "patch": {"training": {"batchSize": 4}}}]}""",
        "/arms/0/patch/training/batchSize", "is tuned")]
    [InlineData("""{BASE, "tune": {"/training/batchSize": [8]}, "grid": {"/training/batchSize": [4]}}""",
        "/tune/~1training~1batchSize", "varied by 'grid'")]
    [InlineData("""{"base": {"dataset": {"name": "iris", "validationFraction": 0}}, "tune": {"/training/batchSize": [8, 16]}}""",
        "/base/dataset/validationFraction", "tuning chooses by validation rows")]
    [InlineData("""{"base": {"dataset": {"name": "iris", "validationFraction": 0}}, "metric": "validationLoss"}""",
        "/metric", "validationFraction")]
    [InlineData("""{BASE, "metric": "testAcuracy"}""", "/metric", "did you mean 'testAccuracy'")]
    [InlineData("""{BASE, "metric": "testRmse"}""", "/metric", "not measured on this data")]
    [InlineData("""{"base": {"dataset": "friedman1"}, "metric": "testAccuracy"}""", "/metric", "not measured on this data")]
    [InlineData("""{"base": {"dataset": "friedman1"}, "arms": [{"name": "a"}, {"name": "b"}]}""", "/delta", "required for 'testRmse'")]
    [InlineData("""{BASE, "delta": 0}""", "/delta", "above 0")]
    [InlineData("""{BASE, "delta": 5}""", "/delta", "did you mean 0.05")]
    [InlineData("""{BASE, "baseline": "bse"}""", "/baseline", "did you mean 'base'")]
    [InlineData("""{BASE, "contrasts": [{"arm": "bass", "baseline": "base"}]}""", "/contrasts/0/arm", "did you mean 'base'")]
    [InlineData("""{BASE, "contrasts": [{"arm": "base", "baseline": "x"}]}""", "/contrasts/0/baseline", "there are base")]
    [InlineData("""{BASE, "contrasts": [{"arm": "base", "baseline": "base"}]}""", "/contrasts/0", "with itself")]
    [InlineData(
        """{BASE, "arms": [{"name": "a"}, {"name": "b"}], "contrasts": [{"arm": "a", "baseline": "b"}, {"arm": "a", "baseline": "b"}]}""",
        "/contrasts/1", "already")]
    public async Task What_breaks_a_rule_is_refused_where_it_stands_and_nothing_is_stored(string body, string pointer, string words)
    {
        var before = await Stored();
        var answer = await Post(body);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(words, string.Join("\n", answer["errors"].GetProperty(pointer).EnumerateArray()), StringComparison.Ordinal);
        Assert.Equal(before, await Stored());
    }

    [Theory]
    [InlineData(
        """{BASE, "metric": "testAccuracy", "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"labelSmoothing": 0.1}}}]}""")]
    [InlineData("""{BASE, "metric": "testAccuracy", "tune": {"/training/labelSmoothing": [0, 0.1]}}""")]
    [InlineData("""{BASE, "metric": "trainLoss", "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"activityL1": 0.1}}}]}""")]
    [InlineData(
        """{BASE, "metric": "testLoss", "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"loss": "cross_entropy"}}}]}""")]
    [InlineData("""
        {BASE, "metric": "testLoss", "contrasts": [{"arm": "b", "baseline": "a"}],
         "arms": [{"name": "a"}, {"name": "b", "patch": {"training": {"epochs": 3}}},
                  {"name": "c", "patch": {"training": {"loss": "mse"}}}]}
        """)]
    [InlineData("""{BASE, "arms": [{"name": "a"}, {"name": "b", "patch": {"dataset": {"maxTrainExamples": 40}}}]}""")]
    public async Task What_can_be_compared_is_accepted(string body) => Assert.Equal(202, (await Post(body)).Status);

    [Fact]
    public async Task A_thousand_comparisons_of_arms_that_are_not_there_are_refused_with_a_few_hints()
    {
        string Name(char first, int n) => $"{first}{new string('x', 90)}{n}";
        var arms = string.Join(", ", Enumerable.Range(0, 1000).Select(n => $$"""{"name": "{{Name('a', n)}}"}"""));
        var contrasts = string.Join(", ",
            Enumerable.Range(0, 1000).Select(n => $$"""{"arm": "{{Name('b', n)}}", "baseline": "{{Name('c', n)}}"}"""));
        var answer = await Post($$"""{{{Base}}, "arms": [{{arms}}], "contrasts": [{{contrasts}}], "seeds": [1]}""");
        answer.MustBeProblem(400, "validation");
        var messages = answer["errors"].EnumerateObject().Select(e => e.Value[0].GetString()!).ToList();
        Assert.Equal(50, messages.Count);
        Assert.Equal(20, messages.Count(message => message.Contains("did you mean", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_long_base_is_not_stored_for_each_of_many_arms()
    {
        var layers = string.Join(", ", Enumerable.Repeat("""{"type": "dense", "units": 4, "activation": "relu"}""", 2000));
        var answer = await Post($$$"""
            {"base": {"dataset": "iris", "model": {"layers": [{{{layers}}}]}}, "seeds": [1],
             "grid": {"/training/epochs": [{{{string.Join(", ", Enumerable.Range(1, 1000))}}}]}}
            """);
        answer.MustBeProblem(400, "validation");
        Assert.Contains("at most 50 MB are allowed", answer.Error("/base"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_than_a_thousand_arms_are_refused()
    {
        var list = string.Join(", ", Enumerable.Range(1, 40).Select(n => $"{n}"));
        var answer = await Post("""{BASE, "seedCount": 1, "grid": {"/training/batchSize": [LIST], "/training/epochs": [LIST]}}""".Replace(
            "LIST", list, StringComparison.Ordinal));
        answer.MustBeProblem(400, "validation");
        Assert.Contains("at most 1,000 arms", answer.Error("/grid"), StringComparison.Ordinal);
        var many = await Post("""
            {BASE, "seedCount": 1,
             "tune": {"/training/batchSize": [LIST], "/training/epochs": [LIST], "/training/optimizer/weightDecay": [LIST]}}
            """.Replace("LIST", list, StringComparison.Ordinal));
        Assert.Contains("64,000 combinations", many.Error("/tune"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_idempotency_key_makes_one_sweep()
    {
        var key = ("Idempotency-Key", Guid.NewGuid().ToString());
        var body = """{BASE, "seedCount": 2}""";
        var first = await Post(body, key);
        var before = await Stored();
        var second = await Post(body, key);
        Assert.Equal((202, 202, first.Text), (first.Status, second.Status, second.Text));
        Assert.Equal("true", second.Headers.GetValues("Idempotency-Replayed").Single());
        Assert.Equal(first.Headers.Location, second.Headers.Location);
        (await Post("""{BASE, "seedCount": 3}""", key)).MustBeProblem(422, "idempotency-key-reused");
        Assert.Equal(before, await Stored());
    }

    private Task<Answer> Post(string body, params (string Name, string Value)[] headers) => api.Http.PostSweep(
        body.Replace("BASE", Base, StringComparison.Ordinal).Replace("ARMS", SweepClient.ReluAndTanh, StringComparison.Ordinal), headers);

    private async Task<(int Sweeps, int Cells, int Jobs)> Stored()
    {
        await using var db = api.NewDbContext();
        return (await db.Sweeps.CountAsync(), await db.SweepCells.CountAsync(), await db.Jobs.CountAsync());
    }
}
