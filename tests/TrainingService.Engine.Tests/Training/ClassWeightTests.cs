using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

/// <summary>Classes that count more than others, and how well each is told.</summary>
public class ClassWeightTests
{
    /// <summary>Overlapping classes of which one is rare.</summary>
    private static TrainingData Rare()
    {
        var generator = new Golden.SplitMix64(5);
        DataSplit Split(int rows)
        {
            int[] labels = [.. Enumerable.Range(0, rows).Select(r => r % 10 == 0 ? 1 : 0)];
            return new(rows, [.. labels.SelectMany(l => generator.Symmetric(4, 1.5).Select(v => (float)(v + 0.8 * l)))], labels, []);
        }
        return new(new(4, TargetKind.Classes, 2, 500, 100, 300, ClassNames: ["common", "rare"]), Split(500), Split(100), Split(300));
    }

    [Theory, InlineData("cross_entropy"), InlineData("binary_cross_entropy"), InlineData("mse")]
    public void Balanced_weights_find_the_rare_class(string loss)
    {
        TrainingSpec training = new() { Epochs = 15, BatchSize = 32, Loss = loss };
        var plain = Runs.Train(Rare(), training: training).Result;
        var balanced = Runs.Train(Rare(), training: training with { ClassWeights = new() { Name = "balanced" } }).Result;
        Assert.True(balanced.PerClass![1].Recall > plain.PerClass![1].Recall + 0.2,
            $"{loss}: {balanced.PerClass[1].Recall} after {plain.PerClass[1].Recall}");
        Assert.True(balanced.BalancedAccuracy > plain.BalancedAccuracy + 0.05);
        // n / (K n_c) with 450 and 50 of 500 rows
        var weights = Runs.Train(Rare(), training: training with
        {
            ClassWeights = new() { Weights = new Dictionary<string, double> { ["common"] = 500.0 / 900, ["1"] = 5 } },
        }).Result;
        Assert.Equal(balanced.WeightsSha256, weights.WeightsSha256);
        Assert.Equal(balanced.TestLoss, weights.TestLoss);
    }

    [Fact]
    public void Weights_of_1_change_nothing_but_rounding_and_common_factors_nothing_at_all()
    {
        TrainingSpec Of(double common, double rare) => new()
        {
            Epochs = 3,
            BatchSize = 32,
            ClassWeights = new() { Weights = new Dictionary<string, double> { ["common"] = common, ["rare"] = rare } },
        };
        var plain = Runs.Train(Rare(), training: new() { Epochs = 3, BatchSize = 32 }).Result;
        var ones = Runs.Train(Rare(), training: Of(1, 1)).Result;
        Close.Assert(plain.TestLoss!.Value, ones.TestLoss!.Value, 1e-5, "loss");
        Assert.Equal(Runs.Train(Rare(), training: Of(1, 4)).Result.TestLoss!.Value,
            Runs.Train(Rare(), training: Of(4, 16)).Result.TestLoss!.Value, 1e-5);
    }

    [Fact]
    public void Losses_of_all_splits_are_weighted_alike()
    {
        var data = Rare();
        TrainingSpec training = new()
        {
            Epochs = 1,
            BatchSize = 500,
            Optimizer = new() { Name = "sgd", LearningRate = 1e-12, Momentum = 0 },
            ClassWeights = new() { Name = "balanced" },
        };
        // test rows that are the training rows
        data = data with { Shape = data.Shape with { TestRows = 500 }, Test = data.Train };
        var run = Runs.Train(data, training: training);
        Assert.Equal(run.Result.TrainLoss, run.Result.TestLoss);
        Assert.All(run.Metrics.Where(m => m.Split == Split.Train), m => Close.Assert(run.Result.TrainLoss, m.Loss, 1e-5, "loss"));
        Assert.NotEqual(run.Result.TrainLoss, Runs.Train(data, training: training with { ClassWeights = null }).Result.TrainLoss);
    }

    [Fact]
    public void Weights_go_through_all_of_the_training()
    {
        // with dropout, a norm, clipping and a penalty
        var data = Rare();
        var plan = Runs.Plan(data, new() { HiddenLayers = [20], Normalization = "batch_norm", Dropout = 0.2 },
            new()
            {
                Epochs = 3,
                BatchSize = 33,
                ActivityL1 = 0.01,
                ClipNorm = 1,
                LabelSmoothing = 0.1,
                ClassWeights = new() { Name = "balanced" },
            });
        var run = Runs.Train(plan, data);
        Assert.Null(run.Result.Divergence);
        Assert.Equal(run.Result.WeightsSha256, Runs.Train(plan, data, threads: 2).Result.WeightsSha256);
    }

    public static TheoryData<string, string, string> Wrong => new()
    {
        { "comon", "/training/classWeights/comon", "did you mean 'common'?" },
        { "7", "/training/classWeights/7", "unknown class '7'" },
        { "a/b", "/training/classWeights/a~1b", "common, rare" },
    };

    [Theory, MemberData(nameof(Wrong))]
    public void An_unknown_class_is_refused(string name, string pointer, string says)
    {
        var error = Assert.Single(Refused(new() { Weights = new Dictionary<string, double> { [name] = 2 } }));
        Assert.Equal(pointer, error.Pointer);
        Assert.Contains(says, error.Message);
    }

    [Fact]
    public void Other_mistakes_are_refused()
    {
        Assert.Contains("did you mean 'balanced'?", Assert.Single(Refused(new() { Name = "balance" })).Message);
        Assert.Contains("at least one class", Assert.Single(Refused(new() { Weights = new Dictionary<string, double>() })).Message);
        Assert.Equal("/training/classWeights/rare",
            Assert.Single(Refused(new() { Weights = new Dictionary<string, double> { ["rare"] = 0 } })).Pointer);
        Assert.Contains("twice",
            Assert.Single(Refused(new() { Weights = new Dictionary<string, double> { ["rare"] = 2, ["1"] = 3 } })).Message);
        Assert.Contains("number", Assert.Single(Refused(new() { Name = "balanced" }, Runs.Numbers().Shape)).Message);
    }

    private static List<SpecError> Refused(ClassWeightsSpec weights, DataShape? shape = null)
    {
        var errors = new List<SpecError>();
        Assert.Null(RunPlan.Check(new(), new() { ClassWeights = weights }, new(), shape ?? Rare().Shape, errors));
        return errors;
    }

    [Fact]
    public void Scores_by_hand()
    {
        var confusion = new Confusion(3);
        // class 0: 3 right, 1 taken for 1; class 1: 2 right, 2 taken for 0, one for nothing; class 2 has no rows
        foreach (var (label, predicted) in new[] { (0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 0), (1, -1) })
            confusion.Add(label, predicted);
        Assert.Equal([[3, 1, 0], [2, 2, 0], [0, 0, 0]], confusion.Counts);
        Assert.Equal((0.75 + 0.4) / 2, confusion.BalancedAccuracy, 1e-12);
        Assert.Equal(
        [
            new("0", 0.6f, 0.75f, (float)(2 * 0.6 * 0.75 / 1.35), 4),
            new("1", (float)(2 / 3.0), 0.4f, 0.5f, 5),
            new ClassScore("2", null, null, null, 0),
        ], confusion.PerClass(new(1, TargetKind.Classes, 3, 1, 0, 0)));
    }

    [Fact]
    public void Results_hold_scores_that_agree_with_the_accuracy()
    {
        var result = Runs.Train(Runs.Blobs(), training: new() { Epochs = 2, BatchSize = 16 }).Result;
        Assert.Equal([20, 20, 20], result.PerClass!.Select(c => c.Support));
        Assert.Equal(["0", "1", "2"], result.PerClass!.Select(c => c.Class));
        Assert.Equal(result.TestAccuracy, result.Confusion!.Select((row, c) => row[c]).Sum() / 60f);
        Assert.Equal(result.TestAccuracy!.Value, result.BalancedAccuracy!.Value, 1e-6);
        Assert.InRange(result.ValidationBalancedAccuracy!.Value, 0, 1);
        var numbers = Runs.Train(Runs.Numbers()).Result;
        Assert.Null(numbers.Confusion);
        Assert.Null(numbers.BalancedAccuracy);
    }

    /// <summary>A result goes into every answer, so it doesn't grow with the square of the classes.</summary>
    [Fact]
    public void Many_classes_keep_the_result_small()
    {
        var data = Runs.Blobs(train: 600, validation: 0, test: 600, classes: 60);
        var result = Runs.Train(data, training: new() { Epochs = 1 }).Result;
        Assert.Null(result.Confusion);
        Assert.Equal(60, result.PerClass!.Count);
        Assert.NotNull(result.BalancedAccuracy);
    }

    [Fact]
    public void A_diverged_run_has_no_accuracies()
    {
        TrainingSpec wild = new() { Epochs = 5, BatchSize = 16, Optimizer = new() { Name = "sgd", LearningRate = 1e20 } };
        var run = Runs.Train(Runs.Blobs(), training: wild);
        var result = run.Result;
        Assert.NotNull(result.Divergence);
        Assert.All((float?[])[result.TrainAccuracy, result.ValidationAccuracy, result.TestAccuracy, result.BalancedAccuracy,
            result.ValidationBalancedAccuracy], Assert.Null);
        Assert.Null(result.Confusion);
        Assert.Null(result.PerClass);
        Assert.Null(run.Metrics.Single(m => m.Split == Split.Test).Accuracy);
        var numbers = Runs.Train(Runs.Numbers(), training: wild).Result;
        Assert.NotNull(numbers.Divergence);
        Assert.All((float?[])[numbers.TrainR2, numbers.TestR2, numbers.TestRmse, numbers.ValidationRmse], Assert.Null);
    }
}
