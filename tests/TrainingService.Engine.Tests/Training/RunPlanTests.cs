using System.Globalization;
using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Initializers;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Optimizers;
using TrainingService.Engine.Specs;
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
            void Layer(string pointer, LayerSpec layer, string says) =>
                cases.Add("/model/layers/1" + pointer, new() { Layers = [Dense, layer] }, says);
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
            Add("/model/activation/negativeSlope",
                new() { Activation = new() { Name = "leaky_relu", NegativeSlope = double.NaN } }, "finite");
            Add("/model/activation/negativeSlope",
                new() { Activation = new() { Name = "leaky_relu", NegativeSlope = double.PositiveInfinity } }, "finite");
            Add("/model/activation/alpha", new() { Activation = new() { Name = "tanh", Alpha = 1 } }, "tanh");
            Add("/model/initializer", new() { Initializer = new() { Name = "kaiming" } }, "unknown initializer 'kaiming'");
            Add("/model/initializer/mode", new() { Initializer = new() { Name = "he_normal", Mode = "fanin" } }, "did you mean 'fan_in'?");
            Add("/model/biasInitializer", new() { BiasInitializer = new() { Name = "kaiming_normal" } }, "bias");
            Add("/model/dropout", new() { Dropout = 1 }, "[0, 1)");
            Add("/model/dropout", new() { Dropout = -0.1 }, "[0, 1)");
            Add("/model/dropout", new() { Dropout = double.NaN }, "[0, 1)");
            Add("/model/dropout", new() { Dropout = 0.5, Layers = [Dense] }, "layers");
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
            Layer("", null!, "null");
            Layer("/type", new() { Type = "resnet" }, "allowed are dense");
            Layer("/rate", new() { Type = "alpha_dropout" }, "needs a rate");
            Layer("/rate", new() { Type = "alpha_dropout", Rate = double.NaN }, "[0, 1)");
            Layer("/units", new() { Type = "batch_norm", Units = 8 }, "it has epsilon, momentum");
            Layer("/momentum", new() { Type = "layer_norm", Momentum = 0.1 }, "it has epsilon");
            Layer("/epsilon", new() { Type = "batch_norm", Epsilon = 0 }, "> 0");
            Layer("/epsilon", new() { Type = "layer_norm", Epsilon = 1e-300 }, "> 0");
            Layer("/epsilon", new() { Type = "layer_norm", Epsilon = double.NaN }, "> 0");
            Layer("/momentum", new() { Type = "batch_norm", Momentum = 0 }, "(0, 1]");
            Layer("/momentum", new() { Type = "batch_norm", Momentum = 1.5 }, "(0, 1]");
            Layer("/initializer", new() { Type = "activation", Initializer = new() { Name = "zeros" } }, "it has activation");
            Layer("/activation", new() { Type = "activation", Activation = new() { Name = "tahn" } }, "did you mean 'tanh'?");
            Layer("/layers", new() { Type = "dense", Units = 8, Layers = [Dense] }, "has no 'layers'");
            Layer("/layers", new() { Type = "residual" }, "needs layers");
            Layer("/layers", new() { Type = "residual", Layers = [] }, "at least one");
            Layer("/layers", new() { Type = "residual", Layers = [Dense with { Units = 9 }] }, "8 units into 9");
            Layer("/layers/0/layers",
                new() { Type = "residual", Layers = [new() { Type = "residual", Layers = [Dense with { Units = 9 }] }, Dense] },
                "8 units into 9");
            Layer("/layers/1/rate", new() { Type = "residual", Layers = [Dense, new() { Type = "dropout" }] }, "needs a rate");
            Layer("/layers/0/type", new() { Type = "residual", Layers = [new() { Type = "residul" }] }, "did you mean 'residual'?");
            Add("/model/layers/2",
                new() { Layers = [Dense, new() { Type = "dropout", Rate = 0.1 }, new() { Type = "alpha_dropout", Rate = 0.1 }] },
                "two dropout layers");
            Add("/model/layers",
                new() { Layers = [Dense, new() { Type = "residual", Layers = [.. Enumerable.Repeat(Dense, 999)] }] }, "not 1,001");
            Add("/model/layers/0" + string.Concat(Enumerable.Repeat("/layers/0", 16)) + "/layers",
                new() { Layers = [Nested(17)] }, "at most 16 deep");
            Add("/model/normalization", new() { Normalization = "layer_norm", Layers = [Dense] }, "short form");
            Add("/model/normalization", new() { Normalization = "btach_norm" }, "did you mean 'batch_norm'?");
            Add("/model/initializer/sparsity", new() { Initializer = new() { Name = "sparse", Sparsity = 1 } }, "[0, 1)");
            Add("/model/biasInitializer", new() { BiasInitializer = new() { Name = "orthogonal" } }, "a bias takes one of");
            return cases;
        }
    }

    private static LayerSpec Nested(int depth) => depth == 0 ? Dense : new() { Type = "residual", Layers = [Nested(depth - 1)] };

    [Theory, MemberData(nameof(WrongModels))]
    public void A_wrong_model_is_refused_at_the_place(string pointer, ModelSpec model, string says) =>
        AssertRefused(pointer, says, model: model);

    public static TheoryData<string, TrainingSpec, string> WrongTrainings
    {
        get
        {
            var cases = new TheoryData<string, TrainingSpec, string>();
            void Add(string pointer, TrainingSpec training, string says) => cases.Add("/training/" + pointer, training, says);
            void Optimizer(string pointer, OptimizerSpec optimizer, string says) =>
                Add("optimizer" + pointer, new() { Optimizer = optimizer }, says);
            Add("epochs", new() { Epochs = 0 }, "not 0");
            Add("epochs", new() { Epochs = -1 }, "not -1");
            Add("epochs", new() { Epochs = int.MaxValue }, "100,000");
            Add("batchSize", new() { BatchSize = 0 }, "at least 1");
            Add("batchSize", new() { BatchSize = 1001 }, "1,000 training rows");
            Add("loss", new() { Loss = "cross_entropi" }, "did you mean 'cross_entropy'?");
            Add("loss", new() { Loss = "binary_cross_entropy" }, "two classes");
            Add("activityL1", new() { ActivityL1 = double.NaN }, "at least 0");
            Add("activityL1", new() { ActivityL1 = -0.1 }, "at least 0");
            Add("labelSmoothing", new() { LabelSmoothing = 1 }, "[0, 1)");
            Add("labelSmoothing", new() { LabelSmoothing = 0.1, Loss = "mse" }, "the loss is mse");
            Add("huberDelta", new() { HuberDelta = 1 }, "the loss is cross_entropy");
            Add("huberDelta", new() { HuberDelta = 0, Loss = "huber" }, "> 0");
            Add("huberDelta", new() { HuberDelta = double.PositiveInfinity, Loss = "huber" }, "> 0");
            Add("clipNorm", new() { ClipNorm = 0 }, "> 0");
            Add("clipNorm", new() { ClipNorm = double.NaN }, "> 0");
            Add("earlyStopping/patience", new() { EarlyStopping = new() { Patience = 0 } }, "at least 1");
            Add("earlyStopping/minDelta", new() { EarlyStopping = new() { MinDelta = -1 } }, "at least 0");
            void Schedule(string pointer, ScheduleSpec schedule, string says) =>
                Add("schedule" + pointer, new() { Schedule = schedule }, says);
            Schedule("", new() { Name = "constnat" }, "did you mean 'constant'?");
            Schedule("", new() { Name = "onecycle" }, "did you mean 'one_cycle'?");
            Schedule("/gamma", new() { Name = "constant", Gamma = 0.5 }, "schedule 'constant'");
            Schedule("/stepSize", new() { Name = "step", StepSize = 0 }, "> 0");
            Schedule("/gamma", new() { Name = "step", Gamma = 1.5 }, "at most 1");
            Schedule("/gamma", new() { Name = "exponential", Gamma = 0 }, "> 0");
            Schedule("/stepSize", new() { Name = "exponential", StepSize = 5 }, "exponential");
            Schedule("/tMax", new() { Name = "cosine", TMax = -1 }, "> 0");
            Schedule("/etaMin", new() { Name = "cosine", EtaMin = -1 }, ">= 0");
            Schedule("/etaMin", new() { Name = "cosine", EtaMin = double.NaN }, ">= 0");
            Schedule("/pctStart", new() { Name = "one_cycle", PctStart = 1 }, "(0, 1)");
            Schedule("/pctStart", new() { Name = "one_cycle", PctStart = 0 }, "(0, 1)");
            Schedule("/divFactor", new() { Name = "one_cycle", DivFactor = -1 }, "> 0");
            Schedule("/maxMomentum", new() { Name = "one_cycle", MaxMomentum = 1 }, "[0, 1)");
            Schedule("/warmupSteps", new() { Name = "constant", WarmupSteps = -1 }, "not -1");
            Schedule("/warmupSteps", new() { Name = "constant", WarmupSteps = 160 }, "160 steps");
            Optimizer("/alpha", new() { Name = "adam", Alpha = 0.9 }, "adam");
            Optimizer("/alpha", new() { Name = "rmsprop", Alpha = 1 }, "[0, 1)");
            Optimizer("/nesterov", new() { Name = "rmsprop", Nesterov = true }, "rmsprop");
            Optimizer("/momentum", new() { Name = "adamw", Momentum = 0.9 }, "adamw");
            Optimizer("", new() { Name = "adamm" }, "did you mean 'adam'?");
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

    /// <summary>1e-46 is 0 as a float32.</summary>
    [Fact]
    public void What_must_be_above_0_is_above_0_as_the_kernels_see_it()
    {
        const double Zero = 1e-46;
        void Optimizer(string field, OptimizerSpec optimizer) =>
            AssertRefused("/training/optimizer/" + field, "> 0", training: new() { Optimizer = optimizer });
        foreach (var name in new[] { "adam", "adamw", "rmsprop" })
            Optimizer("epsilon", new() { Name = name, Epsilon = Zero });
        Optimizer("learningRate", new() { Name = "sgd", LearningRate = Zero });
        AssertRefused("/training/clipNorm", "> 0", training: new() { ClipNorm = Zero });
        AssertRefused("/training/huberDelta", "> 0", training: new() { Loss = "huber", HuberDelta = Zero });
        AssertRefused("/model/initializer/gain", "> 0", new() { Initializer = new() { Name = "orthogonal", Gain = Zero } });
        AssertRefused("/model/activation/alpha", "> 0", new() { Activation = new() { Name = "elu", Alpha = Zero } });
        AssertRefused("/model/activation/beta", "> 0", new() { Activation = new() { Name = "softplus", Beta = Zero } });
        // of which the inverse is infinite
        AssertRefused("/model/activation/beta", "1 / beta", new() { Activation = new() { Name = "softplus", Beta = 1e-39 } });
        Assert.NotNull(Check(new() { Activation = new() { Name = "softplus", Beta = 1e-38 } }).Plan);
    }

    [Fact]
    public void An_activation_that_lets_nothing_through_has_no_gain_to_initialise_by()
    {
        ActivationSpec wide = new() { Name = "soft_shrink", Lambda = 50 };
        InitializerSpec auto = new() { Name = "auto" };
        const string Says = "soft_shrink with lambda 50";
        AssertRefused("/model/initializer", Says, new() { Activation = wide, Initializer = auto });
        AssertRefused("/model/initializer", Says, new() { Activation = wide, Initializer = auto, Normalization = "layer_norm" });
        AssertRefused("/model/layers/1/initializer", Says,
            new() { Layers = [Dense, Dense with { Activation = wide, Initializer = auto }] });
        AssertRefused("/model/initializer", Says, new() { Initializer = auto, Layers = [Dense, Dense with { Activation = wide }] });
        // E[f^2] is above 0, but the gain more than a float32 holds
        AssertRefused("/model/initializer", "soft_shrink with lambda 20",
            new() { Activation = wide with { Lambda = 20 }, Initializer = auto });
        Assert.NotNull(Check(new() { Activation = wide }).Plan);
        Assert.NotNull(Check(new() { Activation = wide with { Lambda = 5 }, Initializer = auto }).Plan);
    }

    /// <summary>Refusals are read by machines, too.</summary>
    [Fact]
    public void Numbers_in_refusals_have_a_point_in_every_culture()
    {
        var before = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (comma.NumberFormat.NumberDecimalSeparator, comma.NumberFormat.NumberGroupSeparator) = (",", ".");
        CultureInfo.CurrentCulture = comma;
        try
        {
            AssertRefused("/model/activation/max", "which is 1.5, not 0.5",
                new() { Activation = new() { Name = "hard_tanh", Min = 1.5, Max = 0.5 } });
            AssertRefused("/model/activation/upper", "which is 0.75, not 0.25",
                new() { Activation = new() { Name = "rrelu", Lower = 0.75, Upper = 0.25 } });
            AssertRefused("/model/initializer/max", "which is 1.5, not 0.5",
                new() { Initializer = new() { Name = "uniform", Min = 1.5, Max = 0.5 } });
            AssertRefused("/training/optimizer/momentum", "not 1.5",
                training: new() { Optimizer = new() { Name = "sgd", Momentum = 1.5 } });
            AssertRefused("/training/labelSmoothing", "not 1.5", training: new() { LabelSmoothing = 1.5 });
            AssertRefused("/training/epochs", "from 1 to 100,000, not 100,001", training: new() { Epochs = 100_001 });
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Wrong_diagnostics_are_refused_at_the_place()
    {
        AssertRefused("/diagnostics/everySteps", "not 0", diagnostics: new() { EverySteps = 0 });
        AssertRefused("/diagnostics/evaluationRows", "not 0", diagnostics: new() { EvaluationRows = 0 });
        AssertRefused("/diagnostics/evaluationRows", "100,000", diagnostics: new() { EvaluationRows = 100_001 });
        AssertRefused("/diagnostics/rules/dead_units/warn", "> 0, not -1",
            diagnostics: new() { Rules = new() { DeadUnits = new() { Warn = -1 } } });
        AssertRefused("/diagnostics/rules/overfit/error", "rule 'overfit' has no parameter 'error'; it has enabled, warn, rise",
            diagnostics: new() { Rules = new() { Overfit = new() { Error = 1 } } });
        AssertRefused("/diagnostics/rules/update_ratio/evaluations", "from 1 to 1,000, not 0",
            diagnostics: new() { Rules = new() { UpdateRatio = new() { Evaluations = 0 } } });
        AssertRefused("/diagnostics/effectiveRank", "rows units^2",
            model: new() { HiddenLayers = [2000] }, diagnostics: new() { EffectiveRank = true });
    }

    [Fact]
    public void A_loss_must_fit_the_target()
    {
        Assert.Equal("/training/loss", Assert.Single(Check(training: new() { Loss = "cross_entropy" }, data: Number).Errors).Pointer);
        Assert.Equal("/training/loss",
            Assert.Single(Check(training: new() { Loss = "binary_cross_entropy" }, data: Number).Errors).Pointer);
        Assert.Equal("mse", Check(training: new() { Loss = "auto" }, data: Number).Plan!.Training.Loss.Name);
        Assert.Equal("cross_entropy", Check(training: new() { Loss = "auto" }).Plan!.Training.Loss.Name);
    }

    [Fact]
    public void Early_stopping_needs_validation_rows()
    {
        var error = Assert.Single(Check(training: new() { EarlyStopping = new() }, data: Digits with { ValidationRows = 0 }).Errors);
        Assert.Equal("/training/earlyStopping", error.Pointer);
        Assert.Contains("validation", error.Message);
        Assert.Equal(new EarlyStoppingPlan("loss", 5, 0), Check(training: new() { EarlyStopping = new() }).Plan!.Training.EarlyStopping);
    }

    [Fact]
    public void Schedules_default_to_the_length_of_the_run()
    {
        ScheduleSpec Resolved(string name) => Check(training: new() { Schedule = new() { Name = name } }).Plan!.Training.Schedule.Spec;
        Assert.Equal((54, 0.1), (Resolved("step").StepSize, Resolved("step").Gamma));
        Assert.Equal(0.01, Math.Pow(Resolved("exponential").Gamma!.Value, 160), 1e-9);
        Assert.Equal((160, 0), (Resolved("cosine").TMax, Resolved("cosine").EtaMin));
        Assert.Equal(new ScheduleSpec
        {
            Name = "one_cycle",
            WarmupSteps = 0,
            PctStart = 0.3,
            DivFactor = 25,
            FinalDivFactor = 1e4,
            CycleMomentum = true,
            BaseMomentum = 0.85,
            MaxMomentum = 0.95
        },
            Resolved("one_cycle"));
    }

    [Fact]
    public void All_errors_are_told_at_once()
    {
        var (plan, errors) = Check(new() { HiddenLayers = [0], Activation = new() { Name = "x" } },
            new() { Epochs = 0 }, new() { EverySteps = 0 });
        Assert.Null(plan);
        Assert.Equal(["/diagnostics/everySteps", "/model/activation", "/model/hiddenLayers/0", "/training/epochs"],
            errors.Select(e => e.Pointer).Order());
    }

    [Fact]
    public void Every_default_is_filled_in()
    {
        var plan = Check().Plan!;
        var model = plan.Model.Spec;
        Assert.Equal([256, 128], model.HiddenLayers!);
        Assert.Equal(("relu", "kaiming_normal", "zeros", 0, "none"),
            (model.Activation!.Name, model.Initializer!.Name, model.BiasInitializer!.Name, model.Dropout, model.Normalization));
        OptimizerSpec common = new() { Name = "sgd", LearningRate = 0.001, WeightDecay = 0, WeightDecayExclude = "none" };
        Assert.Equal(common with { LearningRate = 0.05, Momentum = 0.9, Nesterov = false }, plan.Training.Optimizer.Spec);
        var training = plan.Training.Spec;
        Assert.Equal((10, 64, 1, "constant", "cross_entropy"),
            (training.Epochs, training.BatchSize, training.Seed, training.Schedule!.Name, training.Loss));
        Assert.Equal((2048, false), (plan.Diagnostics.EvaluationRows, plan.Diagnostics.EffectiveRank));
        Assert.Equal(new DeadUnitsRule(true, 0.1, 0.5), plan.Diagnostics.Rules.DeadUnits);
        Assert.Equal((0, 0, null, null, null),
            (training.ActivityL1, training.LabelSmoothing, training.HuberDelta, training.ClipNorm, training.EarlyStopping));
        Assert.Equal((null, null), (training.StandardizeTarget, training.ClassWeights));
        Assert.True(Check(data: Number).Plan!.Training.Spec.StandardizeTarget);
        Assert.Equal(0.01, Check(data: Number).Plan!.Training.Optimizer.LearningRate);
        Assert.Equal(1, Check(training: new() { Loss = "huber" }).Plan!.Training.Spec.HuberDelta);
        Assert.Equal(0.01, Check(training: new() { Optimizer = new() { Name = "adamw" } }).Plan!.Training.Optimizer.WeightDecay);
        Assert.Equal(common with { Name = "rmsprop", Alpha = 0.99, Epsilon = 1e-8, Momentum = 0 },
            Check(training: new() { Optimizer = new() { Name = "rmsprop" } }).Plan!.Training.Optimizer.Spec);
        Assert.Equal(common with { Name = "adam", Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8 },
            Check(training: new() { Optimizer = new() { Name = "adam" } }).Plan!.Training.Optimizer.Spec);
    }

    [Fact]
    public void A_resolved_plan_checks_again_without_change()
    {
        TrainingSpec training = new()
        {
            Loss = "huber",
            Schedule = new() { Name = "one_cycle", WarmupSteps = 3 },
            EarlyStopping = new(),
            Optimizer = new() { Name = "rmsprop" }
        };
        LayerSpec[] layers = [Dense, new() { Type = "dropout", Rate = 0.3 }, new() { Type = "batch_norm" }, new() { Type = "layer_norm" },
            Dense with { Activation = new() { Name = "swish" } }];
        var plan = Check(new() { Layers = layers, Initializer = new() { Name = "rai" } }, training).Plan!;
        var again = Check(plan.Model.Spec, plan.Training.Spec, plan.Diagnostics.Spec).Plan!;
        var nested = Check(new() { Layers = [Dense, new() { Type = "residual", Layers = layers }] }).Plan!.Model.Spec;
        Assert.Equal(nested.Layers![1].Layers!, Check(nested).Plan!.Model.Spec.Layers![1].Layers!);
        Assert.Equal(plan.Training, again.Training);
        Assert.Equal(plan.Diagnostics, again.Diagnostics);
        Assert.Equal(plan.Model.Layers, again.Model.Layers);
        Assert.Equal(plan.Model.Spec with { Layers = null }, again.Model.Spec with { Layers = null });
        var shortForm = Check().Plan!;
        Assert.NotNull(Check(shortForm.Model.Spec, shortForm.Training.Spec, shortForm.Diagnostics.Spec).Plan);
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
        Assert.Equal(64 * 5 + 5 + 5 * 10 + 10 + 5,
            Check(shared with { Activation = shared.Activation with { Shared = false } }).Plan!.ParameterCount);
        Assert.Equal(64 * 5 + 5 + 10 + 5 * 10 + 10, Check(new() { HiddenLayers = [5], Normalization = "batch_norm" }).Plan!.ParameterCount);
        Assert.Equal(64 * 8 + 8 + 8 * 8 + 8 + 8 * 10 + 10,
            Check(new() { Layers = [Dense, new() { Type = "residual", Layers = [Dense] }] }).Plan!.ParameterCount);
        Assert.Equal(8 * 5 + 5 + 5 + 1, Check(new() { HiddenLayers = [5] }, data: Number).Plan!.ParameterCount);
        Assert.Equal(2 * 3 * 1000.0 * (64 * 5 + 5 * 10) * 10, Check(new() { HiddenLayers = [5] }).Plan!.FloatingPointOperations, 2e7);
    }

    [Fact]
    public void The_largest_allowed_net_passes() => Assert.NotNull(Check(new() { HiddenLayers = [.. Enumerable.Repeat(100, 1000)] }).Plan);

    private static void AssertRefused(string pointer, string says, ModelSpec? model = null,
        TrainingSpec? training = null, DiagnosticsSpec? diagnostics = null)
    {
        var (plan, errors) = Check(model, training, diagnostics);
        Assert.Null(plan);
        var error = Assert.Single(errors);
        Assert.Equal(pointer, error.Pointer);
        Assert.Contains(says, error.Message);
    }

    private static (RunPlan? Plan, List<SpecError> Errors) Check(ModelSpec? model = null,
        TrainingSpec? training = null, DiagnosticsSpec? diagnostics = null, DataShape? data = null)
    {
        var errors = new List<SpecError>();
        return (RunPlan.Check(model ?? new(), training ?? new(), diagnostics ?? new(), data ?? Digits, errors), errors);
    }
}
