using System.Buffers.Binary;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.IO.Pipelines;
using System.Runtime.InteropServices;
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
        var model = await source.LoadAsync(db, cancellation);
        var name = $"{source.Spec.Dataset.Name}-{source.JobId}.{Json.NameOf(format)}";
        return format is ModelFormat.Json
            ? TypedResults.Stream(body => WriteAsync(body, stream => WriteJsonAsync(stream, model)), MediaTypes.Json, name)
            : TypedResults.Stream(body => WriteAsync(body, async stream =>
            {
                if (format is ModelFormat.Onnx)
                    await stream.WriteAsync(OnnxModel.Of(model), CancellationToken.None);
                else
                    await WriteSafetensorsAsync(stream, model);
            }), "application/octet-stream", name);

        async Task WriteAsync(Stream body, Func<Stream, Task> write)
        {
            using (model)
                await write(body);
        }
    }

    /// <summary>
    /// Length of the header (uint64, little-endian), the header as JSON (place and shape of each tensor), the numbers
    /// (https://github.com/huggingface/safetensors).
    /// </summary>
    private static async Task WriteSafetensorsAsync(Stream stream, LoadedModel model)
    {
        var header = new Dictionary<string, object> { ["__metadata__"] = OnnxModel.Metadata(model) };
        long at = 0;
        Tensor[] tensors = [.. model.Net.Steps.SelectMany(step => step.Tensors)];
        foreach (var tensor in tensors)
        {
            var end = at + tensor.Values.LongLength * sizeof(float);
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
        foreach (var tensor in tensors)
            await stream.WriteAsync(MemoryMarshal.AsBytes(tensor.Values.AsSpan()).ToArray());
    }

    private static async Task WriteJsonAsync(Stream stream, LoadedModel model)
    {
        // into a pipe, since the serialiser flushes what it writes to, and a response must not be written to synchronously
        var pipe = PipeWriter.Create(stream, new(leaveOpen: true));
        await using var writer = new Utf8JsonWriter(pipe);
        writer.WriteStartObject();
        writer.WriteString("jobId", model.Source.JobId);
        foreach (var (name, value) in (IEnumerable<(string, object?)>)[("spec", model.Source.Spec), ("target", model.Card.Target),
            ("classes", model.Card.Shape.ClassNames), ("datasetSha256", model.Source.Result.DatasetSha256),
            ("engineVersion", model.Source.Result.EngineVersion), ("weightsSha256", model.Source.Result.WeightsSha256),
            ("preprocessing", model.Card.Encoding), ("outputs", model.Net.Meaning), ("targetScale", model.Net.Scale)])
        {
            writer.WritePropertyName(name);
            JsonSerializer.Serialize(writer, value, Json.Options);
        }
        writer.WritePropertyName("layers");
        await WriteAsync(writer, pipe, model.Net.Steps);
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
                {
                    JsonSerializer.Serialize(writer, tensor, Json.Options);
                    await pipe.FlushAsync();
                }
                writer.WriteEndArray();
            }
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }
}
