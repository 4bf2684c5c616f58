namespace TrainingService.Engine.Prediction;

/// <summary>
/// Mean squares of many nets on a choice of rows, and how much of their straying is that of the choice: on all rows it would average out
/// more. A row's part in the mean square, p_r, strays from net to net around its own mean; a row that stands for g - 1 others beside
/// itself brings a variance of Var(p_r) to the logarithm of the mean square, where g rows that stray alike bring Var(p_r) / g.
/// </summary>
/// <param name="weights">Share of all rows that each row stands for.</param>
/// <param name="others">Rows that it stands for beside itself.</param>
/// <param name="nets">How many are to come.</param>
/// <param name="units">Over which squares are summed.</param>
internal sealed class PreflightShares(double[] weights, double[] others, int nets, int units)
{
    private readonly double[] _roots = new double[nets];
    private readonly double[] _sums = new double[weights.Length], _squares = new double[weights.Length];
    private int _count;

    public PreflightSample Sample
    {
        get
        {
            double chosen = 0, all = 0;
            for (var r = 0; r < weights.Length; r++)
            {
                var variance = Math.Max(0, _squares[r] - _sums[r] * _sums[r] / nets) / Math.Max(1, nets - 1);
                chosen += variance;
                all += variance / (others[r] + 1);
            }
            // the logarithm of a root is half of that of the square
            return new(_roots, chosen / 4, all / 4);
        }
    }

    /// <summary>A net's squares, one number a row; if <paramref name="by"/> others, the root of the ratio of both means.</summary>
    public void Add(ReadOnlySpan<double> squares, ReadOnlySpan<double> by = default)
    {
        double mean = 0, divisor = 0;
        for (var r = 0; r < weights.Length; r++)
        {
            mean += weights[r] * squares[r];
            divisor += by.IsEmpty ? 0 : weights[r] * by[r];
        }
        _roots[_count++] = Math.Sqrt(by.IsEmpty ? mean / units : mean / divisor);
        for (var r = 0; r < weights.Length; r++)
        {
            var share = weights[r] * (squares[r] / mean - (by.IsEmpty ? 0 : by[r] / divisor));
            (_sums[r], _squares[r]) = (_sums[r] + share, _squares[r] + share * share);
        }
    }
}

/// <summary>What as many nets have measured.</summary>
/// <param name="Roots">A root mean square of each, or a ratio of two.</param>
/// <param name="Chosen">Of the variance of their logarithms, what the rows bring that were chosen.</param>
/// <param name="All">What all rows would bring.</param>
internal sealed record PreflightSample(double[] Roots, double Chosen, double All);
