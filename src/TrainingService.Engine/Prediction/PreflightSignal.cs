namespace TrainingService.Engine.Prediction;

/// <summary>What mean-field theory knows of a layer's output: for each class of rows, the moments over the units.</summary>
/// <param name="Units">Number of units.</param>
/// <param name="Mean">Mean over the units, one number a class.</param>
/// <param name="Square">Mean square over the units, one number a class.</param>
/// <param name="Normal">Whether the units' values are normal: a sum over many inputs, and not yet bent by an activation.</param>
/// <param name="Shared">Mean over the units of (mean over the rows)^2: what batch statistics take away. NaN where it isn't known.</param>
/// <param name="Spread">How far draws of finite width stray.</param>
internal sealed record PreflightSignal(int Units, double[] Mean, double[] Square, bool Normal, double Shared, PreflightSpread Spread)
{
    /// <summary>Why nothing is known; null if something is.</summary>
    public string? Unknown { get; init; }

    /// <summary>Mean square over all rows; the classes have equally many.</summary>
    public double MeanSquare => Square.Average();

    /// <summary>Variance over all units and rows.</summary>
    public double Variance => MeanSquare - Mean.Average() * Mean.Average();
}

/// <summary>What is known of dC/dz or dC/dh, C the loss of one row.</summary>
/// <param name="Square">Mean square over the units, one number a class of rows.</param>
/// <param name="SumSquare">Expected square of the sum over the units, one number a class: what weights with a mean bring back.</param>
/// <param name="Spread">How far draws of finite width stray.</param>
internal sealed record PreflightGradient(double[] Square, double[] SumSquare, PreflightSpread Spread)
{
    /// <summary>Where none has come by yet.</summary>
    public static PreflightGradient None { get; } = new([], [], default) { Unknown = "no gradient has come by" };

    /// <inheritdoc cref="PreflightSignal.Unknown"/>
    public string? Unknown { get; init; }

    /// <summary>Mean square over all rows.</summary>
    public double MeanSquare => Square.Average();

    public static PreflightGradient operator +(PreflightGradient a, PreflightGradient b) => new(
        [.. a.Square.Zip(b.Square, (x, y) => x + y)], [.. a.SumSquare.Zip(b.SumSquare, (x, y) => x + y)],
        PreflightSpread.OfSum(a.Spread, a.MeanSquare, b.Spread, b.MeanSquare))
    { Unknown = a.Unknown ?? b.Unknown };

    /// <summary>Both moments times <paramref name="factor"/>.</summary>
    public PreflightGradient Times(Func<int, double> factor) => this with
    {
        Square = [.. Square.Select((g, row) => factor(row) * g)],
        SumSquare = [.. SumSquare.Select((g, row) => factor(row) * g)],
    };
}

/// <summary>
/// The distribution over draws of the logarithm of a mean square around its mean-field value: a layer of n units multiplies it by a mean of
/// n terms, whose relative variance is kappa / n, so that its logarithm has variance kappa / n and mean -kappa / 2n. Rectifier: kappa = 5;
/// over L layers, -2.5 L/n and 5 L/n (Hanin &amp; Nica 2020, Products of many large random matrices and gradients in deep neural networks).
/// Upper bounds where rows are not yet alike, whose strayings then cancel in part.
/// </summary>
/// <param name="Variance">Of the natural logarithm.</param>
/// <param name="Shift">Mean of the natural logarithm.</param>
internal readonly record struct PreflightSpread(double Variance, double Shift)
{
    /// <summary>Through a function with this elasticity, d ln(output) / d ln(input).</summary>
    public PreflightSpread Through(double elasticity) => new(elasticity * elasticity * Variance, elasticity * Shift);

    /// <summary>And the mean over the units of a layer.</summary>
    public PreflightSpread Layer(double kappa, int units) => new(Variance + kappa / units, Shift - kappa / units / 2);

    /// <summary>Of a sum of two mean squares, taken to stray together.</summary>
    public static PreflightSpread OfSum(PreflightSpread a, double x, PreflightSpread b, double y)
    {
        var share = x + y > 0 ? x / (x + y) : 0;
        var deviation = share * Math.Sqrt(a.Variance) + (1 - share) * Math.Sqrt(b.Variance);
        return new(deviation * deviation, share * a.Shift + (1 - share) * b.Shift);
    }
}
