namespace TrainingService.Host.Tables;

/// <summary>Looks for features from which alone the target can be told: often it is the target under another name.</summary>
public sealed class Leaks
{
    private const int LeastRows = 20, LeastRowsOfValue = 5, MostClasses = 16, Codes = 255;
    private const int Unset = -1, Mixed = -2;
    private const double Linear = 0.99999;

    private readonly IReadOnlyList<PlannedColumn> _features;
    private readonly PlannedColumn _target;
    private readonly int _classes;
    private readonly short[]?[] _classOfCode;
    private readonly double[]?[] _ranges;
    private readonly Line?[] _lines;
    private long _rows;

    public Leaks(TablePlan plan)
    {
        _features = plan.Features;
        _target = plan.Target ?? throw new ArgumentException("a plan with problems", nameof(plan));
        _classes = _target.Kind == ColumnKind.Category ? _target.Categories?.Count ?? 0 : 0;
        _classOfCode = [.. _features.Select(f => _classes > 0 && f.Storage.Type == StorageType.Byte && f.Storage.Divisor == 1 ? Fresh()
            : null)];
        _ranges = [.. _features.Select(f => _classes is > 0 and <= MostClasses && f.Kind is ColumnKind.Number ? new double[2 * _classes]
            : null)];
        _lines = [.. _features.Select(f => _classes == 0 && f.Kind is not ColumnKind.Category ? new Line() : null)];
        foreach (var range in _ranges)
            for (var i = 0; i < range?.Length; i += 2)
                (range[i], range[i + 1]) = (double.PositiveInfinity, double.NegativeInfinity);
    }

    /// <param name="cells">A row: the features, then the target.</param>
    public void Add(ReadOnlySpan<double> cells)
    {
        _rows++;
        var target = cells[^1];
        for (var c = 0; c < _features.Count; c++)
        {
            var cell = cells[c];
            if (_lines[c] is { } line)
                line.Add(cell, target);
            if (_classOfCode[c] is { } classes)
            {
                var code = double.IsNaN(cell) ? Codes : (int)cell - (int)_features[c].Storage.Offset;
                if ((uint)code > Codes)
                    throw new TableException(TableEncoder.ReadsOtherwise);
                classes[code] = classes[code] == Unset || classes[code] == (short)target ? (short)target : (short)Mixed;
            }
            if (_ranges[c] is { } range && !double.IsNaN(cell))
            {
                var k = 2 * (int)target;
                range[k] = Math.Min(range[k], cell);
                range[k + 1] = Math.Max(range[k + 1], cell);
            }
        }
    }

    public IEnumerable<TableWarning> Found()
    {
        if (_rows < LeastRows)
            yield break;
        for (var c = 0; c < _features.Count; c++)
            if (_lines[c]?.IsStraight == true || Tells(_classOfCode[c]) || IsApart(_ranges[c]))
                yield return new(TableWarningKind.Leak, _features[c].Name, $"column '{_features[c].Name}' alone tells the target "
                    + $"'{_target.Name}' in every row: if it is not known before the target is, leave it out "
                    + $"with drop={_features[c].Name}");
    }

    /// <summary>Each value, several of which there are, goes with one class only.</summary>
    private bool Tells(short[]? classes)
    {
        if (classes is null || classes.Contains((short)Mixed))
            return false;
        var used = classes.Count(k => k != Unset);
        return used > 1 && _rows >= LeastRowsOfValue * used && classes.Where(k => k != Unset).Distinct().Count() == _classes;
    }

    /// <summary>No class's values overlap with those of another.</summary>
    private bool IsApart(double[]? range)
    {
        if (range is null)
            return false;
        var sorted = Enumerable.Range(0, _classes).Select(k => (Low: range[2 * k], High: range[2 * k + 1])).Order().ToList();
        return sorted.TrueForAll(r => r.Low <= r.High) && sorted.Zip(sorted.Skip(1)).All(pair => pair.First.High < pair.Second.Low);
    }

    private static short[] Fresh()
    {
        var classes = new short[Codes + 1];
        Array.Fill(classes, (short)Unset);
        return classes;
    }

    /// <summary>Correlation of two columns, counted from their first values so that large numbers don't drown small differences.</summary>
    private sealed class Line
    {
        private double _x0 = double.NaN, _y0, _n, _x, _y, _xx, _yy, _xy;

        public void Add(double x, double y)
        {
            if (double.IsNaN(x))
                return;
            if (double.IsNaN(_x0))
                (_x0, _y0) = (x, y);
            (x, y) = (x - _x0, y - _y0);
            _n++;
            _x += x;
            _y += y;
            _xx += x * x;
            _yy += y * y;
            _xy += x * y;
        }

        public bool IsStraight
        {
            get
            {
                var (xx, yy, xy) = (_xx - _x * _x / _n, _yy - _y * _y / _n, _xy - _x * _y / _n);
                return _n >= LeastRows && xx > 0 && yy > 0 && Math.Abs(xy) > Linear * Math.Sqrt(xx * yy);
            }
        }
    }
}
