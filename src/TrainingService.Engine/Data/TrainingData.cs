using System.Globalization;
using System.Text.Json.Serialization;

namespace TrainingService.Engine.Data;

/// <summary>What a target is: one of K classes, or numbers.</summary>
public enum TargetKind
{
    /// <summary>Each row belongs to one of <see cref="DataShape.Classes"/> classes.</summary>
    Classes,

    /// <summary>Each row has a number (or several) as its target.</summary>
    Number,
}

/// <summary>What the checks and estimates need to know of a data set before any row is loaded.</summary>
/// <param name="Features">Columns after encoding.</param>
/// <param name="Target">Classes or a number.</param>
/// <param name="Classes">Number of classes; 0 for a number.</param>
/// <param name="TrainRows">Rows left for training after the splits.</param>
/// <param name="ValidationRows">Rows of the validation split, 0 without one.</param>
/// <param name="TestRows">Rows of the test split, 0 without one.</param>
/// <param name="Numbers">Target numbers of a row; read for a number target only.</param>
/// <param name="ClassNames">In the order of the classes; null where they are known by their index only.</param>
public sealed record DataShape(int Features, TargetKind Target, int Classes,
    int TrainRows, int ValidationRows, int TestRows, int Numbers = 1, IReadOnlyList<string>? ClassNames = null)
{
    /// <summary>Bytes of memory that a row's features take: of float32, if nothing else is said.</summary>
    [JsonIgnore]
    public int RowBytes { get; init; } = sizeof(float) * Features;

    /// <summary>A class as results call it.</summary>
    internal string NameOf(int label) => ClassNames is { } names ? names[label] : label.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Rows of one split: features already encoded, imputed and scaled.</summary>
/// <param name="Features">The network's inputs.</param>
/// <param name="Labels">Class of each row, from 0; empty for a number target.</param>
/// <param name="Values">Targets, (Rows, numbers) row by row; empty for classes.</param>
public sealed record DataSplit(FeatureRows Features, int[] Labels, float[] Values)
{
    /// <param name="rows">Number of rows.</param>
    /// <param name="features">(Rows, columns), row by row.</param>
    /// <param name="labels">Class of each row, from 0; empty for a number target.</param>
    /// <param name="values">Targets, (Rows, numbers) row by row; empty for classes.</param>
    public DataSplit(int rows, float[] features, int[] labels, float[] values)
        : this(new FloatRows(rows, rows == 0 ? 0 : features.Length / rows, features), labels, values) { }

    /// <summary>Number of rows.</summary>
    public int Rows => Features.Rows;
}

/// <summary>The data of one run.</summary>
public sealed record TrainingData(DataShape Shape, DataSplit Train, DataSplit? Validation, DataSplit? Test);
