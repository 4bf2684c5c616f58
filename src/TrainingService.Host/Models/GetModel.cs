using System.Buffers.Binary;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Layers;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Models;

/// <summary>As what a net can be had.</summary>
public enum ModelFormat
{
    /// <summary>Raw features in, probabilities and labels or the target's numbers out.</summary>
    Onnx,

    /// <summary>The tensors by PyTorch's names, all else as metadata.</summary>
    Safetensors,

    /// <summary>All numbers, to be read by anything.</summary>
    Json,
}

/// <summary>Their names in addresses.</summary>
internal static class ModelFormats
{
    public const string Pattern = "^(onnx|safetensors|json)$";

    /// <summary>onnx if nothing is said; null for what isn't one.</summary>
    public static ModelFormat? Read(string? name) => name is null ? ModelFormat.Onnx
        : Enum.GetValues<ModelFormat>().Where(format => Json.NameOf(format) == name).Cast<ModelFormat?>().FirstOrDefault();

    public static ProblemHttpResult Unknown(string? name) => Problems.Invalid("/format",
        $"a net comes as onnx, safetensors or json, not '{Characters.Shorten(name ?? "", 100)}'");
}

public static class GetModel
{
    private const int PieceBytes = 1 << 16;

    /// <summary>Download a job's net</summary>
    /// <remarks>
    /// `onnx`: raw features go in by the names of their columns (images and more than 256 numbers as one input `features`); imputation,
    /// encoding, standardisation and the target's unit are inside. `safetensors`: the tensors by the names of a PyTorch Sequential
    /// of the same layers, for inputs that were preprocessed as its metadata says. `json`: layers, numbers and preprocessing.
    /// </remarks>
    /// <param name="id">The job's id.</param>
    /// <param name="format">onnx (default), safetensors or json.</param>
    /// <response code="200">The file.</response>
    /// <response code="409">The job has not succeeded, or its net was not kept.</response>
    public static async Task<Results<PushStreamHttpResult, ProblemHttpResult>> Handle(Guid id,
        [FromQuery, RegularExpression(ModelFormats.Pattern), DefaultValue("onnx")] string? format, TrainingDbContext db,
        CancellationToken cancellation)
    {
        if (ModelFormats.Read(format) is not { } wanted)
            return ModelFormats.Unknown(format);
        var (source, problem) = await ModelSource.FindAsync(db, id, cancellation);
        return source is null ? problem ?? Problems.NotFound($"There is no job {id}.")
            : await FileAsync(source, wanted, db, cancellation);
    }

    public static async Task<PushStreamHttpResult> FileAsync(ModelSource source, ModelFormat format, TrainingDbContext db,
        CancellationToken cancellation)
    {
        var model = await source.ReadAsync(db, cancellation);
        var name = $"{source.Spec.Dataset.Name}-{source.JobId}.{Json.NameOf(format)}";
        return format is ModelFormat.Json
            ? TypedResults.Stream(body => WriteJsonAsync(body, model), MediaTypes.Json, name)
            : TypedResults.Stream(body => format is ModelFormat.Onnx ? WriteAsync(body, OnnxModel.Of(model))
                : WriteSafetensorsAsync(body, model), "application/octet-stream", name);
    }

    /// <summary>A piece at a time, since the server copies what it is handed before it waits for the client.</summary>
    private static async Task WriteAsync(Stream stream, ReadOnlyMemory<byte> bytes)
    {
        for (; bytes.Length > 0; bytes = bytes[Math.Min(bytes.Length, PieceBytes)..])
            await stream.WriteAsync(bytes[..Math.Min(bytes.Length, PieceBytes)]);
    }

    /// <summary>
    /// Length of the header (uint64, little-endian), the header as JSON (place and shape of each tensor), the numbers
    /// (https://github.com/huggingface/safetensors).
    /// </summary>
    private static async Task WriteSafetensorsAsync(Stream stream, StoredNet model)
    {
        var header = new Dictionary<string, object> { ["__metadata__"] = OnnxModel.Metadata(model) };
        long at = 0;
        foreach (var tensor in model.Steps.SelectMany(step => step.Tensors))
        {
            var end = at + tensor.Bytes.Length;
            header[tensor.Name] = new Dictionary<string, object>
            {
                ["dtype"] = "F32",
                ["shape"] = tensor.Shape,
                ["data_offsets"] = (long[])[at, end],
            };
            at = end;
        }
        var text = JsonSerializer.SerializeToUtf8Bytes(header);
        // the numbers begin at a multiple of 8
        var padded = new byte[sizeof(ulong) + (text.Length + 7) / 8 * 8];
        padded.AsSpan().Fill((byte)' ');
        BinaryPrimitives.WriteUInt64LittleEndian(padded, (ulong)(padded.Length - sizeof(ulong)));
        text.CopyTo(padded, sizeof(ulong));
        await stream.WriteAsync(padded);
        await WriteAsync(stream, model.Weights);
    }

    private static async Task WriteJsonAsync(Stream stream, StoredNet model)
    {
        // into a pipe, since the serialiser flushes what it writes to, and a response must not be written to synchronously
        var pipe = PipeWriter.Create(stream, new(leaveOpen: true));
        await using var writer = new Utf8JsonWriter(pipe);
        writer.WriteStartObject();
        writer.WriteString("jobId", model.Source.JobId);
        foreach (var (name, value) in (IEnumerable<(string, object?)>)[("spec", model.Source.Spec), ("target", model.Card.Target),
            ("classes", model.Card.Shape.ClassNames), ("datasetSha256", model.Source.Result.DatasetSha256),
            ("engineVersion", model.Source.Result.EngineVersion), ("weightsSha256", model.Source.Result.WeightsSha256),
            ("preprocessing", model.Card.Encoding), ("outputs", model.Plan.Meaning), ("targetScale", model.Scale)])
        {
            writer.WritePropertyName(name);
            JsonSerializer.Serialize(writer, value, Json.Options);
        }
        writer.WritePropertyName("layers");
        await WriteAsync(writer, pipe, model.Steps);
        writer.WriteEndObject();
        await writer.FlushAsync();
        await pipe.CompleteAsync();
    }

    private static async Task WriteAsync(Utf8JsonWriter writer, PipeWriter pipe, IReadOnlyList<NetStep> steps)
    {
        writer.WriteStartArray();
        foreach (var step in steps)
        {
            writer.WriteStartObject();
            writer.WriteString("type", step switch
            {
                LinearStep => "linear",
                ActivationStep => "activation",
                BatchNormStep => "batch_norm",
                LayerNormStep => "layer_norm",
                ResidualStep => "residual",
                _ => "pass",
            });
            if (step is ActivationStep activation)
            {
                writer.WritePropertyName("activation");
                JsonSerializer.Serialize(writer, activation.Function.Spec, Json.Options);
            }
            if (((step as BatchNormStep)?.Epsilon ?? (step as LayerNormStep)?.Epsilon) is { } epsilon)
                writer.WriteNumber("epsilon", epsilon);
            if (step is ResidualStep residual)
            {
                writer.WritePropertyName("layers");
                await WriteAsync(writer, pipe, residual.Branch);
            }
            else
            {
                writer.WriteStartArray("tensors");
                foreach (var tensor in step.Tensors)
                    await WriteAsync(writer, pipe, tensor);
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private static async Task WriteAsync(Utf8JsonWriter writer, PipeWriter pipe, Tensor tensor)
    {
        writer.WriteStartObject();
        writer.WriteString("name", tensor.Name);
        writer.WriteStartArray("shape");
        foreach (var length in tensor.Shape)
            writer.WriteNumberValue(length);
        writer.WriteEndArray();
        writer.WriteStartArray("values");
        for (var at = 0; at < tensor.Bytes.Length; at += PieceBytes)
        {
            foreach (var value in (tensor with { Bytes = tensor.Bytes[at..Math.Min(tensor.Bytes.Length, at + PieceBytes)] }).Values)
                JsonSerializer.Serialize(writer, value, Json.Options);
            await pipe.FlushAsync();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
