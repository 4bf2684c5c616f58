using System.Text.Json;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Reports;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Tests.Sweeps;

/// <summary>When a sweep that runs until decided asks for more seeds, and when not.</summary>
public sealed class SweepLooksTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(6, 6, 60, 9)]
    [InlineData(9, 6, 60, 12)]
    [InlineData(12, 6, 60, 16)]
    [InlineData(30, 6, 60, 40)]
    [InlineData(54, 6, 60, 60)]
    [InlineData(44, 6, 60, 60)]     // 59, and one left: it joins
    [InlineData(20, 20, 60, 30)]
    [InlineData(2, 2, 3, 3)]
    public void Batches_grow_and_the_last_is_not_a_small_one(int seeds, int atLeast, int atMost, int next) =>
        Assert.Equal(next, SweepLooks.Next(seeds, atLeast, atMost));

    [Fact]
    public void A_plain_difference_is_decided_as_soon_as_its_signs_allow()
    {
        var (plan, looks) = Run((arm, seed) => arm == 0 ? 0.8 + 0.001 * (seed % 3) : 0.9);
        Assert.Equal(SweepStop.Decided, plan.Stopped);
        // The least p of n seeds must be below what may be spent by then: 2^-9 at 10 of 60 seeds.
        Assert.Equal([6, 9, 12], looks);
        Assert.Equal((1, 1), (plan.Looks[^1].Decided, plan.Looks[^1].Of));
        Assert.Equal([0, 0], plan.Looks.SkipLast(1).Select(look => look.Decided));
    }

    [Fact]
    public void Arms_that_agree_are_equivalent_and_that_decides_too()
    {
        var (plan, _) = Run((arm, seed) => 0.9 + 0.01 * (seed % 5) + (arm == 0 ? 0 : 0.001 * (seed % 3 - 1)));
        Assert.Equal(SweepStop.Decided, plan.Stopped);
        Assert.InRange(plan.Seeds.Count, 6, 16);
    }

    [Fact]
    public void What_can_not_be_decided_is_given_up_early_and_not_at_the_last_seed()
    {
        // A spread of twelve times delta about zero: 60 seeds have a standard error of one and a half.
        var (plan, _) = Run((arm, seed) => 0.8 + (arm == 0 ? 0 : 0.06 * (seed % 2 == 0 ? 1 : -1) + 0.0001 * seed));
        Assert.Equal(SweepStop.Hopeless, plan.Stopped);
        Assert.InRange(plan.Seeds.Count, 6, 40);
    }

    [Fact]
    public void Where_no_number_of_seeds_decides_what_is_open_the_note_says_so()
    {
        // One arm is plainly better; the spread of two others is twelve times delta, and a third of it stays with any number of seeds.
        double Accuracy(int arm, long seed) => 0.6 + 0.001 * (seed % 5)
            + (arm == 1 ? 0.2 : arm > 1 ? (seed % 2 == 0 ? 1 : -1) * (0.06 + 0.001 * (seed * arm % 5)) : 0);
        var rows = new RowCounts(900, 0, 100);
        var (plan, _) = Run((arm, seed) => Accuracy(arm, seed), arms: 4, rows: rows);
        var cells = Cells(plan, (arm, seed) => Accuracy(arm, seed));
        var results = SweepContrasts.Judge(plan, cells);
        Assert.Equal((SweepStop.Hopeless, 2), (plan.Stopped, results.Count(one => one.BeyondSeeds)));
        Assert.InRange(plan.Seeds.Count, 12, 22);
        var note = Note(plan, cells);
        Assert.StartsWith($"The sweep stopped with {plan.Seeds.Count} of at most 60 seeds: 1 of 3 comparisons decided. The other two "
            + "can't be decided by more seeds of these rows, as far as the intervals allow for the training rows that seeds share",
            note, StringComparison.Ordinal);
        // With a fixed split enough seeds decide anything; it is just that 60 aren't enough.
        var (few, _) = Run((arm, seed) => arm == 1 ? null : Accuracy(arm, seed), arms: 3);
        var others = Cells(few, (arm, seed) => arm == 1 ? null : Accuracy(arm, seed));
        Assert.Equal((SweepStop.Hopeless, 1), (few.Stopped, SweepContrasts.Judge(few, others).Count(one => one.BeyondSeeds)));
        Assert.Contains(": 0 of 2 comparisons decided. They have, as far as the spread between seeds tells, a chance below 5 % each to be "
            + "decided with 60 seeds.", Note(few, others), StringComparison.Ordinal);
    }

    [Fact]
    public void One_open_comparison_with_a_chance_keeps_the_sweep_going()
    {
        // Beside the one that is hopeless, one that needs about 30 seeds.
        var (plan, _) = Run((arm, seed) => 0.8 + (seed % 2 == 0 ? 1 : -1) * (arm == 1 ? 0.06 : arm == 2 ? 0.012 + 0.0001 * (seed % 7) : 0),
            arms: 3);
        Assert.NotEqual(SweepStop.Decided, plan.Stopped);
        Assert.InRange(plan.Seeds.Count, 20, 60);
        Assert.Equal(1, plan.Looks[^1].Decided);
    }

    [Fact]
    public void The_budget_ends_it_after_the_batch_that_is_under_way()
    {
        var (plan, looks) = Run((arm, seed) => 0.8 + (arm == 0 ? 0 : 0.01 * (seed % 2 == 0 ? 1 : -1)), budgetSeconds: 25);
        Assert.Equal((SweepStop.Budget, 3), (plan.Stopped, looks.Count));   // 10 s a batch
    }

    [Fact]
    public void At_the_last_seed_it_ends_anyway()
    {
        var (plan, _) = Run((arm, seed) => 0.8 + (arm == 0 ? 0 : 0.011 * (seed % 2 == 0 ? 1.5 : -1) + 0.001), atMost: 10);
        Assert.Equal((SweepStop.AtMost, 10), (plan.Stopped, plan.Seeds.Count));
    }

    [Fact]
    public void Cells_without_an_outcome_are_no_reason_to_ask_for_more()
    {
        var (plan, _) = Run((_, _) => null);
        Assert.Equal((SweepStop.Hopeless, 6), (plan.Stopped, plan.Seeds.Count));
    }

    [Fact]
    public void Looking_twice_at_the_same_seeds_is_one_look()
    {
        var cells = Cells(Plan(), (arm, seed) => 0.8 + 0.01 * arm * (seed % 2));
        var once = SweepLooks.After(Plan(), cells, Now, TimeSpan.Zero, mayGrow: false);
        var again = SweepLooks.After(once, cells, Now.AddMinutes(1), TimeSpan.Zero, mayGrow: false);
        Assert.Equal(once.Looks, again.Looks);
        Assert.Single(once.Looks);
        Assert.Equal(once.Seeds, again.Seeds);
    }

    [Fact]
    public void Seeds_that_are_given_are_one_look_at_the_end_and_nothing_grows()
    {
        var plan = Plan() with { Until = null };
        var after = SweepLooks.After(plan, Cells(plan, (arm, seed) => 0.8 + 0.01 * arm * (seed % 2)), Now, TimeSpan.Zero, mayGrow: true);
        Assert.Equal((plan.Seeds.Count, null, 1.0), (after.Seeds.Count, after.Stopped, after.Looks.Single().Share));
    }

    [Fact]
    public void What_a_look_spent_is_told_and_so_is_what_is_left()
    {
        var plan = Plan() with { Looks = [new(12, Now, 0, 1, 0.25), new(30, Now, 1, 1, 0.5)], Seeds = SweepRules.Listed(30) };
        Assert.Equal([(12, 0.0125, 0.0375), (30, 0.025, 0.025)],
            SweepLookResponse.AllOf(plan).Select(look => (look.Seeds, look.AlphaSpent, look.AlphaLeft)));
        // Six seeds can't spend more than 1/32.
        var six = Plan() with { Until = null, Looks = [new(6, Now, 0, 1, 1)] };
        Assert.Equal((0.03125, 0.01875), SweepLookResponse.AllOf(six).Select(look => (look.AlphaSpent, look.AlphaLeft)).Single());
        var json = JsonSerializer.SerializeToElement(SweepLookResponse.AllOf(six)[0], Json.Options);
        Assert.Equal(["seeds", "at", "decided", "of", "alphaSpent", "alphaLeft"], json.EnumerateObject().Select(field => field.Name));
    }

    [Fact]
    public void The_stored_sweep_of_the_version_before_is_read_as_one_that_has_its_seeds()
    {
        var plan = JsonSerializer.Deserialize<SweepPlan>("""
            {"base": {"dataset": {"name": "iris"}}, "arms": [{"name": "a"}, {"name": "b"}], "seeds": [1, 2, 3], "metric": "testAccuracy",
             "baseline": "a", "delta": 0.005, "contrasts": [{"arm": "b", "baseline": "a"}]}
            """, Json.Options);
        Assert.NotNull(plan);
        Assert.Equal((null, 0, null), (plan.Until, plan.Looks.Count, plan.Stopped));
        Assert.Equal([1L, 2, 3], plan.ToSpec().Seeds?.List);
        var grown = Plan() with { Stopped = SweepStop.Decided, Looks = [new(6, Now, 1, 1, 0.1)] };
        var read = JsonSerializer.Deserialize<SweepPlan>(JsonSerializer.Serialize(grown, Json.Options), Json.Options);
        Assert.Equal((grown.Until, grown.Stopped, grown.Looks[0]), (read?.Until, read?.Stopped, read?.Looks[0]));
    }

    [Theory]
    [InlineData("testAccuracy", TestSplit.PerSeed, 0.3)]
    [InlineData("testAccuracy", TestSplit.Fixed, 0)]
    [InlineData("trainLoss", TestSplit.PerSeed, 0)]
    public void Intervals_allow_for_the_overlap_of_training_rows_where_test_rows_change_with_the_seed(string metric, TestSplit split,
        double testToTrain)
    {
        var plan = Plan() with { Until = null, TestSplit = split, Rows = new(1000, 100, 300), Metric = metric, Delta = 0.5 };
        Assert.Equal(testToTrain, plan.TestToTrain(plan.By), 1e-12);
        IReadOnlyList<CellResult> cells = [.. Cells(plan, (arm, seed) => 0.8 + 0.01 * arm * (seed % 3))
            .Select(cell => cell with { Result = cell.Result! with { TrainLoss = cell.Result.TestAccuracy ?? 0 } })];
        double Width(SweepPlan of) => SweepContrasts.Judge(of, cells)[0].Ci95 is [var low, var high] ? high - low : double.NaN;
        var widened = Width(plan) / Width(plan with { Rows = null });
        Assert.InRange(widened, Math.Sqrt(1 + plan.Seeds.Count * testToTrain) - 0.15, Math.Sqrt(1 + plan.Seeds.Count * testToTrain) + 0.15);
    }

    /// <summary>A whole sweep, batch by batch of ten seconds; answers its end and the seeds that it looked at.</summary>
    private static (SweepPlan Plan, IReadOnlyList<int> Looks) Run(Func<int, long, double?> accuracy, int arms = 2, int atMost = 60,
        double? budgetSeconds = null, RowCounts? rows = null)
    {
        var plan = Plan(arms, atMost) with
        {
            BudgetSeconds = budgetSeconds,
            Rows = rows,
            TestSplit = rows is null ? TestSplit.Fixed : TestSplit.PerSeed,
        };
        for (var batch = 1; plan.Stopped is null; batch++)
        {
            var run = TimeSpan.FromSeconds(10 * batch);
            plan = SweepLooks.After(plan, Cells(plan, accuracy), Now + run, run, mayGrow: true);
        }
        Assert.Equal(plan.Seeds.Count, plan.Looks[^1].Seeds);
        Assert.Equal(plan.Looks.Select(look => look.Share).Order(), plan.Looks.Select(look => look.Share));
        return (plan, [.. plan.Looks.Select(look => look.Seeds)]);
    }

    private static string Note(SweepPlan plan, IReadOnlyList<CellResult> cells) =>
        LookNotes.Of(new() { Spec = plan, Status = JobStatus.Succeeded }, cells, SweepContrasts.Judge(plan, cells)).First();

    private static SweepPlan Plan(int arms = 2, int atMost = 60) => new()
    {
        Base = new() { Dataset = new() { Name = "iris" } },
        Arms = [.. Enumerable.Range(0, arms).Select(arm => new ArmSpec { Name = $"a{arm}" })],
        Seeds = SweepRules.Listed(6),
        Until = new() { Until = UntilSpec.Decided, AtLeast = 6, AtMost = atMost },
        Metric = "testAccuracy",
        Baseline = "a0",
        Delta = 0.005,
        Contrasts = [.. Enumerable.Range(1, arms - 1).Select(arm => new ContrastSpec { Arm = $"a{arm}", Baseline = "a0" })],
    };

    /// <summary>A look reads no layers where the sweep's metric has a better side.</summary>
    [Fact]
    public void Only_metrics_without_a_better_side_are_of_layers()
    {
        var result = new TrainingResult
        {
            TrainLoss = 1,
            ValidationLoss = 1,
            TestLoss = 1,
            TrainAccuracy = 1,
            ValidationAccuracy = 1,
            TestAccuracy = 1,
            BalancedAccuracy = 1,
            ValidationBalancedAccuracy = 1,
            TrainRmse = 1,
            ValidationRmse = 1,
            TestRmse = 1,
            TrainR2 = 1,
            ValidationR2 = 1,
            TestR2 = 1,
            Seconds = 1,
            FastestEpochSeconds = 1,
            WeightsSha256 = "",
        };
        var cell = new CellResult(0, -1, 1, Guid.Empty, JobStatus.Succeeded, null, 1, result, [], [], []);
        Assert.All(SweepMetrics.All.Where(metric => metric.Outcome.HigherIsBetter is not null), metric => Assert.NotNull(metric.Of(cell)));
    }

    private static IReadOnlyList<CellResult> Cells(SweepPlan plan, Func<int, long, double?> accuracy) =>
        [.. from arm in Enumerable.Range(0, plan.Arms.Count)
            from seed in plan.Seeds
            let value = accuracy(arm, seed)
            select new CellResult(arm, -1, seed, Guid.Empty, value is null ? JobStatus.Failed : JobStatus.Succeeded, null, 1,
                value is null ? null : new TrainingResult { TestAccuracy = (float)value, WeightsSha256 = "" }, [], [], [])];
}
