using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

public class RunPlanTests
{
    private static readonly DataShape Digits = new(64, TargetKind.Classes, 10, 1000, 100, 200);
    private static readonly DataShape Number = new(8, TargetKind.Number, 0, 1000, 100, 200);
    private static readonly LayerSpec Dense = new() { Type = "dense", Units = 8 };

    public static TheoryData<string, ModelSpec, string> WrongModels
    {
        get
        {
            var cases = new TheoryData<string, ModelSpec, string>();
            void Add(string pointer, ModelSpec model, string says) => cases.Add(pointer, model, says);
            void Layer(string pointer, LayerSpec layer, string says) => cases.Add("/model/layers/1" + pointer, new() { Layers = [Dense, layer] }, says);
            Add("/model/hiddenLayers", new() { HiddenLayers = [] }, "at least one");
            Add("/model/hiddenLayers", new() { HiddenLayers = new int[10_000] }, "10,000");
            Add("/model/hiddenLayers/1", new() { HiddenLayers = [5, 0] }, "not 0");
            Add("/model/hiddenLayers/0", new() { HiddenLayers = [-3, 5] }, "not -3");
            Add("/model/hiddenLayers/2", new() { HiddenLayers = [1, 1, 1_000_000_000] }, "1,000,000,000");
            Add("/model/hiddenLayers", new() { HiddenLayers = [10_000, 10_000] }, "50,000,000");
            Add("/model/layers", new() { Layers = [] }, "at least one");
            Add("/model/layers", new() { HiddenLayers = [5], Layers = [Dense] }, "exclude each other");
            Add("/model/layers", new() { Layers = [new() { Type = "dropout", Rate = 0.5 }] }, "at least one dense");
            Add("/model/layers", new() { Layers = [.. Enumerable.Repeat(Dense, 10_000)] }, "10,000");
            Add("/model/activation", new() { Activation = new() { Name = "leaky_rely" } }, "did you mean 'leaky_relu'?");
            Add("/model/activation/negativeSlope", new() { Activation = new() { Name = "leaky_relu", NegativeSlope = double.NaN } }, "finite");
            Add("/model/activation/negativeSlope", new() { Activation = new() { Name = "leaky_relu", NegativeSlope = double.PositiveInfinity } }, "finite");
            Add("/model/activation/alpha", new() { Activation = new() { Name = "tanh", Alpha = 1 } }, "tanh");
            Add("/model/initializer", new() { Initializer = new() { Name = "kaiming" } }, "unknown initializer 'kaiming'");
            Add("/model/initializer/mode", new() { Initializer = new() { Name = "he_normal", Mode = "fanin" } }, "did you mean 'fan_in'?");
            Add("/model/biasInitializer", new() { BiasInitializer = new() { Name = "kaiming_normal" } }, "bias");
            Add("/model/dropout", new() { Dropout = 1 }, "[0, 1)");
            Add("/model/dropout", new() { Dropout = -0.1 }, "[0, 1)");
            Add("/model/dropout", new() { Dropout = double.NaN }, "[0, 1)");
            Add("/model/dropout", new() { Dropout = 0.5, Layers = [Dense] }, "layers");
            Add("/model/normalization", new() { Normalization = "batch_norm" }, "not supported yet");
            Add("/model/normalization", new() { Normalization = "batchnorm" }, "batchnorm");
            Layer("/units", new() { Type = "dense" }, "units");
            Layer("/units", new() { Type = "dense", Units = 0 }, "not 0");
            Layer("/rate", new() { Type = "dense", Units = 3, Rate = 0.5 }, "rate");
            Layer("/activation", Dense with { Activation = new() { Name = "reluu" } }, "did you mean 'relu'?");
            Layer("/activation/init", Dense with { Activation = new() { Name = "prelu", Init = double.NaN } }, "finite");
            Layer("/initializer", Dense with { Initializer = new() { Name = "zeross" } }, "did you mean 'zeros'?");
            Layer("/biasInitializer", Dense with { BiasInitializer = new() { Name = "onse" } }, "did you mean 'ones'?");
            Layer("/rate", new() { Type = "dropout" }, "rate");
            Layer("/rate", new() { Type = "dropout", Rate = 1.5 }, "[0, 1)");
            Layer("/units", new() { Type = "dropout", Rate = 0.5, Units = 3 }, "units");
            Layer("/type", new() { Type = "dens", Units = 3 }, "did you mean 'dense'?");
            Layer("/type", new() { Type = "batch_norm" }, "not supported yet");
            Layer("/type", new() { Type = "layer_norm" }, "not supported yet");
            Layer("/type", new() { Type = "residual", Layers = [Dense] }, "not supported yet");
            Layer("", null!, "null");
            return cases;
        }
    }

    [Theory, MemberData(nameof(WrongModels))]
    public void A_wrong_model_is_refused_at_the_place(string pointer, ModelSpec model, string says) => AssertRefused(pointer, says, model: model);

    public static TheoryData<string, TrainingSpec, string> WrongTrainings
    {
        get
        {
            var cases = new TheoryData<string, TrainingSpec, string>();
            void Add(string pointer, TrainingSpec training, string says) => cases.Add("/training/" + pointer, training, says);
            void Optimizer(string pointer, OptimizerSpec optimizer, string says) => Add("optimizer" + pointer, new() { Optimizer = optimizer }, says);
            Add("epochs", new() { Epochs = 0 }, "not 0");
            Add("epochs", new() { Epochs = -1 }, "not -1");
            Add("epochs", new() { Epochs = int.MaxValue }, "100,000");
            Add("batchSize", new() { BatchSize = 0 }, "at least 1");
            Add("batchSize", new() { BatchSize = 1001 }, "1,000 training rows");
            Add("loss", new() { Loss = "cross_entropi" }, "did you mean 'cross_entropy'?");
            Add("loss", new() { Loss = "huber" }, "not supported yet");
            Add("loss", new() { Loss = "binary_cross_entropy" }, "two classes");
            Add("activityL1", new() { ActivityL1 = 0.01 }, "not supported yet");
            Add("activityL1", new() { ActivityL1 = double.NaN }, "not supported yet");
            Add("labelSmoothing", new() { LabelSmoothing = 0.1 }, "not supported yet");
            Add("clipNorm", new() { ClipNorm = 1 }, "not supported yet");
            Add("earlyStopping", new() { EarlyStopping = new() { Patience = 3 } }, "not supported yet");
            Add("schedule", new() { Schedule = new() { Name = "cosine" } }, "not supported yet");
            Add("schedule", new() { Schedule = new() { Name = "constnat" } }, "did you mean 'constant'?");
            Add("schedule/warmupSteps", new() { Schedule = new() { Name = "constant", WarmupSteps = 10 } }, "not supported yet");
            Optimizer("", new() { Name = "adamm" }, "did you mean 'adam'?");
            Optimizer("", new() { Name = "adamw" }, "not supported yet");
            Optimizer("", new() { Name = "rmsprop" }, "not supported yet");
            Optimizer("/learningRate", new() { Name = "sgd", LearningRate = 0 }, "> 0");
            Optimizer("/learningRate", new() { Name = "sgd", LearningRate = double.NaN }, "> 0");
            Optimizer("/learningRate", new() { Name = "adam", LearningRate = double.PositiveInfinity }, "> 0");
            Optimizer("/momentum", new() { Name = "sgd", Momentum = 1 }, "[0, 1)");
            Optimizer("/momentum", new() { Name = "adam", Momentum = 0.9 }, "adam");
            Optimizer("/nesterov", new() { Name = "sgd", Momentum = 0, Nesterov = true }, "momentum");
            Optimizer("/weightDecay", new() { Name = "sgd", WeightDecay = -1 }, ">= 0");
            Optimizer("/beta1", new() { Name = "sgd", Beta1 = 0.9 }, "sgd");
            Optimizer("/beta2", new() { Name = "adam", Beta2 = 1 }, "[0, 1)");
            Optimizer("/epsilon", new() { Name = "adam", Epsilon = 0 }, "> 0");
            return cases;
        }
    }

    [Theory, MemberData(nameof(WrongTrainings))]
    public void A_wrong_training_is_refused_at_the_place(string pointer, TrainingSpec training, string says) =>
        AssertRefused(pointer, says, training: training);

    [Fact]
    public void Wrong_diagnostics_are_refused_at_the_place()
    {
        AssertRefused("/diagnostics/everySteps", "not 0", diagnostics: new() { EverySteps = 0 });
        AssertRefused("/diagnostics/evaluationRows", "not 0", diagnostics: new() { EvaluationRows = 0 });
        AssertRefused("/diagnostics/evaluationRows", "100,000", diagnostics: new() { EvaluationRows = 100_001 });
        AssertRefused("/diagnostics/rules", "not supported yet", diagnostics: new() { Rules = new Dictionary<string, object> { ["overfit"] = 1 } });
    }

    [Fact]
    public void A_loss_must_fit_the_target()
    {
        Assert.Equal("/training/loss", Assert.Single(Check(training: new() { Loss = "cross_entropy" }, data: Number).Errors).Pointer);
        Assert.Equal("/training/loss", Assert.Single(Check(training: new() { Loss = "binary_cross_entropy" }, data: Number).Errors).Pointer);
        Assert.Equal("mse", Check(training: new() { Loss = "auto" }, data: Number).Plan!.Training.Loss);
        Assert.Equal("cross_entropy", Check(training: new() { Loss = "auto" }).Plan!.Training.Loss);
    }

    [Fact]
    public void All_errors_are_told_at_once()
    {
        var (plan, errors) = Check(new() { HiddenLayers = [0], Activation = new() { Name = "x" } }, new() { Epochs = 0 }, new() { EverySteps = 0 });
        Assert.Null(plan);
        Assert.Equal(["/diagnostics/everySteps", "/model/activation", "/model/hiddenLayers/0", "/training/epochs"], errors.Select(e => e.Pointer).Order());
    }

    [Fact]
    public void Every_default_is_filled_in()
    {
        var plan = Check().Plan!;
        Assert.Equal([256, 128], plan.Model.HiddenLayers!);
        Assert.Equal(("relu", "kaiming_normal", "zeros", 0, "none"),
            (plan.Model.Activation!.Name, plan.Model.Initializer!.Name, plan.Model.BiasInitializer!.Name, plan.Model.Dropout, plan.Model.Normalization));
        Assert.Equal(new OptimizerSpec { Name = "sgd", LearningRate = 0.05, Momentum = 0.9, Nesterov = false, WeightDecay = 0 }, plan.Training.Optimizer);
        Assert.Equal((10, 64, 1, "constant", "cross_entropy"),
            (plan.Training.Epochs, plan.Training.BatchSize, plan.Training.Seed, plan.Training.Schedule!.Name, plan.Training.Loss));
        Assert.Equal((100, 2048), (plan.Diagnostics.EverySteps, plan.Diagnostics.EvaluationRows));
        Assert.Equal(new OptimizerSpec { Name = "adam", LearningRate = 0.001, Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8, WeightDecay = 0 },
            Check(training: new() { Optimizer = new() { Name = "adam" } }).Plan!.Training.Optimizer);
    }

    [Fact]
    public void A_resolved_plan_checks_again_without_change()
    {
        var plan = Check(new() { Layers = [Dense, new() { Type = "dropout", Rate = 0.3 }, Dense with { Activation = new() { Name = "swish" } }] }).Plan!;
        var again = Check(plan.Model, plan.Training, plan.Diagnostics).Plan!;
        Assert.Equal(plan.Training, again.Training);
        Assert.Equal(plan.Diagnostics, again.Diagnostics);
        Assert.Equal(plan.Model.Layers!, again.Model.Layers!);
        Assert.Equal(plan.Model with { Layers = null }, again.Model with { Layers = null });
        var shortForm = Check().Plan!;
        Assert.NotNull(Check(shortForm.Model, shortForm.Training, shortForm.Diagnostics).Plan);
    }

    [Fact]
    public void Fewer_rows_than_the_default_batch_make_a_smaller_batch() =>
        Assert.Equal(20, Check(data: Digits with { TrainRows = 20 }).Plan!.Training.BatchSize);

    [Fact]
    public void Parameters_and_steps_are_counted()
    {
        Assert.Equal(64 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10, Check().Plan!.ParameterCount);
        Assert.Equal(10 * 16, Check().Plan!.Steps);
        ModelSpec shared = new() { HiddenLayers = [5], Activation = new() { Name = "prelu" } };
        Assert.Equal(64 * 5 + 5 + 5 * 10 + 10 + 1, Check(shared).Plan!.ParameterCount);
        Assert.Equal(64 * 5 + 5 + 5 * 10 + 10 + 5, Check(shared with { Activation = shared.Activation with { Shared = false } }).Plan!.ParameterCount);
        Assert.Equal(8 * 5 + 5 + 5 + 1, Check(new() { HiddenLayers = [5] }, data: Number).Plan!.ParameterCount);
        Assert.Equal(2 * 3 * 1000.0 * (64 * 5 + 5 * 10) * 10, Check(new() { HiddenLayers = [5] }).Plan!.FloatingPointOperations, 2e7);
    }

    [Fact]
    public void The_largest_allowed_net_passes() => Assert.NotNull(Check(new() { HiddenLayers = [.. Enumerable.Repeat(100, 1000)] }).Plan);

    private static void AssertRefused(string pointer, string says, ModelSpec? model = null, TrainingSpec? training = null, DiagnosticsSpec? diagnostics = null)
    {
        var (plan, errors) = Check(model, training, diagnostics);
        Assert.Null(plan);
        var error = Assert.Single(errors);
        Assert.Equal(pointer, error.Pointer);
        Assert.Contains(says, error.Message);
    }

    private static (RunPlan? Plan, List<SpecError> Errors) Check(ModelSpec? model = null, TrainingSpec? training = null, DiagnosticsSpec? diagnostics = null,
        DataShape? data = null)
    {
        var errors = new List<SpecError>();
        return (RunPlan.Check(model ?? new(), training ?? new(), diagnostics ?? new(), data ?? Digits, errors), errors);
    }
}
