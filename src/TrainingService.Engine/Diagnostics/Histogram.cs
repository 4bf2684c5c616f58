using System.Runtime.Intrinsics;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Diagnostics;

/// <summary>
/// How a layer's activations are distributed over the evaluation rows, before training and at its end; where these are more than 16,384
/// activations, over so many batches of rows that they are about as many, and 256 rows at least.
/// </summary>
/// <param name="Low">Lower edge of the first bin.</param>
/// <param name="High">Upper edge of the last bin.</param>
/// <param name="Counts">Activations by bin, the bins being equally wide; the outer ones hold what lies beyond, too. Exact zeros and
/// what is not finite are left out.</param>
public sealed record Histogram(float Low, float High, IReadOnlyList<int> Counts)
{
    /// <summary>Bins of every histogram.</summary>
    public const int Bins = 48;

    /// <inheritdoc/>
    public bool Equals(Histogram? other) =>
        other is not null && (Low, High) == (other.Low, other.High) && Counts.SequenceEqual(other.Counts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Low, High, Counts.Count);
}

/// <summary>Counts in one pass: the edges are those of the first batch, and a fourth more on both sides.</summary>
/// <param name="units">Of the layer.</param>
/// <param name="rows">That will come.</param>
internal sealed unsafe class HistogramCounter(int units, int rows)
{
    private const int Entries = 16_384, LeastRows = 256;

    // of the batches of rows, one in so many is counted
    private readonly int _every = (int)Math.Max(1, Math.Min((long)rows * units / Entries, rows / LeastRows));
    private int _batch;

    // one bin more, for what isn't counted; and all of them for each of a few lanes, as neighbours often are in the same bin, and an
    // increment would wait for the one before
    private const int Apart = 8, Stride = 64;
    private readonly int[] _counts = new int[Apart * Stride];
    private float _low, _high;
    private bool _hasEdges;

    /// <summary>Adds rows, given in blocks (units x samples).</summary>
    public void Add(float* h, int samples)
    {
        if (_batch++ % _every > 0)
            return;
        if (!_hasEdges)
            SetEdges(h, samples);
        Vector512<float> low = Vector512.Create(_low), scale = Vector512.Create(Histogram.Bins / (_high - _low));
        Vector512<float> last = Vector512.Create(Histogram.Bins - 1f);
        var bins = stackalloc int[Layout.Lanes];
        fixed (int* counts = _counts)
            for (var block = 0; block < Layout.Tiles(samples); block++)
            {
                var count = Math.Min(Layout.Lanes, samples - block * Layout.Lanes);
                for (var unit = 0; unit < units; unit++)
                {
                    var lanes = h + Layout.Block(unit, block * Layout.Lanes, units);
                    for (var lane = 0; lane < Layout.Lanes; lane += 16)
                    {
                        var value = Vector512.Load(lanes + lane);
                        var place = Vector512.Min(Vector512.Max((value - low) * scale, Vector512<float>.Zero), last);
                        Vector512.ConditionalSelect(
                            Counts(value).AsInt32(), Vector512.ConvertToInt32(place), Vector512.Create(Histogram.Bins)).Store(bins + lane);
                    }
                    for (var s = 0; s < count; s++)
                        counts[s % Apart * Stride + bins[s]]++;
                }
            }
    }

    /// <summary>Null where there is nothing but zeros and what is not finite.</summary>
    public Histogram? Value
    {
        get
        {
            if (!_hasEdges)
                return null;
            var counts = new int[Histogram.Bins];
            for (var lane = 0; lane < Apart; lane++)
                for (var bin = 0; bin < Histogram.Bins; bin++)
                    counts[bin] += _counts[lane * Stride + bin];
            return new(_low, _high, counts);
        }
    }

    /// <summary>All bits set where a value is finite and not 0.</summary>
    private static Vector512<float> Counts(Vector512<float> value)
    {
        var magnitude = Vector512.Abs(value);
        return Vector512.GreaterThan(magnitude, Vector512<float>.Zero)
            & Vector512.LessThan(magnitude, Vector512.Create(float.PositiveInfinity));
    }

    private void SetEdges(float* h, int samples)
    {
        Vector512<float> lowest = Vector512.Create(float.PositiveInfinity), highest = -lowest;
        for (var block = 0; block < Layout.Tiles(samples); block++)
            for (var unit = 0; unit < units; unit++)
                for (var lane = 0; lane < Layout.Lanes; lane += 16)
                {
                    var value = Vector512.Load(h + Layout.Block(unit, block * Layout.Lanes, units) + lane);
                    // what lies behind the last sample doesn't count
                    var counts = Counts(value) & Vector512.LessThan(Vector512<int>.Indices,
                        Vector512.Create(samples - block * Layout.Lanes - lane)).AsSingle();
                    lowest = Vector512.ConditionalSelect(counts, Vector512.Min(lowest, value), lowest);
                    highest = Vector512.ConditionalSelect(counts, Vector512.Max(highest, value), highest);
                }
        (_low, _high) = (float.PositiveInfinity, float.NegativeInfinity);
        for (var lane = 0; lane < 16; lane++)
            (_low, _high) = (Math.Min(_low, lowest[lane]), Math.Max(_high, highest[lane]));
        if (!(_low <= _high))
            return;
        // one sign only: 0 is the natural edge, as with rectifiers
        var margin = Math.Max((_high - _low) / 4, Math.Abs(_high) / 100);
        (_low, _high) = (_low > 0 ? 0 : _low - margin, _high < 0 ? 0 : _high + margin);
        _hasEdges = float.IsFinite(_high - _low);
    }
}
