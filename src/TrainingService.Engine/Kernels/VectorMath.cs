using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using TrainingService.Engine.Memory;

namespace TrainingService.Engine.Kernels;

/// <summary>
/// Elementary functions on 16 floats. The polynomials are Cephes' (S. L. Moshier, netlib.org/cephes, single precision). NaN stays NaN.
/// Largest errors seen on 4 million arguments stand with each function, in ulp; the tests allow twice that.
/// </summary>
internal static unsafe class VectorMath
{
    private static Vector512<float> V(float value) => Vector512.Create(value);

    /// <summary>p[0] x^n + ... + p[n] by Horner's rule.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Polynomial(Vector512<float> x, float a, float b, float c, float d, float e) =>
        Vector512.FusedMultiplyAdd(
            Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(V(a), x, V(b)), x, V(c)), x, V(d)), x, V(e));

    /// <summary>x 2^n for whole n, also where 2^n itself has no float.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Scale(Vector512<float> x, Vector512<float> n)
    {
        if (Avx512F.IsSupported)
            return Avx512F.Scale(x, n);
        var whole = Vector512.ConvertToInt32(n);
        var half = Vector512.ShiftRightArithmetic(whole, 1);
        return x * Vector512.ShiftLeft(half + Vector512.Create(127), 23).AsSingle()
            * Vector512.ShiftLeft(whole - half + Vector512.Create(127), 23).AsSingle();
    }

    /// <summary>e^x = 2^n (1 + (e^r - 1)) with n = round(x / ln 2), r = x - n ln 2; answers n and e^r - 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Reduced(Vector512<float> x, out Vector512<float> n)
    {
        // the bounds come first: where an operand is NaN, x86 answers the second one
        x = Vector512.MaxNative(V(-104f), Vector512.MinNative(V(89f), x));
        n = Vector512.Round(x * V(1.44269504f));
        var r = Vector512.FusedMultiplyAdd(n, V(-0.693359375f), x);
        r = Vector512.FusedMultiplyAdd(n, V(2.12194440e-4f), r);
        var p = Vector512.FusedMultiplyAdd(Polynomial(r, 1.9875691500e-4f, 1.3981999507e-3f,
            8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f), r, V(5.0000001201e-1f));
        return Vector512.FusedMultiplyAdd(p, r * r, r);
    }

    /// <summary>e^x; 1.0 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Exp(Vector512<float> x)
    {
        var p = Reduced(x, out var n);
        return Scale(p + Vector512<float>.One, n);
    }

    /// <summary>e^x - 1, without the cancellation near 0; 1.5 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ExpM1(Vector512<float> x)
    {
        var p = Reduced(x, out var n);
        var power = Scale(Vector512<float>.One, n);
        return Vector512.FusedMultiplyAdd(p, power, power - Vector512<float>.One);
    }

    /// <summary>1 / (1 + e^-x); 2.4 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid(Vector512<float> x) => Vector512<float>.One / (Vector512<float>.One + Exp(-x));

    /// <summary>tanh x: an odd polynomial below 0.625, 1 - 2 / (e^2x + 1) above; 1.3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Tanh(Vector512<float> x)
    {
        var magnitude = Vector512.Abs(x);
        var square = x * x;
        var small = Vector512.FusedMultiplyAdd(Polynomial(square, -5.70498872745e-3f, 2.06390887954e-2f,
            -5.37397155531e-2f, 1.33314422036e-1f, -3.33332819422e-1f), square * x, x);
        var large = Vector512<float>.One - V(2f) / (Exp(magnitude + magnitude) + Vector512<float>.One);
        large = Vector512.CopySign(large, x);
        return Vector512.ConditionalSelect(Vector512.LessThan(magnitude, V(0.625f)), small, large);
    }

    /// <summary>
    /// ln x for positive, normal and finite x (NaN and infinity stay): x = 2^n m with m in [sqrt(1/2), sqrt 2),
    /// then a polynomial in m - 1; 0.8 ulp.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log(Vector512<float> x)
    {
        var bits = x.AsInt32() - Vector512.Create(0x3f3504f3);
        var n = Vector512.ConvertToSingle(Vector512.ShiftRightArithmetic(bits, 23));
        var m = ((bits & Vector512.Create(0x007fffff)) + Vector512.Create(0x3f3504f3)).AsSingle() - Vector512<float>.One;
        var square = m * m;
        var p = Polynomial(m, 7.0376836292e-2f, -1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f);
        p = Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(p,
            m, V(-1.6668057665e-1f)), m, V(2.0000714765e-1f)), m, V(-2.4999993993e-1f)), m, V(3.3333331174e-1f));
        var y = p * square * m;
        y = Vector512.FusedMultiplyAdd(n, V(-2.12194440e-4f), y);
        y = Vector512.FusedMultiplyAdd(square, V(-0.5f), y);
        y = Vector512.FusedMultiplyAdd(n, V(0.693359375f), m + y);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, V(float.PositiveInfinity)), y, x);
    }

    /// <summary>ln(1 + u) for u in [0, 1]: ln(w) u / (w - 1) with w = 1 + u takes back w's rounding; 2.3 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Log1P(Vector512<float> u)
    {
        var w = Vector512<float>.One + u;
        var exact = Log(w) * u / (w - Vector512<float>.One);
        return Vector512.ConditionalSelect(Vector512.Equals(w, Vector512<float>.One), u, exact);
    }

    /// <summary>
    /// The normal distribution function Phi(x) = erfc(-x / sqrt 2) / 2; 1e-7 absolutely, 30 ulp at -5 and more
    /// beyond, where x^2 is rounded.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> NormalCdf(Vector512<float> x) => NormalCdf(x, out _);

    /// <summary>The same, with the density e^(-x^2/2) / sqrt(2 pi), for which it has the exponential.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> NormalCdf(Vector512<float> x, out Vector512<float> density)
    {
        var t = Vector512.Abs(x) * V(0.70710678f);
        var square = t * t;
        // erf(t) = t T(t^2), t < 1
        var erf = Polynomial(square, 7.853861353153693e-5f, -8.010193625184903e-4f,
            5.188327685732524e-3f, -2.685381193529856e-2f, 1.128358514861418e-1f);
        erf = t * Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(erf, square, V(-3.761262582423300e-1f)),
            square, V(1.128379165726710f));
        // erfc(t) = e^(-t^2) P(1/t) / t, with one polynomial in 1/t^2 up to 2 and another above
        var q = Vector512<float>.One / Vector512.Max(t, V(0.5f));
        var y = q * q;
        var near = Polynomial(y, 2.326819970068386e-2f, -1.387039388740657e-1f,
            3.687424674597105e-1f, -5.824733027278666e-1f, 6.210004621745983e-1f);
        near = Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(near, y,
            V(-4.944515323274145e-1f)), y, V(3.404879937665872e-1f)), y, V(-2.741127028184656e-1f)), y, V(5.638259427386472e-1f));
        var far = Polynomial(y, -1.047766399936249e+1f, 1.297719955372516e+1f,
            -7.495518717768503e+0f, 2.921019019210786e+0f, -1.015265279202700e+0f);
        far = Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(Vector512.FusedMultiplyAdd(far, y, V(4.218463358204948e-1f)),
            y, V(-2.820767439740514e-1f)), y, V(5.641895067754075e-1f));
        var exponential = Exp(-square);
        density = exponential * V(0.39894228f);
        var erfc = exponential * q * Vector512.ConditionalSelect(Vector512.LessThan(t, V(2f)), near, far);
        // the upper tail is 1 - the lower one
        var lower = V(0.5f) * Vector512.ConditionalSelect(Vector512.LessThan(t, Vector512<float>.One), Vector512<float>.One - erf, erfc);
        return Vector512.ConditionalSelect(Vector512.LessThan(x, Vector512<float>.Zero), lower, Vector512<float>.One - lower);
    }

    /// <summary>x within +-1e4, for products with something that is 0 out there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Bounded(Vector512<float> x) => Vector512.MaxNative(V(-1e4f), Vector512.MinNative(V(1e4f), x));

    /// <summary>The sum of 16 numbers by halves, the same on every instruction set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512<float> x)
    {
        var eight = x.GetLower() + x.GetUpper();
        var four = eight.GetLower() + eight.GetUpper();
        return four[0] + four[2] + (four[1] + four[3]);
    }

    /// <summary>The sum of 8 numbers by halves, the same on every instruction set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum(Vector512<double> x)
    {
        var four = x.GetLower() + x.GetUpper();
        return four[0] + four[2] + (four[1] + four[3]);
    }

    /// <summary>
    /// Sum of squares of <paramref name="count"/> numbers, a multiple of 16, in float64: the squares of vanishing
    /// gradients have no float32.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double SumOfSquares(float* x, long count)
    {
        Vector512<double> low = default, high = default;
        for (long i = 0; i < count; i += 16)
        {
            var (a, b) = Vector512.Widen(Vector512.Load(x + i));
            low = Vector512.FusedMultiplyAdd(a, a, low);
            high = Vector512.FusedMultiplyAdd(b, b, high);
        }
        return Sum(low + high);
    }

    /// <summary>Of each sample, in blocks of <paramref name="features"/> numbers a sample: the same.</summary>
    public static void SumsOfSquares(float* x, int features, Span<double> sums)
    {
        var of16 = stackalloc double[16];
        for (var first = 0; first < sums.Length; first += 16)
        {
            Vector512<double> low = default, high = default;
            var at = x + Layout.Block(0, first, features);
            for (var feature = 0; feature < features; feature++, at += Layout.Lanes)
            {
                var (a, b) = Vector512.Widen(Vector512.Load(at));
                low = Vector512.FusedMultiplyAdd(a, a, low);
                high = Vector512.FusedMultiplyAdd(b, b, high);
            }
            low.Store(of16);
            high.Store(of16 + 8);
            new Span<double>(of16, Math.Min(16, sums.Length - first)).CopyTo(sums[first..]);
        }
    }

    /// <summary>All bits set in the lanes of 16 samples from <paramref name="first"/> on that exist.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Present(int first, int samples) =>
        Vector512.LessThan(Vector512.Create(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
            Vector512.Create(samples - first)).AsSingle();
}
