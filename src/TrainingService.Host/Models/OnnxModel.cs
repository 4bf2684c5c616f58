using System.Globalization;
using System.Text.Json;
using Google.Protobuf;
using Onnx;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Losses;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using DataType = Onnx.TensorProto.Types.DataType;

namespace TrainingService.Host.Models;

/// <summary>
/// A net as an ONNX model (opset 17, ai.onnx.ml 3) that takes raw features: imputation, encoding, standardisation and the target's unit are
/// in its graph, in double precision as in training. Where all columns are pixels, or more than 256 numbers, they are one input
/// <c>features</c>; else each column is an input by its name.
/// </summary>
public static class OnnxModel
{
    private const int MostInputs = 256;

    /// <summary>The file.</summary>
    public static byte[] Of(StoredNet model)
    {
        var graph = new OnnxNodes();
        var x = Features(graph, model.Card.Encoding);
        foreach (var step in model.Steps)
            x = Step(graph, step, x);
        Head(graph, model, x);
        var file = new ModelProto
        {
            IrVersion = (long)Onnx.Version.IrVersion2021730,
            ProducerName = "TrainingService",
            ProducerVersion = model.Source.Result.EngineVersion ?? "",
            DocString = $"Predicts {model.Card.Target} of {model.Source.Spec.Dataset.Name} from raw features; a missing number is NaN or "
                + "infinite, a missing category an empty text.",
            Graph = graph.Graph,
        };
        file.OpsetImport.Add(new OperatorSetIdProto { Domain = "", Version = 17 });
        file.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 3 });
        foreach (var (key, value) in Metadata(model))
            file.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return file.ToByteArray();
    }

    /// <summary>Where the net comes from, for files that have room for texts by name.</summary>
    public static IReadOnlyDictionary<string, string> Metadata(StoredNet model) => new Dictionary<string, string>
    {
        ["jobId"] = model.Source.JobId.ToString(),
        ["spec"] = JsonSerializer.Serialize(model.Source.Spec, Json.Options),
        ["dataset"] = model.Source.Spec.Dataset.Name,
        ["datasetSha256"] = model.Source.Result.DatasetSha256 ?? "",
        ["engineVersion"] = model.Source.Result.EngineVersion ?? "",
        ["weightsSha256"] = model.Source.Result.WeightsSha256,
        ["target"] = model.Card.Target,
        ["classes"] = JsonSerializer.Serialize(model.Card.Shape.ClassNames ?? [], Json.Options),
        ["preprocessing"] = JsonSerializer.Serialize(model.Card.Encoding, Json.Options),
        ["outputs"] = JsonNamingPolicy.CamelCase.ConvertName(model.Plan.Meaning.ToString()),
        ["targetScale"] = JsonSerializer.Serialize(model.Scale, Json.Options),
    };

    /// <summary>From raw columns to the float32 inputs of the first layer.</summary>
    private static string Features(OnnxNodes graph, FeatureEncoding encoding)
    {
        var columns = encoding.Columns;
        var wide = columns.Any(column => column.Double);
        string raw;
        if (columns.All(column => column.Categories is null) && (encoding.Unit != 1 || columns.Count > MostInputs))
        {
            graph.Graph.Input.Add(OnnxNodes.Value("features", wide ? DataType.Double : DataType.Float, columns.Count,
                "The columns in the data set's order."));
            raw = "features";
        }
        else
        {
            var parts = columns.Select(column => Input(graph, column, wide)).ToList();
            raw = graph.Add("Concat", parts, ("axis", 1L));
        }
        var x = wide ? raw : graph.Cast(raw, DataType.Double);
        double[] medians = [.. columns.SelectMany(column => Enumerable.Repeat(column.Median, column.Width))];
        x = graph.Add("Where", [graph.Add("Or", [graph.Add("IsNaN", [x]), graph.Add("IsInf", [x])]), graph.Row(medians), x]);
        if (encoding.Unit != 1)
            x = graph.Add("Mul", [x, graph.Row([encoding.Unit])]);
        x = graph.Add("Mul", [graph.Add("Sub", [x, graph.Row(encoding.Shift)]), graph.Row(encoding.Scale)]);
        return graph.Cast(x, DataType.Float);
    }

    /// <summary>One column's inputs, in double precision if any column needs it.</summary>
    private static string Input(OnnxNodes graph, EncodedColumn column, bool wide)
    {
        if (column.Categories is { } categories)
        {
            graph.Graph.Input.Add(OnnxNodes.Value(column.Name, DataType.String, 1, $"One of {string.Join(", ", categories)}."));
            // an unknown category has no input, as one that no training row had
            var known = graph.Add("OneHotEncoder", [column.Name], ("cats_strings", categories), ("zeros", 1L));
            var flat = graph.Add("Flatten", [known], ("axis", 1L));
            return wide ? graph.Cast(flat, DataType.Double) : flat;
        }
        graph.Graph.Input.Add(OnnxNodes.Value(column.Name, column.Double ? DataType.Double : DataType.Float, 1, "A number; NaN is missing, "
            + $"and becomes {column.Median.ToString("R", CultureInfo.InvariantCulture)}."));
        return wide && !column.Double ? graph.Cast(column.Name, DataType.Double) : column.Name;
    }

    private static string Step(OnnxNodes graph, NetStep step, string x) => step switch
    {
        LinearStep linear => graph.Add("Gemm", [x, graph.Constant(linear.Weight), graph.Constant(linear.Bias)], ("transB", 1L)),
        ActivationStep activation => OnnxActivations.Add(graph, activation, x),
        BatchNormStep norm => graph.Add("BatchNormalization", [x, graph.Constant(norm.Weight), graph.Constant(norm.Bias),
            graph.Constant(norm.Mean), graph.Constant(norm.Variance)], ("epsilon", norm.Epsilon)),
        LayerNormStep norm => graph.Add("LayerNormalization", [x, graph.Constant(norm.Weight), graph.Constant(norm.Bias)],
            ("axis", -1L), ("epsilon", norm.Epsilon)),
        ResidualStep residual => graph.Add("Add", [x, residual.Branch.Aggregate(x, (inner, next) => Step(graph, next, inner))]),
        PassStep => x,
        _ => throw new NotSupportedException($"There is no form of {step.GetType().Name} in ONNX yet."),
    };

    /// <summary>From the last layer's outputs to what they mean.</summary>
    private static void Head(OnnxNodes graph, StoredNet model, string z)
    {
        var (meaning, columns, scale) = (model.Plan.Meaning, model.Plan.Columns, model.Scale);
        if (meaning is OutputKind.Numbers)
        {
            var scaled = graph.Add("Mul", [graph.Cast(z, DataType.Double), graph.Row([scale.Deviation])]);
            var unit = graph.Add("Add", [scaled, graph.Row([.. scale.Means])]);
            var prediction = graph.AddNamed(Free("prediction"), "Cast", [unit], ("to", (long)DataType.Float));
            graph.Graph.Output.Add(OnnxNodes.Value(prediction, DataType.Float, columns, $"{model.Card.Target}, in its unit."));
            return;
        }
        string values, index;
        if (meaning is OutputKind.Logit)
        {
            var p = graph.Add("Sigmoid", [z]);
            values = graph.AddNamed(Free("probabilities"), "Concat", [graph.Add("Sub", [graph.Constant(1), p]), p], ("axis", 1L));
            var second = graph.Cast(graph.Add("Greater", [z, graph.Constant(0)]), DataType.Int64);
            index = graph.Add("Squeeze", [second, graph.List(1)]);
        }
        else
        {
            values = meaning is OutputKind.Logits ? graph.AddNamed(Free("probabilities"), "Softmax", [z], ("axis", -1L))
                : graph.AddNamed(Free("scores"), "Identity", [z]);
            index = graph.Add("ArgMax", [z], ("axis", 1L), ("keepdims", 0L));
        }
        var names = graph.List(model.Card.Shape.ClassNames ?? [.. Enumerable.Range(0, columns).Select(c => $"{c}")]);
        var label = graph.AddNamed(Free("label"), "Gather", [names, index], ("axis", 0L));
        graph.Graph.Output.Add(OnnxNodes.Value(label, DataType.String, null, $"The {model.Card.Target} that the row is taken for."));
        graph.Graph.Output.Add(OnnxNodes.Value(values, DataType.Float, columns, "Of each class, in the order of the metadata."));

        // a column may have that name
        string Free(string name) => model.Card.Encoding.Columns.Any(column => column.Name == name) ? $"predicted_{name}" : name;
    }
}
