using System.Text.Json.Nodes;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>What patches and a grid's values make of what was asked for. Braces are left out around whole texts.</summary>
public sealed class MergePatchTests
{
    private const string Elu = """ "model": {"activation": {"name": "elu", "alpha": 2}} """,
        Sgd = """ "training": {"optimizer": {"name": "sgd", "learningRate": 0.1, "nesterov": true}} """,
        Cosine = """ "training": {"schedule": {"name": "cosine", "warmupSteps": 5}} """,
        Digits = """ "dataset": {"name": "digits", "validationFraction": 0.2} """,
        Huber = """ "training": {"loss": "huber", "huberDelta": 2} """,
        Smooth = """ "training": {"loss": "cross_entropy", "labelSmoothing": 0.1} """,
        Deep = """
             "model": {"activation": {"name": "tanh"},
                       "layers": [{"type": "dense", "activation": {"name": "tanh"}},
                                  {"type": "dense", "activation": {"name": "elu"}}, {"type": "dense"}]} 
            """;

    [Theory]
    // a name alone, plain or as an object
    [InlineData(Elu, """ "model": {"activation": "leaky_relu"} """, """ "model": {"activation": {"name": "leaky_relu"}} """)]
    [InlineData(Elu, """ "model": {"activation": {"name": "leaky_relu"}} """, """ "model": {"activation": {"name": "leaky_relu"}} """)]
    [InlineData(Elu, """ "model": {"activation": "elu"} """, Elu)]
    [InlineData(Sgd, """ "training": {"optimizer": "adam"} """, """ "training": {"optimizer": {"name": "adam"}} """)]
    [InlineData(Sgd, """ "training": {"optimizer": {"name": "adam", "learningRate": 0.1}} """,
        """ "training": {"optimizer": {"name": "adam", "learningRate": 0.1}} """)]
    [InlineData(Cosine, """ "training": {"schedule": "constant"} """, """ "training": {"schedule": {"name": "constant"}} """)]
    [InlineData(""" "model": {"initializer": {"name": "he_normal", "mode": "fan_out"}} """,
        """ "model": {"initializer": "kaiming_normal"} """,
        """ "model": {"initializer": {"name": "kaiming_normal", "mode": "fan_out"}} """)]
    [InlineData(""" "model": {"biasInitializer": {"name": "constant", "value": 3}} """,
        """ "model": {"biasInitializer": "zeros"} """, """ "model": {"biasInitializer": {"name": "zeros"}} """)]
    // how the rows are used is no parameter of the data
    [InlineData(Digits, """ "dataset": "iris" """, """ "dataset": {"name": "iris", "validationFraction": 0.2} """)]
    // parameters alone belong to what is there, or to the default
    [InlineData(Elu, """ "model": {"activation": {"alpha": 3}} """, """ "model": {"activation": {"name": "elu", "alpha": 3}} """)]
    [InlineData(Digits, """ "training": {"optimizer": {"learningRate": 0.5}} """,
        Digits + """, "training": {"optimizer": {"learningRate": 0.5, "name": "sgd"}} """)]
    [InlineData(Digits, """ "training": {"schedule": {"warmupSteps": 5}} """,
        Digits + """, "training": {"schedule": {"warmupSteps": 5, "name": "constant"}} """)]
    [InlineData(Digits, """ "model": {"initializer": {"mode": "fan_out"}} """,
        Digits + """, "model": {"initializer": {"mode": "fan_out", "name": "kaiming_normal"}} """)]
    [InlineData(""" "model": {"initializer": {"name": "torch_default"}} """, """ "model": {"biasInitializer": {}} """,
        """ "model": {"initializer": {"name": "torch_default"}, "biasInitializer": {"name": "torch_default"}} """)]
    [InlineData(""" "training": {"optimizer": {"name": "adam", "beta1": 0.5}} """,
        """ "training": {"optimizer": {"name": null, "learningRate": 0.5}} """,
        """ "training": {"optimizer": {"learningRate": 0.5, "name": "sgd"}} """)]
    // null takes out
    [InlineData(Sgd, """ "training": {"optimizer": {"nesterov": null}} """,
        """ "training": {"optimizer": {"name": "sgd", "learningRate": 0.1}} """)]
    [InlineData(Sgd, """ "training": {"optimizer": null} """, """ "training": {} """)]
    [InlineData(""" "training": {"earlyStopping": {"patience": 3}, "clipNorm": 1} """,
        """ "training": {"earlyStopping": null, "clipNorm": null} """, """ "training": {} """)]
    [InlineData(""" "diagnostics": {"rules": {"dead_units": {"warn": 0.3, "error": 0.6}}} """,
        """ "diagnostics": {"rules": {"dead_units": {"error": null}}} """, """ "diagnostics": {"rules": {"dead_units": {"warn": 0.3}}} """)]
    // a loss's parameters stand beside it
    [InlineData(Huber, """ "training": {"loss": "mse"} """, """ "training": {"loss": "mse"} """)]
    [InlineData(Huber, """ "training": {"loss": null} """, """ "training": {} """)]
    [InlineData(Huber, """ "training": {"loss": "huber"} """, Huber)]
    [InlineData(Huber, """ "training": {"loss": "mse", "huberDelta": 3} """, """ "training": {"loss": "mse", "huberDelta": 3} """)]
    [InlineData(Smooth, """ "training": {"loss": "mse"} """, """ "training": {"loss": "mse"} """)]
    [InlineData(Smooth, """ "training": {"loss": "auto"} """, """ "training": {"loss": "auto", "labelSmoothing": 0.1} """)]
    // the forms of a model
    [InlineData(Deep, """ "model": {"hiddenLayers": [4]} """, """ "model": {"activation": {"name": "tanh"}, "hiddenLayers": [4]} """)]
    [InlineData(""" "model": {"hiddenLayers": [4], "dropout": 0.5, "normalization": "batch_norm"} """,
        """ "model": {"layers": []} """, """ "model": {"layers": []} """)]
    [InlineData(Deep, """ "model": {"activation": "relu"} """,
        """
             "model": {"activation": {"name": "relu"},
                       "layers": [{"type": "dense"}, {"type": "dense", "activation": {"name": "elu"}}, {"type": "dense"}]} 
            """)]
    [InlineData(""" "model": {"layers": [{"type": "residual", "layers": [{"type": "dense", "activation": {"name": "relu"}}]}]} """,
        """ "model": {"activation": "tanh"} """,
        """ "model": {"layers": [{"type": "residual", "layers": [{"type": "dense"}]}], "activation": {"name": "tanh"}} """)]
    // the same with its default written out
    [InlineData("""
         "model": {"activation": {"name": "leaky_relu"},
                   "layers": [{"type": "dense", "activation": {"name": "leaky_relu", "negativeSlope": 0.01}}]} 
        """, """ "model": {"activation": "tanh"} """,
        """ "model": {"activation": {"name": "tanh"}, "layers": [{"type": "dense"}]} """)]
    // what is no spec stays for the check to tell
    [InlineData(Sgd, """ "training": 7 """, """ "training": 7 """)]
    [InlineData(Sgd, """ "dataset": 7, "training": {"optimizer": 7} """, """ "training": {"optimizer": 7}, "dataset": 7 """)]
    public void A_patch_is_merged_into_what_was_asked_for(string spec, string patch, string expected)
    {
        var (before, change) = (Fields(spec), Fields(patch));
        MustBe(Fields(expected), MergePatch.Apply(before, change));
        MustBe(Fields(spec), before);
        MustBe(Fields(patch), change);
    }

    [Theory]
    // objects replace objects
    [InlineData(Sgd, """ "/training/optimizer": {"name": "sgd", "learningRate": 0.2} """,
        """ "training": {"optimizer": {"name": "sgd", "learningRate": 0.2}} """)]
    [InlineData(Sgd, """ "/training/optimizer": "sgd" """, """ "training": {"optimizer": {"name": "sgd"}} """)]
    [InlineData(Sgd, """ "/training/optimizer": {"name": "adam", "learningRate": 0.1} """,
        """ "training": {"optimizer": {"name": "adam", "learningRate": 0.1}} """)]
    [InlineData(Cosine, """ "/training/schedule": {"name": "cosine", "etaMin": 0.1} """,
        """ "training": {"schedule": {"name": "cosine", "etaMin": 0.1}} """)]
    [InlineData(Elu, """ "/model/activation": {"name": "elu"} """, """ "model": {"activation": {"name": "elu"}} """)]
    [InlineData(Digits, """ "/dataset": "iris" """, """ "dataset": {"name": "iris"} """)]
    [InlineData(Huber, """ "/training/loss": "mse" """, """ "training": {"loss": "mse"} """)]
    [InlineData(""" "training": {"earlyStopping": {"patience": 3, "minDelta": 0.1}} """,
        """ "/training/earlyStopping": {"patience": 7} """, """ "training": {"earlyStopping": {"patience": 7}} """)]
    [InlineData(""" "diagnostics": {"rules": {"dead_units": {"warn": 0.3}, "stalled": {"error": 1}}} """,
        """ "/diagnostics/rules": {"dead_units": {"error": 0.6}} """, """ "diagnostics": {"rules": {"dead_units": {"error": 0.6}}} """)]
    [InlineData(""" "labels": {"a": "1", "b/c": "2"} """, """ "/labels/b~1c": "3" """, """ "labels": {"a": "1", "b/c": "3"} """)]
    [InlineData(""" "model": {"hiddenLayers": [4], "dropout": 0.5} """,
        """ "/model": {"activation": "tanh"} """, """ "model": {"activation": {"name": "tanh"}} """)]
    // null takes out, and what isn't there stays away
    [InlineData(Sgd, """ "/training/optimizer": null """, """ "training": {} """)]
    [InlineData(Sgd, """ "/training/optimizer/nesterov": null """, """ "training": {"optimizer": {"name": "sgd", "learningRate": 0.1}} """)]
    [InlineData(Digits, """ "/training/earlyStopping/patience": null """, Digits)]
    [InlineData(Digits, """ "/training/clipNorm": null """, Digits)]
    // into an object: of the base, of the default, or of the grid itself
    [InlineData(Sgd, """ "/training/optimizer/learningRate": 0.5 """,
        """ "training": {"optimizer": {"name": "sgd", "learningRate": 0.5, "nesterov": true}} """)]
    [InlineData(Digits, """ "/training/optimizer/learningRate": 0.5 """,
        Digits + """, "training": {"optimizer": {"learningRate": 0.5, "name": "sgd"}} """)]
    [InlineData(Sgd, """ "/training/optimizer/learningRate": 0.5, "/training/optimizer": "sgd" """,
        """ "training": {"optimizer": {"name": "sgd", "learningRate": 0.5}} """)]
    [InlineData(Digits, """ "/training/optimizer/learningRate": 0.5, "/training/optimizer": "adam" """,
        Digits + """, "training": {"optimizer": {"name": "adam", "learningRate": 0.5}} """)]
    [InlineData(Sgd, """ "/training/optimizer": {"name": "adam", "beta1": 0.5}, "/training/optimizer/learningRate": 0.1 """,
        """ "training": {"optimizer": {"name": "adam", "beta1": 0.5, "learningRate": 0.1}} """)]
    [InlineData(""" "training": {"optimizer": {"name": "adam", "beta1": 0.5}} """,
        """ "/training/optimizer": null, "/training/optimizer/learningRate": 0.5 """,
        """ "training": {"optimizer": {"learningRate": 0.5, "name": "sgd"}} """)]
    [InlineData(Sgd, """ "/training/optimizer/name": "adam", "/training/optimizer/learningRate": 0.5 """,
        """ "training": {"optimizer": {"name": "adam", "learningRate": 0.5}} """)]
    [InlineData(Digits, """ "/dataset/name": "iris" """, """ "dataset": {"name": "iris", "validationFraction": 0.2} """)]
    // the forms of a model
    [InlineData(Deep, """ "/model/hiddenLayers": [4] """, """ "model": {"activation": {"name": "tanh"}, "hiddenLayers": [4]} """)]
    [InlineData(""" "model": {"hiddenLayers": [4], "dropout": 0.5} """,
        """ "/model/layers": [], "/model/dropout": 0.1 """, """ "model": {"dropout": 0.1, "layers": []} """)]
    [InlineData(Deep, """ "/model/activation": "relu" """,
        """
             "model": {"activation": {"name": "relu"},
                       "layers": [{"type": "dense"}, {"type": "dense", "activation": {"name": "elu"}}, {"type": "dense"}]} 
            """)]
    public void A_value_of_a_grid_stands_in_place_of_the_whole(string spec, string values, string expected)
    {
        var before = Fields(spec);
        var patch = MergePatch.Replacing(before,
            Fields(values).Select(value => KeyValuePair.Create<string, object?>(value.Key, value.Value)));
        MustBe(Fields(expected), MergePatch.Apply(before, patch));
        MustBe(Fields(spec), before);
    }

    private static JsonObject Fields(string text) => JsonNode.Parse($"{{{text}}}")!.AsObject();

    private static void MustBe(JsonObject expected, JsonObject actual) =>
        Assert.True(JsonNode.DeepEquals(expected, actual), $"{expected.ToJsonString()}\n{actual.ToJsonString()}");
}
