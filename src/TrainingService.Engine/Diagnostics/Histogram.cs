using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Diagnostics;

/// <summary>How a layer's activations are distributed over the evaluation rows, before training and at its end.</summary>
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
internal sealed unsafe class HistogramCounter(int units)
{
    private readonly int[] _counts = new int[Histogram.Bins];
    private float _low, _high;
    private bool _hasEdges;

    /// <summary>Adds rows, given in blocks (units x samples).</summary>
    public void Add(float* h, int samples)
    {
        if (!_hasEdges)
            SetEdges(h, samples);
        var scale = Histogram.Bins / (_high - _low);
        for (var block = 0; block < Layout.Tiles(samples); block++)
            for (var unit = 0; unit < units; unit++)
            {
                var lanes = h + Layout.Block(unit, block * Layout.Lanes, units);
                for (var s = 0; s < Math.Min(Layout.Lanes, samples - block * Layout.Lanes); s++)
                    if (lanes[s] is var value && value != 0 && float.IsFinite(value))
                        _counts[(int)Math.Clamp((value - _low) * scale, 0, Histogram.Bins - 1)]++;
            }
    }

    /// <summary>Null where there is nothing but zeros and what is not finite.</summary>
    public Histogram? Value => _hasEdges ? new(_low, _high, _counts) : null;

    private void SetEdges(float* h, int samples)
    {
        (_low, _high) = (float.PositiveInfinity, float.NegativeInfinity);
        for (var block = 0; block < Layout.Tiles(samples); block++)
            for (var unit = 0; unit < units; unit++)
            {
                var lanes = h + Layout.Block(unit, block * Layout.Lanes, units);
                for (var s = 0; s < Math.Min(Layout.Lanes, samples - block * Layout.Lanes); s++)
                    if (lanes[s] is var value && float.IsFinite(value) && value != 0)
                        (_low, _high) = (Math.Min(_low, value), Math.Max(_high, value));
            }
        if (!(_low <= _high))
            return;
        // one sign only: 0 is the natural edge, as with rectifiers
        var margin = Math.Max((_high - _low) / 4, Math.Abs(_high) / 100);
        (_low, _high) = (_low > 0 ? 0 : _low - margin, _high < 0 ? 0 : _high + margin);
        _hasEdges = float.IsFinite(_high - _low);
    }
}
