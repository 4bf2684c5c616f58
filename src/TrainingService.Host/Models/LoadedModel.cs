using System.Runtime.InteropServices;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Models;

/// <summary>A job's net in memory, to be asked by one thread at a time.</summary>
public sealed class LoadedModel : IDisposable
{
    private LoadedModel(ModelSource source, RunPlan plan, TrainedNet net) =>
        (Source, Plan, Net, Encoder, Bytes) = (source, plan, net, new(source.Card.Encoding), TrainedNet.Bytes(plan));

    public ModelSource Source { get; }

    public ModelCard Card => Source.Card;

    /// <summary>By which it was trained.</summary>
    public RunPlan Plan { get; }

    public TrainedNet Net { get; }

    public FeatureEncoder Encoder { get; }

    /// <summary>That it holds.</summary>
    public long Bytes { get; }

    /// <summary>A net that isn't stored.</summary>
    public static LoadedModel Of(ModelSource source, RunPlan plan, TrainedNet net) => new(source, plan, net);

    public static LoadedModel Of(StoredNet net) =>
        new(net.Source, net.Plan, new(net.Plan, MemoryMarshal.Cast<byte, float>(net.Weights), net.Scale));

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
