using System.Buffers;
using TrainingService.Engine.Data;

namespace TrainingService.Host.Datasets;

/// <summary>
/// Where one thread has the rows of the seeds that it trains on one after another: always in the same memory. A new array for each of a
/// sweep's seeds has the collector go through all that the process holds every few dozen runs.
/// </summary>
public sealed class SeedRows : IDisposable
{
    private readonly List<float[]> _rented = [];
    private (DatasetSpec Spec, long Seed)? _key;
    private TrainingData? _data;

    /// <summary>Whether it has rows of this seed.</summary>
    public bool IsOf(long seed) => _key?.Seed == seed;

    /// <summary>What it has of a resolved spec and a seed; null if that is something else.</summary>
    public TrainingData? Find(DatasetSpec spec, long seed) => _key == (spec, seed) ? _data : null;

    /// <summary>Rows in place of those before, which nobody may use any more.</summary>
    /// <param name="spec">Resolved.</param>
    /// <param name="seed">That they are drawn by.</param>
    /// <param name="make">Asks for arrays by the least length that they must have.</param>
    public TrainingData Make(DatasetSpec spec, long seed, Func<Func<int, float[]>, TrainingData> make)
    {
        Dispose();
        _data = make(Rent);
        _key = (spec, seed);
        return _data;
    }

    public void Dispose()
    {
        (_key, _data) = (null, null);
        foreach (var array in _rented)
            ArrayPool<float>.Shared.Return(array);
        _rented.Clear();
    }

    private float[] Rent(int length)
    {
        var array = ArrayPool<float>.Shared.Rent(length);
        _rented.Add(array);
        return array;
    }
}
