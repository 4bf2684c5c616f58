using System.Globalization;
using TrainingService.Host.Http;
using TrainingService.Host.Settings;

namespace TrainingService.Host.Uploads;

/// <summary>What an upload may take, <c>TRAINING_UPLOAD_MB</c>, and from where.</summary>
/// <param name="Bytes">Of the request.</param>
/// <param name="Folder">Where files wait on disk until they are stored: never in memory.</param>
/// <param name="FromUrl">Whether files are fetched.</param>
public sealed record UploadLimits(long Bytes, string Folder, Reach FromUrl = Reach.Off)
{
    private const int Standard = 1_024;
    private static readonly TimeSpan Forgotten = TimeSpan.FromDays(1);

    /// <summary>Of what is unpacked.</summary>
    public long UnpackedBytes => 4 * Bytes;

    /// <summary>Uploads that are read at once; each takes about 100 MB of memory. Others wait.</summary>
    public SemaphoreSlim Readers { get; } = new(2);

    public static UploadLimits Read(IConfiguration configuration)
    {
        var text = configuration["TRAINING_UPLOAD_MB"] ?? Standard.ToString(CultureInfo.InvariantCulture);
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var megabytes) || megabytes < 1)
            throw new StartRefusedException($"TRAINING_UPLOAD_MB must be a whole number of megabytes, at least 1, not '{text}'.");
        var folder = configuration["TRAINING_DATA_DIR"] is { Length: > 0 } data
            ? Path.Combine(Path.GetFullPath(data), "datasets", "uploads") : Path.Combine(Path.GetTempPath(), "training-uploads");
        var fromUrl = configuration.Word("TRAINING_UPLOAD_FROM_URL", Reach.Off);
        return new(megabytes * (1L << 20), folder, fromUrl);
    }

    /// <summary>A new file in the folder.</summary>
    public FileStream Create()
    {
        Directory.CreateDirectory(Folder);
        foreach (var old in Directory.EnumerateFiles(Folder).Where(file => File.GetLastWriteTimeUtc(file) < DateTime.UtcNow - Forgotten))
            File.Delete(old);   // of a process that was killed
        return new(Path.Combine(Folder, Path.GetRandomFileName()), FileMode.CreateNew, FileAccess.Write,
            FileShare.Read | FileShare.Delete, 1 << 16, useAsync: true);
    }
}
