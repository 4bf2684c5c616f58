using System.Globalization;

namespace TrainingService.Host.Tables;

/// <summary>Arrays that make a table: features, a row each, and what is to be predicted of them.</summary>
/// <param name="Features">Two axes or more.</param>
/// <param name="Labels">One axis; null where a column of the features is the target.</param>
public sealed record ArrayPair(NumberArray Features, NumberArray? Labels)
{
    private static readonly string[] LabelNames = ["y", "label", "labels", "target", "targets", "class", "classes"];

    /// <summary>Finds out which array is which, by name and shape.</summary>
    /// <returns>Those to train on, and those of the test rows, if there are.</returns>
    public static (ArrayPair Train, ArrayPair? Test) Of(IReadOnlyList<NumberArray> arrays)
    {
        var test = arrays.Where(IsTest).ToList();
        var train = arrays.Except(test).ToList();
        return train.Count == 0 || test.Count == 0 ? (Pair(arrays), null) : (Pair(train), Pair(test));
    }

    private static ArrayPair Pair(IReadOnlyList<NumberArray> arrays)
    {
        var features = arrays.Where(array => array.Shape.Count > 1 && !(array.Width == 1 && IsLabel(array))).ToList();
        var labels = arrays.Except(features).ToList();
        if (arrays is [var single])
            return new(single, null);
        if (features.Count > 1)
        {
            labels = [.. arrays.Where(IsLabel)];
            features = [.. arrays.Except(labels)];
        }
        if (features.Count != 1 || labels.Count != 1)
            throw new TableException(
                $"of the arrays {string.Join(", ", arrays.Select(a => $"'{a.Name}' ({string.Join(" x ", a.Shape)})"))} one must have a row "
                + "of features in each row, and another one its class or number: call them X and y");
        if (features[0].Rows != labels[0].Rows)
            throw new TableException($"'{features[0].Name}' has {features[0].Rows:N0} rows and '{labels[0].Name}' has {labels[0].Rows:N0}: "
                + $"they must have as many");
        return new(features[0], labels[0]);
    }

    private static bool IsTest(NumberArray array) =>
        array.Name.Contains("test", StringComparison.OrdinalIgnoreCase)
            || array.Name.StartsWith("t10k", StringComparison.OrdinalIgnoreCase);

    private static bool IsLabel(NumberArray array) => LabelNames.Any(name => array.Name.Equals(name, StringComparison.OrdinalIgnoreCase)
        || array.Name.StartsWith($"{name}_", StringComparison.OrdinalIgnoreCase)
        || array.Name.EndsWith($"_{name}", StringComparison.OrdinalIgnoreCase)
        || array.Name.Contains($"{name}-", StringComparison.OrdinalIgnoreCase));

    /// <summary>Set if each row is an image of bytes.</summary>
    public ImageShape? Image => Features is { Type: ElementType.Unsigned, Size: 1 }
        && (Features.Shape.Count == 3 || Features.Shape.Count == 4 && Features.Shape[3] == 1)
        && Features.Shape[1] > 1 && Features.Shape[2] > 1 ? new((int)Features.Shape[1], (int)Features.Shape[2], byte.MaxValue) : null;

    /// <summary>Name of the labels' column.</summary>
    public const string Target = "label";

    public IReadOnlyList<string> Names => [.. Enumerable.Range(0, (int)Features.Width).Select(i => Image is { } image
        ? string.Create(CultureInfo.InvariantCulture, $"pixel_{i / image.Width}_{i % image.Width}")
        : string.Create(CultureInfo.InvariantCulture, $"column{i + 1}")), .. Labels is null ? [] : (string[])[Target]];
}

/// <summary>Rows of a pair of arrays.</summary>
public sealed class ArraySource : RowSource
{
    private readonly ArrayPair _arrays;
    private readonly Stream _features;
    private readonly Stream? _labels;
    private readonly byte[] _row;
    private readonly byte[] _label;
    private long _left;

    public ArraySource(ArrayPair arrays)
    {
        _arrays = arrays;
        Names = arrays.Names;
        _features = arrays.Features.File.Open();
        _features.Position = arrays.Features.Offset;
        _row = new byte[arrays.Features.Width * arrays.Features.Size];
        if (arrays.Labels is { } labels)
        {
            _labels = labels.File.Open();
            _labels.Position = labels.Offset;
        }
        _label = new byte[arrays.Labels?.Size ?? 0];
        _left = arrays.Features.Rows;
    }

    public override IReadOnlyList<string> Names { get; }

    public override Cell this[int column]
    {
        get
        {
            if (_arrays.Labels is { } labels && column == Names.Count - 1)
                return Cell(labels, _label);
            return Cell(_arrays.Features, _row.AsSpan(column * _arrays.Features.Size, _arrays.Features.Size));

            static Cell Cell(NumberArray array, ReadOnlySpan<byte> element) => array.Type is ElementType.Text32 or ElementType.Text8
                ? new(array.Text(element)) : new(array.Number(element));
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _features.Dispose();
        _labels?.Dispose();
    }

    protected override bool ReadRow()
    {
        if (_left == 0)
            return false;
        _left--;
        _features.ReadExactly(_row);
        _labels?.ReadExactly(_label);
        return true;
    }
}
