using TrainingService.Host.Settings;

namespace TrainingService.Host.Datasets;

/// <summary>Where data sets' files are, and where they may be fetched from.</summary>
/// <param name="Folders">Each may have a folder of a data set's name; the first is this service's own.</param>
/// <param name="Source">Address or folder that files are fetched from, <c>TRAINING_DATASETS_SOURCE</c>; null for none.</param>
public sealed record DatasetSource(IReadOnlyList<string> Folders, string? Source)
{
    /// <summary>Where Debian's packages put them.</summary>
    private const string Debian = "/usr/share/datasets";

    public static DatasetSource Read(IConfiguration configuration)
    {
        var data = configuration["TRAINING_DATA_DIR"] is { Length: > 0 } configured ? configured : ".data";
        var source = configuration["TRAINING_DATASETS_SOURCE"] is { Length: > 0 } given ? given : null;
        if (source is not null && Fault(source) is { } fault)
            throw new StartRefusedException($"TRAINING_DATASETS_SOURCE {fault}.");
        return new([Path.Combine(Path.GetFullPath(data), "datasets"), Debian], source);
    }

    /// <summary>What is wrong with a source; null if nothing is.</summary>
    public static string? Fault(string source) => !source.Contains("://", StringComparison.Ordinal) || IsAddress(source) ? null
        : $"must be an address that begins with http:// or https://, or a folder, not '{source}'";

    public static bool IsAddress(string source) =>
        Uri.TryCreate(source, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;
}
