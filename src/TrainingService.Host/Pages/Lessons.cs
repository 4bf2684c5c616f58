namespace TrainingService.Host.Pages;

/// <summary>A field that one turns before starting.</summary>
/// <param name="Label">What it is called.</param>
/// <param name="Place">Where it stands in a job's spec, as a JSON pointer.</param>
/// <param name="Values">As JSON.</param>
/// <param name="Standard">The one that shows it best.</param>
public sealed record Knob(string Label, string Place, IReadOnlyList<string> Values, string Standard);

/// <summary>A claim in few words, and two nets that show it while they learn.</summary>
/// <param name="Slug">In addresses.</param>
/// <param name="Claim">One sentence.</param>
/// <param name="Words">Why, in two or three.</param>
/// <param name="Sight">What one sees if it is so.</param>
/// <param name="Base">What both nets have, as a job.</param>
/// <param name="Left">The first net: its name, and the merge patch that makes it.</param>
/// <param name="Right">The second one.</param>
/// <param name="Knob">What can be turned, for both.</param>
/// <param name="Measure">What to look at, a series of <c>/layers</c>.</param>
/// <param name="Study">That tests it with many seeds.</param>
public sealed record Lesson(string Slug, string Claim, string Words, string Sight, string Base, (string Name, string Patch) Left,
    (string Name, string Patch) Right, Knob Knob, string Measure, string Study);

/// <summary>The lessons, from the first.</summary>
public static class Lessons
{
    private const string Rate = "/training/optimizer/learningRate";

    public static IReadOnlyList<Lesson> All { get; } =
    [
        new("dying-relu", "A ReLU unit can die, and seldom comes back.",
            "A ReLU unit passes what is positive and nothing else. One step that is too large can push it below zero for every row; then "
            + "no gradient reaches it, and only what changes before it can bring it back. A leaky unit still gets a little gradient.",
            "On the left squares go dark as units die, and the accuracy falls. On the right none does. At 0.02 neither has trouble; at 0.1 "
            + "the leaky net explodes, so the leak is no cure for a rate that is too large.",
            """{"dataset": "digits", "model": {"hiddenLayers": [64, 64]}, "training": {"epochs": 15, "batchSize": 32, "seed": 2}}""",
            ("ReLU", """{"model": {"activation": "relu"}}"""),
            ("leaky ReLU", """{"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.1}}}"""),
            new("Learning rate", Rate, ["0.02", "0.05", "0.06", "0.08", "0.1"], "0.08"), "deadFraction", "dying-units"),
        new("born-dead", "A deep, narrow net can be dead before it has learned anything.",
            "Each ReLU unit is off for about half of the inputs. In a narrow net a whole layer may be off at once, and then its output is "
            + "the same for every input.",
            "The brown squares were dead at step 0. In the narrow net they fill whole layers, for most seeds; in the wide one they don't.",
            """{"dataset": "digits", "model": {"activation": "relu"}, "training": {"epochs": 6, "seed": 1}}""",
            ("3 units a layer", """{"model": {"hiddenLayers": [3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]}}"""),
            ("48 units a layer", """{"model": {"hiddenLayers": [48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48]}}"""),
            new("Seed", "/training/seed", ["1", "2", "3", "4", "5", "6"], "1"), "deadFraction", "born-dead"),
        new("thirty-layers", "Thirty layers stand still if the first weights are too small.",
            "Xavier's weights are right for a line, and half of a ReLU is flat: each layer halves the signal's square. Kaiming's have "
            + "twice the variance and keep it.",
            "With Xavier the gradient shrinks from right to left by a factor of a thousand and more, and the accuracy stays at chance.",
            """
            {"dataset": "digits", "model": {"activation": "relu", "hiddenLayers": [48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48,
            48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48, 48]}, "training": {"epochs": 8, "seed": 1}}
            """,
            ("Xavier", """{"model": {"initializer": "xavier_normal"}}"""), ("Kaiming", """{"model": {"initializer": "kaiming_normal"}}"""),
            new("Learning rate", Rate, ["0.002", "0.005", "0.01", "0.02"], "0.005"), "gradientRms", "init-pairing"),
        new("saturation", "Tanh stops learning where it is flat.",
            "Far from zero tanh hardly rises, so hardly any gradient passes. Weights that are too large push every unit there at once.",
            "With large weights most entries are saturated from the start, and the accuracy comes late.",
            """
            {"dataset": "digits", "model": {"activation": "tanh", "hiddenLayers": [64, 64, 64]}, "training": {"epochs": 12, "seed": 1}}
            """,
            ("large weights", """{"model": {"initializer": {"name": "normal", "std": 1}}}"""),
            ("Xavier", """{"model": {"initializer": "xavier_normal"}}"""),
            new("Learning rate", Rate, ["0.01", "0.05", "0.1"], "0.05"), "saturation", "saturation"),
        new("sparsity", "Half of a ReLU layer is zero, and it can be driven much further.",
            "On symmetric inputs a ReLU is off half of the time. A penalty on what units put out makes them quieter still.",
            "With the penalty more entries are zero. Watch how long the accuracy holds.",
            """{"dataset": "digits", "model": {"activation": "relu", "hiddenLayers": [128, 128]}, "training": {"epochs": 15, "seed": 1}}""",
            ("no penalty", """{"training": {"activityL1": 0}}"""), ("penalty", """{"training": {"activityL1": 0.001}}"""),
            new("Learning rate", Rate, ["0.02", "0.05"], "0.05"), "sparsity", "sparsity-knee"),
        new("slope", "The leak's slope is a choice, and a large one costs.",
            "With slope 1 a leaky ReLU is a straight line, and a net of lines is a line however deep it is.",
            "The net of straight lines learns at once and stays below the other on data that no line parts.",
            """{"dataset": "spirals", "model": {"hiddenLayers": [48, 48]}, "training": {"epochs": 40, "seed": 1}}""",
            ("slope 1", """{"model": {"activation": {"name": "leaky_relu", "negativeSlope": 1}}}"""),
            ("slope 0.01", """{"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.01}}}"""),
            new("Learning rate", Rate, ["0.02", "0.05", "0.1"], "0.05"), "offRate", "slope-sweep"),
        new("zero-centred", "ReLU's outputs are never centred.",
            "What is never negative has a mean above zero. A slope of 0.01 changes that by one per cent; ELU's negative side by far more.",
            "The mean of ReLU's outputs lies at half of their size at every depth; ELU's at a quarter.",
            """{"dataset": "digits", "model": {"hiddenLayers": [96, 96, 96]}, "training": {"epochs": 12, "seed": 1}}""",
            ("ReLU", """{"model": {"activation": "relu"}}"""), ("ELU", """{"model": {"activation": "elu"}}"""),
            new("Learning rate", Rate, ["0.02", "0.05"], "0.05"), "centredness", "zero-centring"),
        new("dead-layer", "One dead layer is enough.",
            "People say that a net stops only if all units of all layers die. In a plain chain one layer that is off for every row "
            + "suffices: no gradient passes it, and all inputs look the same behind it.",
            "On the left the second layer is dark, and the third, which hears nothing. No gradient reaches the first, and the "
            + "accuracy is that of guessing.",
            """{"dataset": "digits", "training": {"epochs": 10, "seed": 1, "optimizer": {"name": "sgd", "momentum": 0.9}}}""",
            ("second layer dead", """
            {"model": {"layers": [{"type": "dense", "units": 64, "activation": "relu"}, {"type": "dense", "units": 64, "activation": "relu",
            "biasInitializer": {"name": "constant", "value": -100}}, {"type": "dense", "units": 64, "activation": "relu"}]}}
            """),
            ("all alive", """
            {"model": {"layers": [{"type": "dense", "units": 64, "activation": "relu"},
            {"type": "dense", "units": 64, "activation": "relu"}, {"type": "dense", "units": 64, "activation": "relu"}]}}
            """),
            new("Learning rate", Rate, ["0.02", "0.05"], "0.05"), "deadFraction", "dead-layers"),
        new("dropout", "Dropout on a layer that is nearly silent adds little.",
            "Dropout silences units at random. Where most are silent anyway, there is less left for it to do.",
            "Compare the two accuracies, then look at how many entries are zero.",
            """
            {"dataset": "digits", "model": {"activation": "relu", "hiddenLayers": [256, 256]}, "training": {"epochs": 20, "seed": 1,
            "activityL1": 0.001}}
            """,
            ("no dropout", """{"model": {"dropout": 0}}"""), ("dropout 0.5", """{"model": {"dropout": 0.5}}"""),
            new("Learning rate", Rate, ["0.02", "0.05"], "0.05"), "sparsity", "dropout-vs-sparsity"),
        new("capacity", "A net needs room before it can learn.",
            "A layer of few units has few ways to bend. More of them fit more, up to where the data have no more to tell.",
            "The narrow net's training curve ends below the wide one's.",
            """{"dataset": "digits", "model": {"activation": "relu"}, "training": {"epochs": 20, "seed": 1}}""",
            ("3 units", """{"model": {"hiddenLayers": [3]}}"""), ("64 units", """{"model": {"hiddenLayers": [64]}}"""),
            new("Learning rate", Rate, ["0.02", "0.05"], "0.05"), "offRate", "capacity"),
        new("cost", "A cleverer activation costs time, and little of it.",
            "ELU needs an exponential where ReLU needs a comparison. Beside the matrix products of a layer that is a small part.",
            "Both learn; compare the rows a second on the pages of the two jobs.",
            """{"dataset": "digits", "model": {"hiddenLayers": [256, 256]}, "training": {"epochs": 20, "seed": 1}}""",
            ("ReLU", """{"model": {"activation": "relu"}}"""), ("ELU", """{"model": {"activation": "elu"}}"""),
            new("Learning rate", Rate, ["0.02", "0.05"], "0.05"), "rmsActivation", "activation-cost"),
        new("default", "So why is ReLU still the default?",
            "Where nothing dies, the leak has nothing to mend. Whether that is so for your data is a question that one run can't answer.",
            "Two curves that lie close. Which is better by luck? Ask with many seeds.",
            """{"dataset": "digits", "model": {"hiddenLayers": [128, 64]}, "training": {"epochs": 15}}""",
            ("ReLU", """{"model": {"activation": "relu"}}"""), ("leaky ReLU", """{"model": {"activation": "leaky_relu"}}"""),
            new("Seed", "/training/seed", ["1", "2", "3", "4", "5", "6", "7", "8"], "1"), "deadFraction", "relu-vs-leaky-relu"),
    ];

    public static Lesson? Find(string slug) => All.FirstOrDefault(lesson => lesson.Slug == slug);
}
