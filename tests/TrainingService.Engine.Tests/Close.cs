namespace TrainingService.Engine.Tests;

/// <summary>Comparisons relative to max(1, |expected|), as the golden files state their tolerances; NaN only equals NaN.</summary>
public static class Close
{
    public static void Assert(double expected, double actual, double tolerance, string what = "")
    {
        if (!Is(expected, actual, tolerance))
            Xunit.Assert.Fail($"{what}: expected {expected:R}, got {actual:R}, "
                + $"off by {Math.Abs(expected - actual) / Math.Max(1, Math.Abs(expected)):E2}, allowed {tolerance:E2}");
    }

    public static void Assert(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance, string what = "")
    {
        Xunit.Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            Assert(expected[i], actual[i], tolerance, $"{what}[{i}]");
    }

    public static void Assert(double[][] expected, double[][] actual, double tolerance, string what = "")
    {
        Xunit.Assert.Equal(expected.Length, actual.Length);
        for (var r = 0; r < expected.Length; r++)
            Assert(expected[r], actual[r], tolerance, $"{what}[{r}]");
    }

    public static bool Is(double expected, double actual, double tolerance) =>
        expected.Equals(actual) || Math.Abs(expected - actual) <= tolerance * Math.Max(1, Math.Abs(expected));
}
