using System.Runtime.Intrinsics;
using TrainingService.Engine.Data;
using TrainingService.Engine.Losses;
using TrainingService.Engine.Training;

namespace TrainingService.Host.Findings;

/// <summary>What rules know of the training rows.</summary>
/// <param name="Standardized">Whether features were scaled for the network.</param>
/// <param name="InputRms">Root mean square of all inputs.</param>
/// <param name="Largest">
/// The feature of the largest scale; null where all features are scaled, or of one kind as an image's pixels are.
/// </param>
/// <param name="Smallest">The feature of the smallest one.</param>
/// <param name="ConstantLoss">Least loss of an output that doesn't look at the inputs; null where it isn't known.</param>
public sealed record DataFacts(bool Standardized, double InputRms, FeatureScale? Largest, FeatureScale? Smallest, double? ConstantLoss)
{
    private const int Rows = 2048;

    /// <summary>
    /// The largest loss of nets that begin as they should (<see cref="UsualStart"/>), drawn when it is asked for; null where that isn't
    /// known.
    /// </summary>
    public Lazy<double>? LargestUsualStart { get; init; }

    /// <summary>How many times larger the largest feature is than the smallest; 1 where they can't be compared.</summary>
    public double Ratio => Largest is null || Smallest is null ? 1 : Largest.Rms / Smallest.Rms;

    /// <param name="plan">The run's.</param>
    /// <param name="data">Its rows.</param>
    /// <param name="standardized">As the job's data set says.</param>
    /// <param name="features">Names of the inputs; empty where they are of one kind.</param>
    public static DataFacts Of(RunPlan plan, TrainingData data, bool standardized, IReadOnlyList<string> features)
    {
        int rows = Math.Min(data.Train.Rows, Rows), width = data.Shape.Features;
        var comparable = !standardized && features.Count >= width;
        double[] squares = new double[width], filled = new double[width];
        var differs = new bool[width];
        float[] cells = new float[width], first = new float[width];
        data.Train.Features.Read([0], first);
        for (var row = 0; row < rows; row++)
        {
            // spread over all rows, which may be in the order of their classes
            data.Train.Features.Read([(int)((long)row * data.Train.Rows / rows)], cells);
            AddSquares(cells, squares);
            for (var i = 0; comparable && i < width; i++)
            {
                filled[i] += cells[i] == 0 ? 0 : 1;
                differs[i] |= cells[i] != first[i];
            }
        }
        // a category that is rare is as large as one that is not: its scale is that of the rows that have it
        var scales = !comparable ? [] : Enumerable.Range(0, width).Where(i => differs[i])
            .Select(i => new FeatureScale(features[i], Math.Sqrt(squares[i] / filled[i]))).OrderBy(scale => scale.Rms).ToArray();
        return new(standardized, Math.Sqrt(squares.Sum() / rows / width), scales.LastOrDefault(), scales.FirstOrDefault(),
            Constant(plan, data))
        {
            LargestUsualStart = new(() => UsualStart.Largest(plan, data)),
        };
    }

    private static void AddSquares(ReadOnlySpan<float> cells, Span<double> sums)
    {
        var done = 0;
        for (; done <= cells.Length - Vector512<float>.Count; done += Vector512<float>.Count)
        {
            var (low, high) = Vector512.Widen(Vector512.Create(cells[done..]));
            Add(low * low, sums[done..]);
            Add(high * high, sums[(done + Vector512<double>.Count)..]);
        }
        for (; done < cells.Length; done++)
            sums[done] += (double)cells[done] * cells[done];

        static void Add(Vector512<double> squares, Span<double> to) => (Vector512.Create<double>(to) + squares).CopyTo(to);
    }

    private static double? Constant(RunPlan plan, TrainingData data)
    {
        if (data.Shape.Target is TargetKind.Number)
        {
            double mean = data.Train.Values.Average(y => (double)y), spread = data.Train.Values.Average(y => (y - mean) * (y - mean));
            return plan.Training.Loss is MeanSquaredErrorPlan && data.Shape.Numbers == 1 ? spread : null;
        }
        var weights = plan.Training.ClassWeights?.Of(data.Train, data.Shape.Classes);
        var counts = new double[data.Shape.Classes];
        foreach (var label in data.Train.Labels)
            counts[label]++;
        for (var c = 0; c < counts.Length; c++)
            counts[c] *= weights?[c] ?? 1.0;
        double[] shares = [.. counts.Select(count => count / counts.Sum())];
        return plan.Training.Loss switch
        {
            CrossEntropyPlan { LabelSmoothing: var smoothing } =>
                shares.Select(p => (1 - smoothing) * p + smoothing / shares.Length).Sum(q => q > 0 ? -q * Math.Log(q) : 0),
            BinaryCrossEntropyPlan => shares.Sum(p => p > 0 ? -p * Math.Log(p) : 0),
            MeanSquaredErrorPlan => shares.Average(p => p * (1 - p)),
            _ => null,
        };
    }
}

/// <summary>How large a feature is.</summary>
/// <param name="Name">Of the input.</param>
/// <param name="Rms">Root mean square where it isn't 0.</param>
public sealed record FeatureScale(string Name, double Rms);
