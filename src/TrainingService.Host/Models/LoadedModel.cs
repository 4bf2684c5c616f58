using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>A job's net in memory, to be asked by one thread at a time.</summary>
public sealed class LoadedModel : IDisposable
{
    private LoadedModel(ModelSource source, RunPlan plan, TrainedNet net) =>
        (Source, Net, Encoder, Bytes) = (source, net, new(source.Card.Encoding), TrainedNet.Bytes(plan));

    public ModelSource Source { get; }

    public ModelCard Card => Source.Card;

    public TrainedNet Net { get; }

    public FeatureEncoder Encoder { get; }

    /// <summary>That it holds.</summary>
    public long Bytes { get; }

    /// <exception cref="InvalidDataException">The spec no longer means a net of these weights.</exception>
    public static LoadedModel Create(ModelSource source, float[] weights)
    {
        List<SpecError> errors = [];
        var (spec, shape) = (source.Spec, source.Card.Shape);
        var training = (spec.Training ?? new()).Stored(shape.Target);
        var plan = RunPlan.Check(spec.Model ?? new(), training, spec.Diagnostics ?? new(), shape, errors)
            ?? throw new InvalidDataException(string.Join(" ", errors.Select(e => $"{e.Pointer}: {e.Message}.")));
        return new(source, plan, new(plan, weights, source.Result.TargetScale));
    }

    /// <summary>Encodes raw rows, one behind the other, as the training rows were.</summary>
    public float[] Encode(IReadOnlyList<double[]> rows)
    {
        var width = Card.Shape.Features;
        var (encoded, cells) = (new float[rows.Count * width], new double[Card.Encoding.Columns.Count]);
        for (var r = 0; r < rows.Count; r++)
        {
            rows[r].CopyTo(cells, 0);
            Encoder.Encode(cells, encoded.AsSpan(r * width, width));
        }
        return encoded;
    }

    public void Dispose() => Net.Dispose();
}
