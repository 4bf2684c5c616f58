using TrainingService.Engine.Randomness;

namespace TrainingService.Engine.Initializers;

/// <summary>What an initialiser comes down to for one layer: a distribution to draw each number from.</summary>
internal readonly record struct Draw(DrawKind Kind, double A, double B)
{
    /// <summary>Cut at 2 standard deviations, a standard normal keeps this standard deviation.</summary>
    public const double TruncatedDeviation = 0.87962566103423978;

    public static Draw Constant(double value) => new(DrawKind.Constant, value, 0);

    public static Draw Uniform(double min, double max) => new(DrawKind.Uniform, min, max);

    public static Draw Normal(double mean, double std) => new(DrawKind.Normal, mean, std);

    /// <summary><paramref name="std"/> is that of the normal before the cut at 2 std.</summary>
    public static Draw TruncatedNormal(double mean, double std) => new(DrawKind.TruncatedNormal, mean, std);

    /// <summary>Of the numbers drawn.</summary>
    public (double Mean, double Variance) Moments => Kind switch
    {
        DrawKind.Constant => (A, 0),
        DrawKind.Uniform => ((A + B) / 2, (B - A) * (B - A) / 12),
        DrawKind.Normal => (A, B * B),
        _ => (A, B * B * TruncatedDeviation * TruncatedDeviation),
    };

    public void Fill(Span<float> values, RandomStream random)
    {
        switch (Kind)
        {
            case DrawKind.Constant:
                values.Fill((float)A);
                break;
            case DrawKind.Uniform:
                foreach (ref var value in values)
                    value = (float)(A + (B - A) * random.Uniform());
                break;
            case DrawKind.Normal:
                for (var i = 0; i < values.Length; i += 2)
                {
                    var (x, y) = random.Normals();
                    values[i] = (float)(A + B * x);
                    if (i + 1 < values.Length)
                        values[i + 1] = (float)(A + B * y);
                }
                break;
            case DrawKind.TruncatedNormal:
                for (var i = 0; i < values.Length;)
                {
                    var (x, y) = random.Normals();
                    if (Math.Abs(x) <= 2)
                        values[i++] = (float)(A + B * x);
                    if (Math.Abs(y) <= 2 && i < values.Length)
                        values[i++] = (float)(A + B * y);
                }
                break;
        }
    }
}

internal enum DrawKind
{
    Constant,
    Uniform,
    Normal,
    TruncatedNormal,
}
