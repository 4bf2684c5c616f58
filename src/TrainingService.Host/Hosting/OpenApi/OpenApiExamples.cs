using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using TrainingService.Host.Http;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>Request bodies that run as they are on the built-in data, and what the service answers.</summary>
public static class OpenApiExamples
{
    /// <summary>Answers by operation and status, as a test has recorded them (<c>UPDATE_EXAMPLES=1</c>), long lists cut.</summary>
    private static readonly JsonObject Recorded = Read("answers.json");

    /// <summary>Those that can't be recorded, because asking would change who may ask, or where no answer comes at all.</summary>
    private static readonly JsonObject Written = Read("written.json");

    /// <summary>What isn't found, by tag.</summary>
    private static readonly Dictionary<string, string> Missing = new()
    {
        ["Jobs"] = "There is no job 01a20db1-0f1a-7205-a312-26defe202782.",
        ["Metrics"] = "There is no job 01a20db1-0f1a-7205-a312-26defe202782.",
        ["Models"] = "There is no model 'churn'; GET /api/v1/models lists them.",
        ["Sweeps"] = "There is no sweep 01a22163-decf-7027-81d7-3c1f48a6347c.",
        ["Studies"] = "There is no study 'init-paring': did you mean 'init-pairing'? GET /api/v1/studies lists them.",
        ["Datasets"] = "There is no dataset 'digit': did you mean 'digits'?",
        ["Catalogue"] = "There is no activation 'leaky_rely': did you mean 'leaky_relu'?",
        ["Webhooks"] = "There is no delivery 01a2221c-7d5e-7c3a-9b0e-5f8f3f0f6f5a; GET /api/v1/webhooks/deliveries lists those there are.",
        ["Keys"] = "There is no key 01a22170-0c1a-7a10-8a55-1d9be0a9c001.",
    };

    /// <summary>A place in the request and what is wrong there, by tag.</summary>
    private static readonly Dictionary<string, (string Place, string Message)> Mistakes = new()
    {
        ["Jobs"] = ("/model/activation", "unknown activation 'leaky_rely': did you mean 'leaky_relu'?"),
        ["Metrics"] = ("/maxPoints", "must be from 1 to 1,000,000, not 0"),
        ["Models"] = ("/inputs/0", "has 3 values, and the net was trained on 4 columns"),
        ["Sweeps"] = ("/baseline", "there is no arm 'rely': did you mean 'relu'?"),
        ["Studies"] = ("/dataset", "unknown dataset 'digit': did you mean 'digits'?"),
        ["Datasets"] = ("/target", "the file has no column 'boght': did you mean 'bought'?"),
        ["Catalogue"] = ("/negativeSlope", "must be a finite number, not 'x'"),
        ["Webhooks"] = ("/status", "must be pending, delivered or failed, not 'sent'"),
        ["Keys"] = ("/scopes/0", "must be one of read, submit, admin, not 'write'"),
    };

    private static readonly Dictionary<int, string> Details = new()
    {
        [406] = "This comes as application/json, text/csv or application/x-ndjson; 'image/png' is not supported.",
        [410] = "Its weights were retired after 90 days.",
        [412] = "The job has changed since: read it again.",
        [413] = "The body may have at most 1048576 bytes here.",
        [415] = "The body can't be sent as 'application/x-www-form-urlencoded' here; JSON is sent as 'application/json': curl, which says "
            + "otherwise by itself, needs -H 'Content-Type: application/json'.",
        [422] = "A request with the same Idempotency-Key but another method, path or body was answered in the last 24 hours. Use a new key "
            + "for a new request.",
        [500] = "An unexpected error; the service's log has it under this traceId.",
        [503] = "The database does not answer; try again in a moment.",
    };

    /// <summary>What an operation answered once; null where nothing was recorded.</summary>
    public static JsonNode? Answer(string operation, string status) =>
        (Recorded[operation]?[status] ?? Written[operation]?[status])?.DeepClone();

    /// <summary>A problem as this operation would have it.</summary>
    /// <param name="tag">Of the operation.</param>
    /// <param name="described">What the operation says of the status.</param>
    public static JsonNode? Problem(int status, string tag, string? described)
    {
        var mistake = Mistakes.GetValueOrDefault(tag, Mistakes["Jobs"]);

        if (Problems.Kinds.LastOrDefault(kind => kind.Status == status && (status != 400 || kind == Problems.Kinds[0])) is not { } kind)
            return null;
        var problem = new JsonObject
        {
            ["type"] = kind.Type,
            ["title"] = kind.Title,
            ["status"] = status,
            ["detail"] = status switch
            {
                400 => $"{mistake.Place}: {mistake.Message}",
                404 => Missing.GetValueOrDefault(tag, Missing["Jobs"]),
                409 => described?.ReplaceLineEndings(" ").Trim() ?? $"{kind.Title}.",
                _ => Details.GetValueOrDefault(status, $"{kind.Title}."),
            },
            ["traceId"] = "0af7651916cd43dd8448eb211c80319c",
        };
        if (status == 400)
            problem["errors"] = new JsonObject
            {
                [mistake.Place] = new JsonArray(mistake.Message),
            };
        return problem;
    }

    /// <summary>Data sets that every service has, to choose from; one's own names can be typed as well.</summary>
    public static Dictionary<string, IOpenApiExample> Datasets() => new()
    {
        ["digits"] = Named("digits", "8x8 pictures of ten digits"),
        ["iris"] = Named("iris", "four measures of three flowers"),
        ["wine"] = Named("wine", "thirteen measures of three wines"),
        ["breast_cancer"] = Named("breast_cancer", "thirty measures, two classes"),
        ["penguins"] = Named("penguins", "categories and missing values"),
        ["spirals"] = Named("spirals", "two features that no line parts"),
        ["friedman1"] = Named("friedman1", "a number to predict"),
    };

    private static OpenApiExample Named(string name, string summary) => new() { Summary = $"{name}: {summary}", Value = name };

    private static JsonObject Read(string name)
    {
        using var file = typeof(OpenApiExamples).Assembly.GetManifestResourceStream($"OpenApi/{name}")
            ?? throw new InvalidOperationException("The recorded answers are missing.");
        return (JsonObject?)JsonNode.Parse(file) ?? [];
    }

    public static IReadOnlyDictionary<string, Func<Dictionary<string, IOpenApiExample>>> ByOperation { get; } =
        new Dictionary<string, Func<Dictionary<string, IOpenApiExample>>>
        {
            ["createJob"] = Jobs,
            ["validateJob"] = Jobs,
            ["cloneJob"] = Clones,
            ["changeJobs"] = Changes,
            ["predictByJob"] = Predictions,
            ["predictByModel"] = Predictions,
            ["createSweep"] = Sweeps,
            ["validateSweep"] = Sweeps,
            ["extendSweep"] = Extensions,
            ["runStudy"] = Studies,
            ["validateStudy"] = Studies,
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

    private static Dictionary<string, IOpenApiExample> Clones() => new()
    {
        ["seed"] = Example("The same with another seed", """{"training": {"seed": 2}}"""),
    };

    private static Dictionary<string, IOpenApiExample> Changes() => new()
    {
        ["cancel"] = Example("Cancel what waits with a label",
            """{"filter": {"status": ["queued"], "label": ["team=a"]}, "action": "cancel"}"""),
    };

    private static Dictionary<string, IOpenApiExample> Predictions() => new()
    {
        ["rows"] = Example("Of a net that was trained on iris", """{"inputs": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 4.7, 1.5]]}"""),
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
