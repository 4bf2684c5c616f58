using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace TrainingService.Host.Datasets;

/// <summary>One of the four files of a data set that is published in MNIST's form.</summary>
/// <param name="Name">File name.</param>
/// <param name="Sha256">SHA-256 of each packing that is known, lower-case hex: their content is the same.</param>
public sealed record PublishedFile(string Name, params IReadOnlyList<string> Sha256);

/// <summary>
/// A data set of 70,000 grey images in MNIST's four files, from the first folder that has them with the right SHA-256.
/// </summary>
/// <param name="card">What people should know of it.</param>
/// <param name="published">The four files: images and labels for training, images and labels for the test.</param>
/// <param name="classCounts">Rows of each class, train and test together.</param>
/// <param name="debianPackage">Debian's package that has the files, if there is one.</param>
/// <param name="folders">Folders that may have a folder of the data set's name with the files, in this order.</param>
/// <param name="memory">Where the rows are kept.</param>
public sealed class MnistFamily(DatasetCard card, IReadOnlyList<PublishedFile> published, IReadOnlyList<int> classCounts,
    string? debianPackage, IReadOnlyList<string> folders, RowCache memory) : Dataset(card)
{
    private const int Side = 28;
    private const int Pixels = Side * Side;
    private const int Train = 60_000;
    private const int Test = 10_000;

    /// <summary>Those that are known. SHA-256s as their authors' files have them, and as Debian's package of Fashion-MNIST has.</summary>
    public static IReadOnlyList<MnistFamily> All(IReadOnlyList<string> folders, RowCache memory) =>
    [
        new(new()
        {
            Name = "fashion-mnist",
            Description = "Articles of clothing as grey images of 28 by 28 pixels from 0 to 255.",
            License = "MIT",
            Source = "https://github.com/zalandoresearch/fashion-mnist",
            Citation = "H. Xiao, K. Rasul, R. Vollgraf (2017). Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning "
                + "Algorithms. https://arxiv.org/abs/1708.07747",
            Target = "article",
            Classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"],
            Image = new(Side, Side, 255),
        },
        [
            new("train-images-idx3-ubyte.gz", "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
            new("train-labels-idx1-ubyte.gz", "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
            new("t10k-images-idx3-ubyte.gz", "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
            new("t10k-labels-idx1-ubyte.gz", "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
        ], [.. Enumerable.Repeat((Train + Test) / 10, 10)], "dataset-fashion-mnist", folders, memory),
        new(new()
        {
            Name = "kmnist",
            Description = "Ten cursive Japanese characters as grey images of 28 by 28 pixels from 0 to 255.",
            License = "CC BY-SA 4.0",
            Source = "https://github.com/rois-codh/kmnist",
            Citation = "T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha (2018). Deep Learning for Classical "
                + "Japanese Literature. https://arxiv.org/abs/1812.01718",
            Target = "character",
            Classes = ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
            Image = new(Side, Side, 255),
        },
        [
            new("train-images-idx3-ubyte.gz", "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4"),
            new("train-labels-idx1-ubyte.gz", "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17"),
            new("t10k-images-idx3-ubyte.gz", "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5"),
            new("t10k-labels-idx1-ubyte.gz", "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c"),
        ], [.. Enumerable.Repeat((Train + Test) / 10, 10)], null, folders, memory),
        new(new()
        {
            Name = "mnist",
            Description = "Handwritten digits as grey images of 28 by 28 pixels from 0 to 255.",
            License = "CC BY-SA 3.0",
            Source = "http://yann.lecun.com/exdb/mnist/",
            Citation = "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner (1998). Gradient-Based Learning Applied to Document Recognition. "
                + "Proceedings of the IEEE 86 (11). https://doi.org/10.1109/5.726791",
            Target = "digit",
            Classes = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
            Image = new(Side, Side, 255),
        },
        [
            new("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
            new("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
            new("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
            new("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
        ], [6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958], null, folders, memory),
    ];

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (long Length, DateTime Written)> _checked = [];

    public override IReadOnlyList<Column> Columns { get; } =
        [.. from y in Enumerable.Range(0, Side) from x in Enumerable.Range(0, Side) select new Column($"pixel_{y}_{x}")];
    public override IReadOnlyList<int> ClassCounts => classCounts;

    /// <summary>What the folder of its name is to have.</summary>
    public IReadOnlyList<PublishedFile> Published => published;

    public string? DebianPackage => debianPackage;

    /// <summary>Where its files are, once there is no obstacle.</summary>
    public string FindFolder() => Look().Folder;

    /// <summary>Where its own copy belongs.</summary>
    public string Folder => Path.Combine(folders[0], Name);
    public override int TrainRows => Train;
    public override int TestRows => Test;
    public override double? TestFraction => null;
    public override int DroppedRows => 0;
    public override IReadOnlyList<DatasetFile> Files { get; } = [.. published.Select(file => new DatasetFile(file.Name, file.Sha256[0]))];

    /// <summary>Of the lines that <c>sha256sum</c> prints for the four files.</summary>
    public override string Sha256 { get; } =
        Convert.ToHexStringLower(
            SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(published.Select(file => $"{file.Sha256[0]}  {file.Name}\n")))));

    public override RowSplit Split() => new([.. Enumerable.Range(0, Train)], [.. Enumerable.Range(Train, Test)]);

    public override string? FindObstacle() => Look().Obstacle;

    public override int RowBytes => Pixels;

    public override Table Read() => memory.GetOrAdd(RowsKey, (Train + Test) * (Pixels + sizeof(int)), () =>
    {
        var (folder, obstacle) = Look();
        if (obstacle != null)
            throw new DatasetUnavailableException(obstacle);
        var (pixels, labels) = (new byte[(Train + Test) * Pixels], new byte[Train + Test]);
        // The checksums vouch for the content, so the IDX headers (16 and 8 bytes) need no look.
        Unpack(folder, published[0], 16, pixels.AsSpan(0, Train * Pixels));
        Unpack(folder, published[1], 8, labels.AsSpan(0, Train));
        Unpack(folder, published[2], 16, pixels.AsSpan(Train * Pixels));
        Unpack(folder, published[3], 8, labels.AsSpan(Train));
        return new Table(Pixels, pixels, [.. labels]);
    });

    private (string Folder, string? Obstacle) Look()
    {
        lock (_lock)
            return Find();
    }

    private (string Folder, string? Obstacle) Find()
    {
        string? wrong = null;
        foreach (var folder in folders.Select(folder => Path.Combine(folder, Name)))
        {
            var missing = published.Where(file => !File.Exists(Path.Combine(folder, file.Name))).Select(file => file.Name).ToArray();
            if (missing.Length == published.Count)
                continue;
            var obstacle = missing.Length > 0
                ? $"{folder} lacks {string.Join(", ", missing)}"
                : published.Select(file => Check(folder, file)).FirstOrDefault(message => message != null);
            if (obstacle == null)
                return (folder, null);
            wrong ??= obstacle;
        }
        var package = debianPackage is null ? "" : $"Install Debian's package (apt-get install {debianPackage}), or pull them: ";
        return ("", $"the files of {Name} are not usable on this machine: "
            + $"{wrong ?? "they are in none of " + string.Join(", ", folders.Select(folder => Path.Combine(folder, Name)))}. "
            + $"{(package.Length > 0 ? package : "Pull them: ")}POST /api/v1/datasets/{Name}/pull, or the command 'datasets pull {Name}'; "
            + $"or copy {string.Join(", ", published.Select(file => file.Name))} to {Folder}");
    }

    /// <summary>What is wrong with a file. 31 MB are hashed once, and again only when a file has changed.</summary>
    private string? Check(string folder, PublishedFile file)
    {
        var info = new FileInfo(Path.Combine(folder, file.Name));
        try
        {
            var seen = (info.Length, info.LastWriteTimeUtc);
            if (_checked.GetValueOrDefault(info.FullName) == seen)
                return null;
            using var stream = info.OpenRead();
            var actual = Convert.ToHexStringLower(SHA256.HashData(stream));
            if (!file.Sha256.Contains(actual))
                return $"{info.FullName} has the SHA-256 {actual} instead of {string.Join(" or ", file.Sha256)}";
            _checked[info.FullName] = seen;
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{info.FullName} can't be read: {e.Message}";
        }
    }

    private static void Unpack(string folder, PublishedFile file, int header, Span<byte> content)
    {
        using var stream = new GZipStream(File.OpenRead(Path.Combine(folder, file.Name)), CompressionMode.Decompress);
        stream.ReadExactly(new byte[header]);
        stream.ReadExactly(content);
    }
}
