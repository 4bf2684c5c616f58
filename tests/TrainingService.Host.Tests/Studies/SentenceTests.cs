using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Tests.Studies;

/// <summary>What the answers and the evidence say, in worlds in which something else would be easy to say.</summary>
public sealed class SentenceTests
{
    private const string Main = "relu-vs-leaky-relu", Leaky = "leaky_relu 0.01";

    /// <summary>Half a per cent of ReLU's units can't fall by a whole one: that both are the same was to be expected.</summary>
    [Theory]
    [InlineData(0.005, Verdict.Inconclusive)]
    [InlineData(0.05, Verdict.Refuted)]
    public void Equal_shares_refute_that_one_is_smaller_only_if_it_could_have_been(double off, Verdict verdict)
    {
        var b = World.Read(Main, (_, noise) => new(Off: off + 0.001 * Math.Tanh(noise))).Statement("C1b");
        Assert.Equal(verdict, b.Verdict);
        Assert.Equal(verdict == Verdict.Inconclusive,
            b.Evidence.Contains(" %, so that it could not have been lower by 1 point.", StringComparison.Ordinal));
    }

    /// <summary>An accuracy of 99.5 % can't be beaten by a point, and a gap of half a point can't close by one.</summary>
    [Fact]
    public void At_the_ceiling_nothing_is_refuted()
    {
        Assert.Equal(Verdict.Inconclusive,
            World.Read("init-pairing", (_, noise) => new(Test: 0.995 + 0.001 * Math.Tanh(noise))).Statement("C10a").Verdict);
        var sparser = new Dictionary<string, Net> { ["l1 0.03"] = new() { Zeros = 0.8, Test = 0.985, Train = 0.99 } };
        Assert.Equal(Verdict.Inconclusive, new NetWorld(new SparsityKnee(),
            new(sparser) { ["no penalty"] = new() { Test = 0.985, Train = 0.99 } }, new() { Train = 0.5 })["C5b"].Verdict);
        // worse it could have been
        Assert.Equal(Verdict.Refuted, new NetWorld(new SparsityKnee(), new() { ["l1 0.1"] = new() { Zeros = 0.93, Test = 0.995 } },
            new() { Test = 0.995 })["C12b"].Verdict);
    }

    /// <summary>Half a point better on the mean, by 2.5 or -1.5 with a seed: a loss of a point is excluded, a gain is open.</summary>
    [Fact]
    public void Not_worse_is_said_without_saying_that_nothing_can_be_said()
    {
        var d = World.Read(Main, (arm, noise) => new(Test: arm == Leaky ? 0.905 + (noise > 0 ? 0.02 : -0.02) : 0.9), seeds: 24);
        var statement = d.Statement("C1d");
        Assert.Equal((Verdict.Supported, Verdict.Inconclusive), (statement.Verdict, d.Contrasts.Single(c => c.Arm == Leaky).Verdict));
        Assert.Contains("worse than relu by 1 point or more is excluded", statement.Evidence, StringComparison.Ordinal);
        Assert.DoesNotContain("can't be said", statement.Evidence, StringComparison.Ordinal);
        Assert.StartsWith("Leaky ReLU (0.01) is not worse by 1 point or more; whether it is better can't be "
            + "said.", d.Answer, StringComparison.Ordinal);
    }

    public static TheoryData<string> Studies => [.. StudyCatalog.All.Select(study => study.Name)];

    /// <summary>Whatever comes out on rows like those of digits, an answer is read in half a minute and says each doubt once.</summary>
    [Theory]
    [MemberData(nameof(Studies))]
    public void Answers_are_short_and_say_a_doubt_once(string study)
    {
        foreach (var spread in (double[])[0.0005, 0.01, 0.05])
        {
            var report = World.Read(study, (_, noise) => new(Test: 0.9 + spread * noise, EpochSeconds: 0.003 * Math.Exp(spread * noise)),
                seeds: 24, rows: World.Digits);
            Assert.InRange(report.Answer.Split(' ').Length, 10, study == Main ? 120 : 150);
            Assert.True(report.Answer.Split("More seeds would hardly decide").Length <= 2, report.Answer);
            foreach (var statement in report.Claims!.SelectMany(claim => claim.Statements))
                Assert.True(statement.Evidence.Split("No number of seeds is enough").Length <= 2, statement.Evidence);
        }
    }

    [Fact]
    public void A_doubt_about_several_comparisons_is_told_once_with_their_number()
    {
        var (texts, shared) = InShort.Once(["A is open: 1.0 (p = 1). More rows would be of help.", "b is better.",
            "C is open: 2.0. More rows would be of help."]);
        Assert.Equal(["A is open: 1.0 (p = 1).", "b is better.", "C is open: 2.0."], texts);
        Assert.Equal("Of 2 comparisons: More rows would be of help.", shared);
        Assert.Null(InShort.Once(["A is open.", "B is open."]).Shared);
    }

    [Fact]
    public void What_differs_from_comparison_to_comparison_stays_with_it()
    {
        string[] texts = ["A. Only 5 of 12 seeds tell the arms apart. More rows would be of help.", "B. Only 5 of 12 seeds tell the arms "
            + "apart."
            + " No number of seeds is enough.", "C. More rows would be of help.", "D. No number of seeds is enough."];
        var (own, shared) = InShort.Once(texts);
        Assert.Equal(["A. Only 5 of 12 seeds tell the arms apart.", "B. Only 5 of 12 seeds tell the arms apart.", "C.", "D."], own);
        Assert.Equal("Of 2 comparisons: More rows would be of help. Of 2 comparisons: No number of seeds is enough.", shared);
    }

    /// <summary>Slopes 0 and 0.01 have the same validation accuracy, and then the lower validation loss decides.</summary>
    [Fact]
    public void A_tie_is_not_broken_by_the_order_of_the_list()
    {
        var report = World.Read("slope-sweep", (arm, noise) => new(Test: 0.9 + 0.001 * noise, Validation: arm is "slope 0" or "slope 0.3"
            ? 0.95 : 0.9, ValidationLoss: arm == "slope 0.3" ? 0.2 : 0.3));
        Assert.StartsWith("The best fixed slope by validation accuracy, where slope 0 and slope 0.3 are tied, and then by validation "
            + "loss is "
            + "0.3.", report.Answer, StringComparison.Ordinal);
    }

    /// <summary>Iris: 105 rows in batches of 64, fifteen epochs.</summary>
    [Fact]
    public void Layers_of_a_short_run_are_measured_ten_times_at_least()
    {
        foreach (var study in StudyCatalog.All)
        {
            var job = study.Sweep(StudySize.Quick, "iris", null, 105).Base;
            var steps = 105 / job.Training!.BatchSize * job.Training.Epochs;
            Assert.InRange(job.Diagnostics?.EverySteps ?? 1, 1, Math.Max(1, steps / 10 ?? 1));
        }
        var large = StudyCatalog.Find(Main)!.Sweep(StudySize.Quick, "mnist", null, 60_000).Base;
        Assert.Equal(15 * (1000 / 64) / 10, large.Diagnostics?.EverySteps);
    }

    /// <summary>ReLU's own times stray by a third: that leaky ReLU is no slower is of the machine's making.</summary>
    [Fact]
    public void On_a_busy_machine_no_statement_is_judged_by_times()
    {
        var report = World.Read("activation-cost", (arm, noise) => new(EpochSeconds: arm == "relu" ? 0.02 * Math.Exp(0.3 * noise) : 0.012));
        Assert.StartsWith("The machine was busy: the times of relu alone stray by", report.Answer, StringComparison.Ordinal);
        Assert.Equal(Verdict.Inconclusive, report.Statement("C2a").Verdict);
        Assert.DoesNotContain("is excluded", report.Statement("C2a").Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void Comparisons_are_told_by_what_is_known_of_them()
    {
        var answer = World.Read("zero-centring", (arm, noise) => new(Test: 0.9 + arm switch
        {
            "selu" => 0.03 + 0.002 * noise,
            "tanh" => -0.03 + 0.002 * noise,
            "elu" => 0.05 * noise,
            Leaky => 0.004 + 0.0005 * noise,
            _ => 0.0005 * noise,
        }), seeds: 24).Answer;
        Assert.Matches(@"Better: selu \(\+[23](\.\d+)? points, [23](\.\d+)? to 3(\.\d+)?\)\. Worse: tanh \(−[23](\.\d+)? points", answer);
        Assert.Matches(@"Different, but by too little to matter: leaky_relu 0\.01 \(\+0\.\d+ points", answer);
        Assert.Matches(@"The same within 1 point \(90 % intervals\): leaky_relu 0\.2 \([+−]?0\.\d+ points.*Not decided: elu", answer);
        var times = World.Read("activation-cost", (arm, noise) => new(EpochSeconds: 0.003 * (arm == "gelu" ? 1.2 : 1)
            * Math.Exp(0.005 * noise))).Answer;
        Assert.Matches(@"Slower: gelu \(×1\.(19|2), 1\.\d+ to 1\.\d+\)\. The same within 5 % \(90 % intervals\): leaky_relu", times);
    }

    /// <summary>What is left of an arm of which most runs diverged is no share of its units.</summary>
    [Fact]
    public void Shares_are_told_with_the_runs_that_they_lack()
    {
        var answer = World.Read("dying-units", (arm, noise) => arm.EndsWith("1.5", StringComparison.Ordinal)
            ? new(Diverged: arm[0] == 'e' || noise > 0, Train: 0.1, Off: 0.4) : new()).Answer;
        Assert.Matches(@"At rate 1\.5: ReLU 40 % \(\d+ of 30 diverged, \d+ of 30 learned nothing\), leaky", answer);
        Assert.Contains("ELU none measured (all 30 diverged)", answer, StringComparison.Ordinal);
        Assert.Matches(@"rate 1\.5 \([^)]* with \d+ of 30 seeds[^)]*, \d+ of 30 runs diverged and \d+ of relu",
            answer);
    }

    /// <summary>Higher rank by more than matters, and a lower loss by less: the opposite of both is claimed.</summary>
    [Theory]
    [InlineData(0.06, Verdict.Refuted)]
    [InlineData(0.04, Verdict.Negligible)]
    public void What_lies_on_the_other_side_is_no_trifle_of_what_is_claimed(double leakyLoss, Verdict verdict)
    {
        var nets = new Dictionary<string, Net>
        {
            ["relu 32"] = new() { Zeros = 0.6, Rank = 25, Loss = 0.05, Dead = 0 },
            ["leaky_relu 32"] = new() { Zeros = 0, Rank = 20, Loss = leakyLoss, Dead = 0 },
        };
        Assert.Equal(verdict, new NetWorld(new Capacity(), nets)["C5a-32"].Verdict);
    }

    [Fact]
    public void Where_both_have_one_and_the_same_accuracy_the_share_of_such_seeds_is_not_called_an_accuracy()
    {
        Net chance = new() { Train = 0.102, Test = 0.1, Loss = 2.3, Noise = 0, Flow = null, DeadLayers = [1] };
        var b = new NetWorld(new DeadLayers(), new() { ["one layer dead"] = chance, ["all layers dead"] = chance }, layers: 3)["C9b"];
        Assert.Equal(("sameTestAccuracy", 1.0), (b.Metric, b.Effect));
    }

    [Fact]
    public void A_pairing_that_wins_at_some_depths_is_told_at_these()
    {
        var answer = World.Read("init-pairing", (arm, noise) => new(Test: arm is "relu kaiming_normal x3" or "relu kaiming_normal x30"
            ? 0.9 + 0.01 * noise : arm == "relu kaiming_normal x10" ? 0.8 + 0.1 * noise : 0.8 + 0.01 * noise)).Answer;
        Assert.StartsWith("All at learning rate 0.002. At 3 and 30 layers ReLU with Kaiming's initialisation beats ReLU with "
            + "Xavier's", answer,
            StringComparison.Ordinal);
        Assert.Contains("That tanh with Xavier's initialisation beats tanh with Kaiming's is shown at no depth", answer,
            StringComparison.Ordinal);
    }

    /// <summary>Those whose answer is no family of comparisons run all their seeds; the others stop when it is decided.</summary>
    [Fact]
    public void Studies_run_until_decided_but_for_curves_and_counts()
    {
        foreach (var study in StudyCatalog.All)
            foreach (var size in Enum.GetValues<StudySize>())
            {
                var sweep = study.Sweep(size, "digits", null);
                var until = sweep.Seeds?.Until;
                Assert.Equal(study.Name is "born-dead" or "slope-sweep", until is null);
                Assert.Equal(until is null, sweep.SeedCount is not null);
                // the first look can find something, and the last one comes soon enough
                if (until is not null)
                    Assert.InRange(until.AtLeast ?? 0, SeedCount.ForSignificance(sweep.Contrasts?.Count ?? 1), until.AtMost ?? 0);
            }
    }

    [Theory]
    [InlineData(1437, null, null)]
    [InlineData(60_000, 1000, 0.0083)]
    public void A_quick_study_takes_so_many_rows_of_large_data_that_it_stays_quick(int rows, int? train, double? validation)
    {
        var data = StudyCatalog.Find("zero-centring")!.Sweep(StudySize.Quick, "digits", null, rows).Base.Dataset;
        Assert.Equal((train, validation), (data.MaxTrainExamples, data.ValidationFraction));
        Assert.Equal(400, StudyCatalog.Find("dropout-vs-sparsity")!.Sweep(StudySize.Quick, "digits", null, 60_000)
            .Base.Dataset.MaxTrainExamples);
        Assert.Null(StudyCatalog.Find("zero-centring")!.Sweep(StudySize.Full, "digits", null, rows).Base.Dataset.MaxTrainExamples);
    }
}
