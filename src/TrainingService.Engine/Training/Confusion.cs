using TrainingService.Engine.Data;

namespace TrainingService.Engine.Training;

/// <summary>How well one class was told from the others. What divides by no row at all is null.</summary>
/// <param name="Class">Its name, or its index where it has none.</param>
/// <param name="Precision">Of the rows taken for it, the share that are of it.</param>
/// <param name="Recall">Of its rows, the share taken for it: the accuracy of the class.</param>
/// <param name="F1">Harmonic mean of the two; 0 where no row of it was found.</param>
/// <param name="Support">Its rows.</param>
public sealed record ClassScore(string Class, float? Precision, float? Recall, float? F1, int Support);

/// <summary>Counts of rows by true and predicted class; rows of which an output is NaN are in no column.</summary>
internal sealed class Confusion(int classes)
{
    private readonly int[] _support = new int[classes];
    private readonly int[][] _counts = [.. Enumerable.Range(0, classes).Select(_ => new int[classes])];

    /// <summary>Rows true, columns predicted.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Counts => _counts;

    /// <param name="label">The row's class.</param>
    /// <param name="predicted">What it was taken for; -1 for nothing.</param>
    public void Add(int label, int predicted)
    {
        _support[label]++;
        if (predicted >= 0)
            _counts[label][predicted]++;
    }

    /// <summary>Mean of the recalls of the classes that have rows.</summary>
    public double BalancedAccuracy => Enumerable.Range(0, classes).Where(c => _support[c] > 0)
        .Select(c => (double)_counts[c][c] / _support[c]).DefaultIfEmpty(double.NaN).Average();

    public IReadOnlyList<ClassScore> PerClass(DataShape shape) =>
    [
        .. Enumerable.Range(0, classes).Select(c =>
        {
            int right = _counts[c][c], taken = _counts.Sum(row => row[c]);
            return new ClassScore(shape.NameOf(c), Share(right, taken), Share(right, _support[c]),
                Share(2 * right, taken + _support[c]), _support[c]);
        }),
    ];

    private static float? Share(int part, int whole) => whole == 0 ? null : (float)((double)part / whole);
}
