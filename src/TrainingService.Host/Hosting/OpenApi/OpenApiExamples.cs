using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>Request bodies that run as they are on the built-in data.</summary>
public static class OpenApiExamples
{
    public static IReadOnlyDictionary<string, Func<Dictionary<string, IOpenApiExample>>> ByOperation { get; } =
        new Dictionary<string, Func<Dictionary<string, IOpenApiExample>>>
        {
            ["createJob"] = Jobs,
            ["createSweep"] = Sweeps,
            ["extendSweep"] = Extensions,
            ["runStudy"] = Studies,
        };

    private static Dictionary<string, IOpenApiExample> Sweeps() => new()
    {
        ["arms"] = Example("Two activations, six seeds each: the least with which a difference can be significant", """
            {
              "name": "leaky relu against relu",
              "base": {"dataset": "digits", "model": {"hiddenLayers": [64]}, "training": {"epochs": 5}},
              "arms": [
                {"name": "relu", "patch": {"model": {"activation": "relu"}}},
                {"name": "leaky", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.1}}}}
              ],
              "seedCount": 6
            }
            """),
        ["grid"] = Example("Every combination of activations and initialisers", """
            {
              "base": {"dataset": "iris", "model": {"hiddenLayers": [16, 16]}, "training": {"epochs": 20}},
              "grid": {"/model/activation": ["relu", "tanh"],
                       "/model/initializer": ["kaiming_normal", "xavier_normal", {"name": "normal", "std": 0.01}]},
              "seeds": [1, 2, 3, 4, 5, 6, 7, 8],
              "baseline": "relu, kaiming_normal"
            }
            """),
        ["until-decided"] = Example("As many seeds as it takes to decide, 40 at most, and no new ones after two minutes", """
            {
              "name": "tanh against relu, until decided",
              "base": {"dataset": "digits", "model": {"hiddenLayers": [32]}, "training": {"epochs": 5}},
              "arms": [
                {"name": "relu", "patch": {"model": {"activation": "relu"}}},
                {"name": "tanh", "patch": {"model": {"activation": "tanh"}}}
              ],
              "seeds": {"until": "decided", "atLeast": 6, "atMost": 40},
              "budgetSeconds": 120
            }
            """),
        ["tune"] = Example("The learning rate tuned for each arm on validation rows, before the arms are compared by their test loss", """
            {
              "base": {"dataset": {"name": "wine", "validationFraction": 0.2}, "training": {"epochs": 20}},
              "arms": [
                {"name": "sgd", "patch": {"training": {"optimizer": "sgd"}}},
                {"name": "adam", "patch": {"training": {"optimizer": "adam"}}}
              ],
              "tune": {"/training/optimizer/learningRate": [0.001, 0.01, 0.1]},
              "seedCount": 6,
              "metric": "testLoss", "delta": 0.02
            }
            """),
        ["numbers"] = Example("On numbers to predict, with comparisons of one's own", """
            {
              "base": {"dataset": "friedman1", "model": {"hiddenLayers": [32]}, "training": {"epochs": 10}},
              "arms": [
                {"name": "relu"},
                {"name": "gelu", "patch": {"model": {"activation": "gelu"}}},
                {"name": "silu", "patch": {"model": {"activation": "silu"}}}
              ],
              "metric": "testRmse", "delta": 0.1,
              "contrasts": [{"arm": "gelu", "baseline": "relu"}, {"arm": "silu", "baseline": "gelu"}]
            }
            """),
    };

    private static Dictionary<string, IOpenApiExample> Extensions() => new()
    {
        ["seeds"] = Example("Up to twelve seeds in all", """{"seedCount": 12}"""),
        ["arms"] = Example("One more arm", """{"arms": [{"name": "elu", "patch": {"model": {"activation": "elu"}}}]}"""),
    };

    private static Dictionary<string, IOpenApiExample> Studies() => new()
    {
        ["quick"] = Example("Under two minutes on two cores", "{}"),
        ["own"] = Example("On other data, with a few seeds", """{"size": "quick", "dataset": "wine", "seedCount": 6}"""),
    };

    private static Dictionary<string, IOpenApiExample> Jobs() => new()
    {
        ["smallest"] = Example("The smallest request: defaults for all but the data", """{"dataset": "digits"}"""),
        ["leaky-relu"] = Example("Leaky ReLU with He's initialisation, named and labelled", """
            {
              "name": "digits, leaky relu, he",
              "dataset": "digits",
              "model": {"hiddenLayers": [128, 64], "activation": {"name": "leaky_relu", "negativeSlope": 0.01},
                        "initializer": "kaiming_normal"},
              "training": {"epochs": 20, "batchSize": 64, "seed": 1, "optimizer": {"name": "sgd", "learningRate": 0.05, "momentum": 0.9}},
              "labels": {"team": "a"}
            }
            """),
        ["saturation"] = Example("A deep sigmoid net, to watch its gradients vanish in /layers", """
            {
              "name": "saturation",
              "dataset": {"name": "digits", "validationFraction": 0.2},
              "model": {"hiddenLayers": [64, 64, 64, 64, 64], "activation": "sigmoid", "initializer": {"name": "normal", "std": 1}},
              "training": {"epochs": 10, "optimizer": "sgd"},
              "diagnostics": {"everySteps": 20}
            }
            """),
        ["long-form"] = Example("Layer by layer, with dropout, trained by Adam", """
            {
              "dataset": {"name": "wine", "standardize": true},
              "model": {
                "layers": [
                  {"type": "dense", "units": 64, "activation": "gelu", "initializer": "lecun_normal"},
                  {"type": "dropout", "rate": 0.2},
                  {"type": "dense", "units": 32, "activation": {"name": "prelu", "init": 0.25}}
                ]
              },
              "training": {"epochs": 50, "batchSize": 16, "optimizer": {"name": "adam", "learningRate": 0.001}}
            }
            """),
        ["residual"] = Example("Residual blocks with batch norm, a one-cycle schedule and early stopping", """
            {
              "dataset": {"name": "digits", "validationFraction": 0.2},
              "model": {
                "activation": "relu",
                "layers": [
                  {"type": "dense", "units": 64},
                  {"type": "residual", "layers": [
                    {"type": "dense", "units": 64, "activation": "identity"},
                    {"type": "batch_norm"},
                    {"type": "activation"},
                    {"type": "dense", "units": 64, "activation": "identity"}
                  ]},
                  {"type": "dense", "units": 32}
                ]
              },
              "training": {
                "epochs": 40, "optimizer": {"name": "adamw", "learningRate": 0.01},
                "schedule": "one_cycle", "clipNorm": 1, "labelSmoothing": 0.1, "earlyStopping": {"patience": 10}
              }
            }
            """),
        ["two-classes"] = Example("Two classes on one output", """
            {
              "dataset": "breast_cancer",
              "model": {"hiddenLayers": [32], "activation": "tanh", "initializer": "xavier_uniform"},
              "training": {"loss": "binary_cross_entropy"}
            }
            """),
    };

    private static OpenApiExample Example(string summary, string json) => new() { Summary = summary, Value = JsonNode.Parse(json) };
}
