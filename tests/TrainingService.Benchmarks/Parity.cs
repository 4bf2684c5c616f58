using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Engine.Tests.Golden;

namespace TrainingService.Benchmarks;

/// <summary>
/// The engine against a file of golden vectors: one JSON line a case, the error being |actual - expected| / max(1, |expected|).
/// </summary>
internal static class Parity
{
    private static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static int Run(string[] args)
    {
        var path = new Options(args, "file").Text("file", "");
        List<(string Case, Action<GoldenCheck> Play)> cases;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            cases = [.. GoldenRun.Cases(document.RootElement.Clone())];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or JsonException)
        {
            Console.Error.WriteLine($"'{path}' is no file of golden vectors: {e.Message}");
            return 2;
        }
        var all = true;
        foreach (var (name, play) in cases)
        {
            var (worst, pass) = Play(name, play);
            Console.WriteLine(JsonSerializer.Serialize(new { @case = name, maxRelativeError = worst, pass }, Json));
            all &= pass;
        }
        return all ? 0 : 1;
    }

    private static (double Worst, bool Pass) Play(string name, Action<GoldenCheck> play)
    {
        var (worst, pass) = (0.0, true);
        try
        {
            play((expected, actual, tolerance, what) =>
            {
                var error = expected.Equals(actual) ? 0 : Math.Abs(actual - expected) / Math.Max(1, Math.Abs(expected));
                // NaN where a number is expected
                worst = Math.Max(worst, double.IsNaN(error) ? double.PositiveInfinity : error);
                if (error <= tolerance)
                    return;
                if (pass)
                    Console.Error.WriteLine($"{name}: {what} is {actual:R}, expected {expected:R}, allowed {tolerance:E1}");
                pass = false;
            });
        }
        catch (Exception e) when (e is ArgumentException or KeyNotFoundException or IndexOutOfRangeException)
        {
            Console.Error.WriteLine($"{name}: {e.Message}");
            return (double.PositiveInfinity, false);
        }
        return (worst, pass);
    }
}
