using System.Text.Json;
using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;

namespace TrainingService.Host.Tests.Findings;

/// <summary>What counts as help: runs of hand-made losses, on 100 validation rows of two classes.</summary>
public sealed class ComparisonTests
{
    private static readonly DataFacts Facts = new(true, 1, null, null, Math.Log(2));

    /// <summary>The standard error at 0.8 is 0.04, and a mean loss strays by a tenth of itself.</summary>
    [Theory]
    [InlineData(0.80, 0.50, 0.90, 0.50, true, "validationAccuracy")]   // clearly better
    [InlineData(0.80, 0.50, 0.86, 0.50, false, "validationAccuracy")]  // within the noise
    [InlineData(0.80, 0.50, 0.88, 0.50, true, "validationAccuracy")]
    [InlineData(0.80, 0.50, 0.86, 0.40, true, "validationAccuracy")]
    [InlineData(0.80, 0.50, 0.80, 0.40, true, "validationLoss")]       // no lower, and a loss that is
    [InlineData(0.80, 0.50, 0.80, 0.46, false, "validationLoss")]
    [InlineData(0.80, 0.50, 0.79, 0.30, false, "validationAccuracy")]  // never at the cost of accuracy
    [InlineData(0.99, 0.67, 0.67, 0.69, false, "validationAccuracy")]
    [InlineData(1.00, 0.0007, 1.00, 0.0006, false, "validationLoss")]  // a tenth of nothing
    public void A_change_helps_by_the_metric_or_not(double accuracy, double loss, double changed, double changedLoss, bool helps,
        string metric)
    {
        // the loss does not come down, with or without the change
        var run = Run(accuracy, loss, trainLoss: 0.7);
        var finding = Judged(run, Run(changed, changedLoss, trainLoss: 0.7));
        Assert.Equal((helps, metric), (finding.Recommendation is not null, finding.Trial?.Metric));
        Assert.Equal(metric == "validationLoss" ? ((float)loss, (float)changedLoss) : ((float)accuracy, (float)changed),
            (finding.Trial?.Before, finding.Trial?.After));
        Assert.Equal(20, finding.Trial?.Steps);
        Assert.All(finding.Tried ?? [], t => Assert.Equal(helps, t.Helps));
        Assert.Equal(helps, !finding.Message.EndsWith("helps.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_change_that_is_no_worse_helps_if_the_finding_is_gone_and_the_metric_may_still_follow()
    {
        var run = New();
        run.Add(Point(Split.Train, 0, 5, null));
        run.Add(Point(Split.Validation, 10, 0.69, 0.5));
        run.Add(Point(Split.Validation, 20, 0.69, 0.5));
        End(run, 0.5, 0.69, 0.69);
        Assert.NotNull(Judged(run, Cut(0.7, 0.69), "initial_loss").Recommendation);
        Assert.Null(Judged(run, Cut(0.7, 0.70), "initial_loss").Recommendation);
        Assert.Null(Judged(run, Cut(5, 0.69), "initial_loss").Recommendation);
        // at its end it has not
        var ended = Cut(0.7, 0.69);
        ended.Add(Point(Split.Validation, 20, 0.69, 0.5));
        End(ended, 0.5, 0.69, 0.69);
        Assert.Null(Judged(run, ended, "initial_loss").Recommendation);

        static Watch Cut(double start, double loss)
        {
            var cut = New();
            cut.Add(Point(Split.Train, 0, start, null));
            cut.Add(Point(Split.Validation, 10, loss, 0.5));
            return cut;
        }
    }

    /// <summary>To stop early lowers the loss on few validation rows, and may lower the accuracy on all others.</summary>
    [Theory, InlineData(0.90, true), InlineData(0.82, false)]
    public void What_learns_the_training_rows_less_well_helps_against_overfitting_if_the_accuracy_says_so(double changed, bool helps)
    {
        var run = Run(0.69, 1.5, trainLoss: 0.01);
        Assert.Equal(helps, Judged(run, Run(changed - 0.12, 0.9, trainLoss: 0.2), "overfit").Recommendation is not null);
    }

    [Fact]
    public void What_diverges_never_helps_and_what_no_longer_does_helps_if_it_learns()
    {
        var run = Run(0.8, 0.5, trainLoss: 0.7);
        var finding = Judged(run, Run(0.95, double.NaN, trainLoss: double.NaN, diverged: true));
        Assert.Equal((null, null), (finding.Recommendation, finding.Trial?.After));
        var diverged = Run(0.9, double.NaN, trainLoss: double.NaN, diverged: true);
        finding = Judged(diverged, Run(0.9, 0.3, trainLoss: 0.3), "diverged");
        Assert.Equal((true, null, 0.9f), (finding.Recommendation is not null, finding.Trial?.Before, finding.Trial?.After));
        Assert.Null(Judged(diverged, Run(0.5, 0.9, trainLoss: 0.9), "diverged").Recommendation);
    }

    [Fact]
    public void A_trial_that_was_cut_is_compared_at_its_last_step()
    {
        var cut = New();
        cut.Add(Point(Split.Train, 0, 0.7, null));
        cut.Add(Point(Split.Validation, 10, 0.6, 0.5));
        var finding = Judged(Run(0.9, 0.3, trainLoss: 0.7, middle: 0.4), cut);
        Assert.Equal(new Trial("validationAccuracy", 0.4f, 0.5f, 10), finding.Trial);
        Assert.NotNull(finding.Recommendation);
        // a finding of the end can't be gone halfway
        var same = New();
        same.Add(Point(Split.Validation, 10, 0.6, 0.4));
        Assert.Null(Judged(Run(0.9, 0.3, trainLoss: 0.7, middle: 0.4), same).Recommendation);
    }

    [Fact]
    public void Of_changes_that_help_alike_the_likeliest_is_recommended_and_of_others_the_best()
    {
        var run = Run(0.5, 0.69, trainLoss: 0.7);
        var untried = run.Untried;
        run.Judge(new Dictionary<string, Watch>
        {
            [untried[0].Key] = Run(0.90, 0.3, trainLoss: 0.3),
            [untried[1].Key] = Run(0.91, 0.29, trainLoss: 0.3),
        });
        Assert.Equal(untried[0].Sentence, Assert.Single(run.Findings).Recommendation?.Sentence);
        run = Run(0.5, 0.69, trainLoss: 0.7);
        run.Judge(new Dictionary<string, Watch>
        {
            [untried[0].Key] = Run(0.70, 0.5, trainLoss: 0.5),
            [untried[1].Key] = Run(0.95, 0.2, trainLoss: 0.2),
        });
        Assert.Equal(untried[1].Sentence, Assert.Single(run.Findings).Recommendation?.Sentence);
    }

    /// <summary>0.95 and 0.91 on 100 rows are luck; so is a loss that is lower by half where that of the training rows is higher.</summary>
    [Theory, InlineData(0.95, 0.15, 0.3), InlineData(0.91, 0.14, 0.31), InlineData(0.91, 0.2, 0.3)]
    public void A_less_likely_change_is_recommended_only_if_it_is_clearly_better(double accuracy, double loss, double trainLoss)
    {
        var run = Run(0.5, 0.69, trainLoss: 0.7);
        var untried = run.Untried;
        run.Judge(new Dictionary<string, Watch>
        {
            [untried[0].Key] = Run(0.91, 0.3, trainLoss: 0.3),
            [untried[1].Key] = Run(accuracy, accuracy > 0.91 ? 0.29 : loss, trainLoss),
        });
        Assert.Equal(untried[0].Sentence, Assert.Single(run.Findings).Recommendation?.Sentence);
    }

    /// <summary>As the version before stored it.</summary>
    [Fact]
    public void A_finding_without_trial_can_be_read()
    {
        var finding = JsonSerializer.Deserialize<Finding>("""
            {"rule": "overfit", "severity": "warning", "layer": null, "step": 3, "value": 0.5, "threshold": 0.1, "message": "It is.",
             "recommendation": {"sentence": "Stop.", "patch": {"training": {"epochs": 1} } } }
            """, Json.Options);
        Assert.Equal(("Stop.", null, null), (finding?.Recommendation?.Sentence, finding?.Trial, finding?.Tried));
    }

    private static Finding Judged(Watch run, Watch trial, string rule = "loss_not_decreasing")
    {
        run.Judge(run.Untried.ToDictionary(change => change.Key, _ => trial));
        return Assert.Single(run.Findings, f => f.Rule == rule);
    }

    private static Watch Run(double accuracy, double loss, double trainLoss, bool diverged = false, double? middle = null)
    {
        var watch = New();
        watch.Add(Point(Split.Train, 0, 0.7, null));
        watch.Add(Point(Split.Validation, 10, 0.6, middle ?? accuracy));
        watch.Add(Point(Split.Train, 20, trainLoss, null));
        watch.Add(Point(Split.Validation, 20, loss, accuracy));
        End(watch, accuracy, loss, trainLoss, diverged);
        return watch;
    }

    private static void End(Watch watch, double accuracy, double loss, double trainLoss, bool diverged = false) => watch.End(new()
    {
        TrainLoss = (float)trainLoss,
        TrainAccuracy = 0.8f,
        ValidationLoss = (float)loss,
        ValidationAccuracy = (float)accuracy,
        WeightsSha256 = "",
        Divergence = diverged ? new(20, null, "it did") : null,
    });

    private static Watch New()
    {
        var plan = RunPlan.Check(new ModelSpec { HiddenLayers = [4] }, new() { Epochs = 2 }, new(),
            new DataShape(2, TargetKind.Classes, 2, 640, 100, 0), []);
        return new(plan ?? throw new InvalidOperationException("The plan breaks a rule."), Facts);
    }

    private static MetricPoint Point(Split split, long step, double loss, double? accuracy) =>
        new() { Step = step, Epoch = step / 10.0, Split = split, Loss = (float)loss, Accuracy = (float?)accuracy };
}
