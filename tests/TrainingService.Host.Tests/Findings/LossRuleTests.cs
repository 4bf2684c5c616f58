using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;
using TrainingService.Host.Findings;

namespace TrainingService.Host.Tests.Findings;

/// <summary>What the rules say of losses made by hand: ten classes, 400 validation rows.</summary>
public sealed class LossRuleTests
{
    private static readonly double Guessing = Math.Log(10);

    [Theory]
    [InlineData(0.9, false)]
    [InlineData(1.5, false)]
    [InlineData(2.9, false)]
    [InlineData(3.1, true)]
    [InlineData(double.NaN, true)]
    public void A_usual_draw_starts_at_up_to_three_times_the_loss_of_guessing(double times, bool found) =>
        Assert.Equal(found, Found([times * Guessing, 0.5, 0.4], [0.5, 0.5]).Contains("initial_loss"));

    /// <summary>Three times the target's variance; unless nets of this shape that begin as they should may have as much.</summary>
    [Theory]
    [InlineData(2.9, null, false)]
    [InlineData(3.1, null, true)]
    [InlineData(3.1, 3.3, false)]
    [InlineData(3.4, 3.3, true)]
    [InlineData(double.NaN, 3.3, true)]
    public void Of_numbers_a_usual_draw_starts_at_up_to_three_times_their_variance(double times, double? usual, bool found)
    {
        const double Variance = 24;
        var plan = RunPlan.Check(new ModelSpec { HiddenLayers = [4] }, new(), new(),
            new DataShape(2, TargetKind.Number, 0, 640, 400, 0), []) ?? throw new InvalidOperationException("The plan breaks a rule.");
        var watch = new Watch(plan, new(true, 1, null, null, Variance)
        {
            LargestUsualStart = usual is { } most ? new(() => most * Variance) : null,
        });
        watch.Add(Point(Split.Train, 0, times * Variance));
        Assert.Equal(found, watch.Findings.Any(f => f.Rule == "initial_loss"));
    }

    [Theory]
    [InlineData(2.7, 8.6e12, "loss_not_decreasing")]   // explodes, and stays finite
    [InlineData(2.7, 2.71, "loss_not_decreasing")]     // ends above where it began
    [InlineData(2.7, 2.699, "loss_not_decreasing")]    // hardly falls
    [InlineData(2.7, 2.5, "loss_not_decreasing")]      // is still above that of guessing
    [InlineData(2.7, 2.1, null)]
    [InlineData(0.02, 0.021, null)]                    // has nothing to lose
    public void A_run_of_one_epoch_is_judged_by_where_it_ends(double began, double ended, string? rule) =>
        Assert.Equal(rule, Found([began, ended], [Math.Min(ended, 1e6)]).SingleOrDefault());

    [Fact]
    public void A_loss_that_explodes_is_an_error_and_no_overfitting()
    {
        var watch = Run([2.7, 0.9, 0.5, 40, 900, 8e4, 8.6e12], [0.8, 0.6, 60, 1200, 9e4, 9e12], train: 0.1, held: 0.1);
        var finding = Assert.Single(watch.Findings);
        Assert.Equal(("loss_not_decreasing", Severity.Error), (finding.Rule, finding.Severity));
        Assert.StartsWith("Lower the learning rate", finding.Recommendation?.Sentence, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1.00, 0.84, true)]
    [InlineData(1.00, 0.91, false)]
    [InlineData(0.90, 0.79, true)]
    public void A_gap_of_ten_points_between_training_and_validation_rows_is_overfitting(double train, double held, bool found) =>
        Assert.Equal(found, Run([2.7, 0.5, 0.05], [0.6, 0.6], train, held).Findings.Any(f => f.Rule == "overfit"));

    [Fact]
    public void A_validation_loss_that_rises_by_a_fourth_while_the_training_loss_falls_is_overfitting()
    {
        Assert.Contains("overfit", Found([2.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02], [0.5, 0.45, 0.5, 0.65, 0.7, 0.75]));
        Assert.DoesNotContain("overfit", Found([2.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02], [0.5, 0.45, 0.46, 0.47, 0.48, 0.47]));
        // the training loss rises, too
        Assert.DoesNotContain("overfit", Found([2.7, 0.5, 0.3, 0.5, 0.6, 0.7, 0.8], [0.5, 0.45, 0.6, 0.75, 0.8, 0.85]));
    }

    private static string[] Found(double[] train, double[] validation) =>
        [.. Run(train, validation, 0.9, 0.9).Findings.Select(f => f.Rule)];

    /// <param name="losses">Of training: before the first step, then after each epoch.</param>
    /// <param name="validation">After each epoch.</param>
    /// <param name="train">Accuracy on the training rows.</param>
    /// <param name="held">And on the validation rows.</param>
    private static Watch Run(double[] losses, double[] validation, double train, double held)
    {
        var plan = RunPlan.Check(new ModelSpec { HiddenLayers = [4] }, new() { Epochs = validation.Length }, new(),
            new DataShape(2, TargetKind.Classes, 10, 640, 400, 0), []) ?? throw new InvalidOperationException("The plan breaks a rule.");
        var watch = new Watch(plan, new(true, 1, null, null, Guessing));
        watch.Add(Point(Split.Train, 0, losses[0]));
        foreach (var (i, loss) in validation.Index())
        {
            watch.Add(Point(Split.Train, 10 * (i + 1), losses[i + 1]));
            watch.Add(Point(Split.Validation, 10 * (i + 1), loss));
        }
        watch.End(new()
        {
            TrainLoss = (float)losses[^1],
            TrainAccuracy = (float)train,
            ValidationLoss = (float)validation[^1],
            ValidationAccuracy = (float)held,
            WeightsSha256 = "",
        });
        return watch;
    }

    private static MetricPoint Point(Split split, long step, double loss) =>
        new() { Step = step, Epoch = step / 10.0, Split = split, Loss = (float)loss };
}
