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
}

internal enum DrawKind
{
    Constant,
    Uniform,
    Normal,
    TruncatedNormal,
}

/// <summary>Draws number after number. Normal numbers come in pairs, of which the second waits until its turn.</summary>
internal struct Sampler(Draw draw, RandomStream random)
{
    private double _waiting = double.NaN;

    public void Fill(Span<float> values)
    {
        switch (draw.Kind)
        {
            case DrawKind.Constant:
                values.Fill((float)draw.A);
                break;
            case DrawKind.Uniform:
                foreach (ref var value in values)
                    value = (float)(draw.A + (draw.B - draw.A) * random.Uniform());
                break;
            case DrawKind.Normal:
                foreach (ref var value in values)
                    value = (float)(draw.A + draw.B * Normal());
                break;
            case DrawKind.TruncatedNormal:
                foreach (ref var value in values)
                {
                    double x;
                    do
                        x = Normal();
                    while (Math.Abs(x) > 2);
                    value = (float)(draw.A + draw.B * x);
                }
                break;
        }
    }

    private double Normal()
    {
        var x = _waiting;
        if (double.IsNaN(x))
            (x, _waiting) = random.Normals();
        else
            _waiting = double.NaN;
        return x;
    }
}
