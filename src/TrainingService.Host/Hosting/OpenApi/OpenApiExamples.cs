using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>Bodies for <c>POST /jobs</c> that run as they are on the built-in data.</summary>
public static class OpenApiExamples
{
    public static Dictionary<string, IOpenApiExample> Jobs() => new()
    {
        ["smallest"] = Example("The smallest request: defaults for all but the data", """{"dataset": "digits"}"""),
        ["leaky-relu"] = Example("Leaky ReLU with He's initialisation, named and labelled", """
            {
              "name": "digits, leaky relu, he",
              "dataset": "digits",
              "model": {"hiddenLayers": [128, 64], "activation": {"name": "leaky_relu", "negativeSlope": 0.01}, "initializer": "kaiming_normal"},
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
