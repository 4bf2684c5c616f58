using System.Globalization;

namespace TrainingService.Host.Settings;

public static class Numbers
{
    /// <summary>A setting that is a whole number.</summary>
    /// <param name="configuration">Where it is.</param>
    /// <param name="setting">Its name.</param>
    /// <param name="otherwise">What holds if it is not set.</param>
    /// <param name="of">What is counted.</param>
    /// <param name="least">At least; 0 is for what may be without limit.</param>
    public static int WholeNumber(this IConfiguration configuration, string setting, int otherwise, string of, int least = 0) =>
        configuration[setting] switch
        {
            null or "" => otherwise,
            var text when int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value >= least => value,
            var text => throw new StartRefusedException($"{setting} must be a whole number of {of}, "
                + $"{(least == 0 ? "or 0 for no limit" : $"at least {least}")}, not '{text}'."),
        };

    /// <summary>A setting that is one of some words.</summary>
    /// <param name="configuration">Where it is.</param>
    /// <param name="setting">Its name.</param>
    /// <param name="otherwise">What holds if it is not set.</param>
    public static T Word<T>(this IConfiguration configuration, string setting, T otherwise) where T : struct, Enum =>
        configuration[setting] switch
        {
            null or "" => otherwise,
            var text when Array.Find(Enum.GetNames<T>(), name => name.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } name =>
                Enum.Parse<T>(name),
            var text => throw new StartRefusedException(
                $"{setting} must be {Words([.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())])}, not '{text}'."),
        };

    private static string Words(string[] words) => $"{string.Join(", ", words[..^1])} or {words[^1]}";
}
