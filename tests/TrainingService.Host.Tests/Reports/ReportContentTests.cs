using TrainingService.Engine.Optimizers;
using TrainingService.Host.Datasets;
using TrainingService.Host.Reports;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Tests.Reports;

/// <summary>What tables and sentences of a report say, and what they had better not.</summary>
public sealed class ReportContentTests
{
    /// <summary>At the end of a cosine the rate is 0, and so is what the last step changed: that says nothing of the training.</summary>
    [Theory]
    [InlineData(null, true)]
    [InlineData("constant", true)]
    [InlineData("cosine", false)]
    public void The_update_ratio_at_the_end_is_shown_only_where_the_rate_lasts_till_then(string? schedule, bool shown)
    {
        var report = SampleReport.Of(2);
        var layer = new ArmLayer(0, "hidden1", new Dictionary<string, double> { ["sparsity"] = 0.5, ["updateRatio"] = 1e-9 });
        var spec = report.Provenance.Spec;
        report = report with
        {
            Arms = [.. report.Arms.Select(arm => arm with { Layers = [layer] })],
            Provenance = report.Provenance with
            {
                Spec = spec with
                {
                    Base = spec.Base with
                    {
                        Training = spec.Base.Training! with { Schedule = schedule is null ? null : new ScheduleSpec { Name = schedule } },
                    },
                },
            },
        };
        Assert.Equal(shown, Text(report).Contains("update ratio", StringComparison.Ordinal));
        var patched = report with
        {
            Provenance = report.Provenance with
            {
                Spec = report.Provenance.Spec with
                {
                    Arms = [new() { Name = "a", Patch = new Dictionary<string, object?> { ["training"] = new { schedule = "cosine" } } }],
                },
            },
        };
        Assert.DoesNotContain("update ratio", Text(patched), StringComparison.Ordinal);
    }

    [Fact]
    public void One_seed_is_not_told_as_many()
    {
        var report = SampleReport.Of(2);
        var text = Text(report with { Trials = [.. report.Trials!.Select((trial, i) => trial with { Chosen = 1 + i })] });
        Assert.Contains("| 1 seed |", text, StringComparison.Ordinal);
        Assert.Contains("| 2 seeds |", text, StringComparison.Ordinal);
        Assert.DoesNotContain("1 seeds", text, StringComparison.Ordinal);
        Assert.Equal(("1 run", "0 runs"), (Numbers.Count(1, "run"), Numbers.Count(0, "run")));
    }

    /// <summary>Evaluations come every 50 steps, of which an epoch may have 19.95.</summary>
    [Fact]
    public void Where_an_evaluation_lies_in_an_epoch_is_told_to_a_tenth()
    {
        var chart = new Chart("Loss", new("epoch"), new("loss"), [new("a", [.. new[] { 0, 0.251, 7.519, 15 }
            .Select(x => new CurvePoint(x, 1))])]);
        Assert.Equal(["", "epoch 0", "epoch 0.251", "epoch 7.5", "epoch 15"], Assert.Single(ChartTables.Of(new("Loss", [chart]))).Columns);
    }

    [Fact]
    public void Times_have_their_unit()
    {
        var time = SweepMetrics.Named("fastestEpochSeconds").Outcome;
        Assert.Equal(("6.13 ms", "0.257 ms", "6.01 ms to 0.31 s"),
            (Numbers.Value(time, 0.00613), Numbers.Amount(time, 0.000257), Numbers.Interval(time, [0.00601, 0.31])));
    }

    /// <summary>Times have nothing to do with the rows that a seed is tested on, and their intervals allow for nothing.</summary>
    [Theory]
    [InlineData("testAccuracy", "new rows from the same source. The training rows of the seeds overlap")]
    [InlineData("fastestEpochSeconds",
        "is not measured on the 360 test rows: the comparisons hold for further seeds on this data and this machine.")]
    [InlineData("sparsity", "is not measured on the 360 test rows: the comparisons hold for further seeds on this data.")]
    public void What_comparisons_hold_for_depends_on_what_is_compared(string metric, string words) =>
        Assert.Contains(words, SplitReport.Of(new()
        {
            Base = new() { Dataset = new() { Name = "digits" } },
            Arms = [],
            Seeds = [1],
            Metric = metric,
            Baseline = "relu",
            Contrasts = [],
            TestSplit = TestSplit.PerSeed,
            Rows = new(1221, 216, 360),
        }, new(1221, 216, 360)).GeneralizesTo, StringComparison.Ordinal);

    /// <summary>That the training rows overlap too much is as true of each comparison, and is said once.</summary>
    [Fact]
    public void A_doubt_about_all_comparisons_stands_below_them()
    {
        var report = SampleReport.Of(4);
        const string Doubt = "More rows would help a great deal.";
        var text = Text(report with
        {
            Contrasts = [.. report.Contrasts.Select(contrast => contrast with { Sentence = $"{contrast.Arm} is open. {Doubt}" })],
        });
        Assert.Equal(2, text.Split(Doubt).Length);
        Assert.Contains($"Of 3 comparisons: {Doubt}", text, StringComparison.Ordinal);
    }

    private static string Text(SweepReport report) =>
        ReportMarkdown.Write("t", ReportContent.Of(report, SampleReport.Curves(report.Arms.Count)));
}
