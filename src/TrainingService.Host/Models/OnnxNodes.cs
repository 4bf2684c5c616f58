using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;
using TrainingService.Engine.Layers;

namespace TrainingService.Host.Models;

/// <summary>A graph of ONNX nodes as it is put together. Names of what is computed begin with a slash, as no column's should.</summary>
internal sealed class OnnxNodes
{
    private readonly Dictionary<string, string> _constants = [];
    private int _names;

    public GraphProto Graph { get; } = new() { Name = "net" };

    /// <summary>Adds a node with one output; answers the output's name.</summary>
    public string Add(string type, IEnumerable<string> inputs, params (string Name, object Value)[] attributes) =>
        AddNamed($"/{type}_{_names++}", type, inputs, attributes);

    /// <inheritdoc cref="Add"/>
    public string AddNamed(string output, string type, IEnumerable<string> inputs, params (string Name, object Value)[] attributes)
    {
        var node = new NodeProto { OpType = type, Name = output };
        node.Input.AddRange(inputs);
        node.Output.Add(output);
        if (type == "OneHotEncoder")
            node.Domain = "ai.onnx.ml";
        node.Attribute.AddRange(attributes.Select(attribute => Attribute(attribute.Name, attribute.Value)));
        Graph.Node.Add(node);
        return output;
    }

    /// <summary>A tensor of the net, whose numbers are not copied.</summary>
    public string Constant(Tensor tensor)
    {
        var name = $"/{tensor.Name}";
        Graph.Initializer.Add(Proto(name, TensorProto.Types.DataType.Float, [.. tensor.Shape.Select(n => (long)n)],
            UnsafeByteOperations.UnsafeWrap(tensor.Bytes)));
        return name;
    }

    /// <summary>A float32 number.</summary>
    public string Constant(double value)
    {
        var key = $"float {BitConverter.SingleToInt32Bits((float)value)}";
        return _constants.GetValueOrDefault(key)
            ?? (_constants[key] = Constant([], (float[])[(float)value], TensorProto.Types.DataType.Float));
    }

    /// <summary>A row of float64 numbers.</summary>
    public string Row(double[] values) => Constant([1, values.Length], values, TensorProto.Types.DataType.Double);

    /// <summary>A list of whole numbers.</summary>
    public string List(params long[] values) => Constant([values.Length], values, TensorProto.Types.DataType.Int64);

    /// <summary>A list of texts.</summary>
    public string List(IEnumerable<string> values)
    {
        var tensor = new TensorProto { Name = $"/constant_{_names++}", DataType = (int)TensorProto.Types.DataType.String };
        tensor.StringData.AddRange(values.Select(ByteString.CopyFromUtf8));
        tensor.Dims.Add(tensor.StringData.Count);
        Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    /// <summary>Converts numbers.</summary>
    public string Cast(string input, TensorProto.Types.DataType type) => Add("Cast", [input], ("to", (long)type));

    /// <summary>What goes in or comes out: rows of any number, and so many columns.</summary>
    public static ValueInfoProto Value(string name, TensorProto.Types.DataType type, int? columns, string description)
    {
        var shape = new TensorShapeProto();
        shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimParam = "rows" });
        if (columns is { } count)
            shape.Dim.Add(new TensorShapeProto.Types.Dimension { DimValue = count });
        return new()
        {
            Name = name,
            DocString = description,
            Type = new() { TensorType = new() { ElemType = (int)type, Shape = shape } },
        };
    }

    private string Constant<T>(long[] shape, T[] values, TensorProto.Types.DataType type) where T : struct
    {
        var tensor = Proto($"/constant_{_names++}", type, shape, ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan())));
        Graph.Initializer.Add(tensor);
        return tensor.Name;
    }

    private static TensorProto Proto(string name, TensorProto.Types.DataType type, long[] shape, ByteString bytes)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = bytes };
        tensor.Dims.AddRange(shape);
        return tensor;
    }

    private static AttributeProto Attribute(string name, object value)
    {
        var attribute = new AttributeProto { Name = name };
        switch (value)
        {
            case long number:
                (attribute.Type, attribute.I) = (AttributeProto.Types.AttributeType.Int, number);
                break;
            case double number:
                (attribute.Type, attribute.F) = (AttributeProto.Types.AttributeType.Float, (float)number);
                break;
            case IEnumerable<string> texts:
                attribute.Type = AttributeProto.Types.AttributeType.Strings;
                attribute.Strings.AddRange(texts.Select(ByteString.CopyFromUtf8));
                break;
            default:
                throw new ArgumentException($"An attribute can't be a {value.GetType().Name}.", nameof(value));
        }
        return attribute;
    }
}
