using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace TrainingService.Host.Datasets;

/// <summary>Fashion-MNIST, from the first folder that has the four files with the right SHA-256.</summary>
public sealed class FashionMnist(IReadOnlyList<string> folders) : Dataset(new()
{
    Name = "fashion-mnist",
    Description = "Articles of clothing as grey images of 28 by 28 pixels from 0 to 255.",
    License = "MIT",
    Source = "https://github.com/zalandoresearch/fashion-mnist",
    Citation = "H. Xiao, K. Rasul, R. Vollgraf (2017). Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms. "
        + "https://arxiv.org/abs/1708.07747",
    Target = "article",
    Classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
    Image = new(Side, Side, 255),
})
{
    private const int Side = 28;
    private const int Pixels = Side * Side;
    private const int Train = 60_000;
    private const int Test = 10_000;

    private static readonly DatasetFile[] Four =
    [
        new("train-images-idx3-ubyte.gz", "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7"),
        new("train-labels-idx1-ubyte.gz", "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056"),
        new("t10k-images-idx3-ubyte.gz", "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa"),
        new("t10k-labels-idx1-ubyte.gz", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05"),
    ];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Length, DateTime Written)> _checked = [];
    private Table? _table;

    public override IReadOnlyList<Column> Columns { get; } =
        [.. from y in Enumerable.Range(0, Side) from x in Enumerable.Range(0, Side) select new Column($"pixel_{y}_{x}")];
    public override IReadOnlyList<int> ClassCounts { get; } = [.. Enumerable.Repeat((Train + Test) / 10, 10)];
    public override int TrainRows => Train;
    public override int TestRows => Test;
    public override double? TestFraction => null;
    public override int DroppedRows => 0;
    public override IReadOnlyList<DatasetFile> Files => Four;

    /// <summary>Of the lines that <c>sha256sum</c> prints for the four files.</summary>
    public override string Sha256 { get; } =
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(Four.Select(file => $"{file.Sha256}  {file.Name}\n")))));

    public override RowSplit Split() => new([.. Enumerable.Range(0, Train)], [.. Enumerable.Range(Train, Test)]);

    public override string? FindObstacle()
    {
        lock (_lock)
            return _table == null ? Find().Obstacle : null;
    }

    public override Table Read()
    {
        lock (_lock)
        {
            if (_table != null)
                return _table;
            var (folder, obstacle) = Find();
            if (obstacle != null)
                throw new DatasetUnavailableException(obstacle);
            var (pixels, labels) = (new byte[(Train + Test) * Pixels], new byte[Train + Test]);
            // The checksums vouch for the content, so the IDX headers (16 and 8 bytes) need no look.
            Unpack(folder, Four[0], 16, pixels.AsSpan(0, Train * Pixels));
            Unpack(folder, Four[1], 8, labels.AsSpan(0, Train));
            Unpack(folder, Four[2], 16, pixels.AsSpan(Train * Pixels));
            Unpack(folder, Four[3], 8, labels.AsSpan(Train));
            return _table = new(Pixels, pixels, [.. labels]);
        }
    }

    private (string Folder, string? Obstacle) Find()
    {
        string? wrong = null;
        foreach (var folder in folders)
        {
            var missing = Four.Where(file => !File.Exists(Path.Combine(folder, file.Name))).Select(file => file.Name).ToArray();
            if (missing.Length == Four.Length)
                continue;
            var obstacle = missing.Length > 0
                ? $"{folder} lacks {string.Join(", ", missing)}"
                : Four.Select(file => Check(folder, file)).FirstOrDefault(message => message != null);
            if (obstacle == null)
                return (folder, null);
            wrong ??= obstacle;
        }
        return ("", "the files of fashion-mnist are not usable on this machine: "
            + $"{wrong ?? "they are in none of " + string.Join(", ", folders)}. Install Debian's package (apt-get "
            + $"install dataset-fashion-mnist) or copy its {string.Join(", ", Four.Select(file => file.Name))} to {folders[0]}");
    }

    /// <summary>What is wrong with a file. 31 MB are hashed once, and again only when a file has changed.</summary>
    private string? Check(string folder, DatasetFile file)
    {
        var info = new FileInfo(Path.Combine(folder, file.Name));
        try
        {
            var seen = (info.Length, info.LastWriteTimeUtc);
            if (_checked.GetValueOrDefault(info.FullName) == seen)
                return null;
            using var stream = info.OpenRead();
            var actual = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (actual != file.Sha256)
                return $"{info.FullName} has the SHA-256 {actual} instead of {file.Sha256}";
            _checked[info.FullName] = seen;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{info.FullName} can't be read: {e.Message}";
        }
    }

    private static void Unpack(string folder, DatasetFile file, int header, Span<byte> content)
    {
        using var stream = new GZipStream(File.OpenRead(Path.Combine(folder, file.Name)), CompressionMode.Decompress);
        stream.ReadExactly(new byte[header]);
        stream.ReadExactly(content);
    }
}
