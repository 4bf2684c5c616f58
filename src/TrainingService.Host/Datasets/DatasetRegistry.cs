using System.Collections.Concurrent;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Datasets;

/// <summary>All data sets by name: checks what a job asks of one, and prepares its rows.</summary>
/// <param name="datasets">The built-in ones.</param>
/// <param name="memory">Where rows are kept.</param>
/// <param name="stored">Those that were brought; null for none.</param>
public sealed class DatasetRegistry(IReadOnlyList<Dataset> datasets, RowCache memory, StoredDatasets? stored = null)
{
    public const double DefaultValidationFraction = 0.1, LargestValidationFraction = 0.9;

    /// <summary>
    /// Of a data set's inputs as float32: up to here each seed's are made once, since they stay in the processor's cache; beyond,
    /// whenever a batch is gathered.
    /// </summary>
    private const long MostMadeBytes = 1 << 20;

    /// <summary>Bytes that a seed's splits take beside their rows: the encoder, the spec that they are found by.</summary>
    private const long BesideRows = 3000;

    private readonly ConcurrentDictionary<(DatasetSpec Spec, long Seed), DataShape> _shapes = [];

    /// <summary>The built-in ones alone.</summary>
    /// <param name="folders">Where folders with the files of MNIST and its like are looked for, in this order.</param>
    public DatasetRegistry(params string[] folders) : this(new RowCache(), folders) { }

    private DatasetRegistry(RowCache memory, string[] folders) : this(BuiltInOnes(folders, memory), memory) { }

    public static IReadOnlyList<Dataset> BuiltInOnes(IReadOnlyList<string> folders, RowCache memory) =>
        [.. BuiltIn.All, .. Synthetic.All, .. MnistFamily.All(folders, memory)];

    /// <summary>The built-in ones, in alphabetical order.</summary>
    public IReadOnlyList<Dataset> All { get; } = [.. datasets.OrderBy(dataset => dataset.Name, StringComparer.Ordinal)];

    /// <summary>In alphabetical order.</summary>
    /// <param name="owner">Of what they have brought, as far as one may see it; null for all.</param>
    public IReadOnlyList<string> Names(string? owner = null) => [.. (owner is null ? All.Select(dataset => dataset.Name) : [])
        .Union(stored?.Names(owner) ?? []).Order(StringComparer.Ordinal)];

    /// <summary>By its owner and its name; null if unknown.</summary>
    /// <param name="owner">Null for whoever's it is that the name means.</param>
    /// <param name="name">Its name.</param>
    public Dataset? FindOf(string? owner, string name) => owner is null ? Find(name) : stored?.Find(name, null, owner);

    /// <summary>By name, case-sensitive, in the latest version; null if unknown.</summary>
    public Dataset? Find(string name) => Find(name, null);

    /// <summary>The one that a job is about, in the version that it was submitted for.</summary>
    public Dataset? Find(DatasetSpec spec) => Find(spec.Name, spec.Sha256);

    private Dataset? Find(string name, string? sha256)
    {
        if (All.FirstOrDefault(dataset => dataset.Name == name) is not { } builtIn)
            return stored?.Find(name, sha256);
        // Somebody may have brought a data set of this name before it was built in.
        return sha256 is null || builtIn.Sha256 == sha256 ? builtIn : stored?.Find(name, sha256);
    }

    /// <summary>What to answer for an unknown name.</summary>
    public string Unknown(string name)
    {
        const int Shown = 30;
        var names = Names();
        return Engine.Specs.Names.DidYouMean(name, names) is { Length: > 0 } nearest ? $"unknown dataset '{name}'{nearest}"
            : $"unknown dataset '{name}': there are {string.Join(", ", names.Take(Shown))}"
                + (names.Count > Shown ? $" and {names.Count - Shown:N0} more (GET /api/v1/datasets)" : "");
    }

    private string Unknown(DatasetSpec spec) => spec.Sha256 is { } sha256 && Find(spec.Name) is { } other
        ? $"'{spec.Name}' has no version with the SHA-256 {sha256}; its latest has {other.Sha256}" : Unknown(spec.Name);

    /// <summary>
    /// Checks the spec (pointers below /dataset), fills in defaults and tells the shape after encoding and splitting;
    /// null and errors if something is wrong.
    /// </summary>
    public (DatasetSpec Spec, DataShape Shape)? Resolve(DatasetSpec spec, long seed, ICollection<SpecError> errors)
    {
        var before = errors.Count;
        var fraction = spec.ValidationFraction ?? DefaultValidationFraction;
        if (!(fraction is >= 0 and <= LargestValidationFraction))
            errors.Add(new("/dataset/validationFraction", $"validationFraction must be a number from 0 to 0.9, not {Json(fraction)}"
                + (fraction is >= 1 and <= 90 ? $": did you mean {Json(fraction / 100)} ({Json(fraction)} %)?" : "")));
        var dataset = string.IsNullOrEmpty(spec.Name) ? null : Find(spec);
        if (dataset == null)
            errors.Add(new(spec.Sha256 is not null && Find(spec.Name) is not null ? "/dataset/sha256" : "/dataset/name", Unknown(spec)));
        else if (dataset.FindObstacle() is { } obstacle)
            errors.Add(new("/dataset/name", obstacle));
        if (spec.MaxTrainExamples < 1)
            errors.Add(new("/dataset/maxTrainExamples",
                $"maxTrainExamples must be at least 1 or null for all rows, not {spec.MaxTrainExamples}"));
        else if (dataset != null && spec.MaxTrainExamples < Strata(dataset))
            errors.Add(new("/dataset/maxTrainExamples",
                $"maxTrainExamples must be at least {Strata(dataset)}, the number of classes of '{dataset.Name}', "
                + $"so that each is learned; not {spec.MaxTrainExamples}"));
        else if (dataset is { IsInTime: true } && spec.TestSplit is TestSplit.PerSeed)
            errors.Add(new("/dataset/testSplit",
                $"the test rows of '{dataset.Name}' are its latest (timeBy), which no seed can draw: use 'fixed'"));
        if (dataset == null || errors.Count > before)
            return null;
        var resolved = spec with
        {
            ValidationFraction = fraction,
            Standardize = spec.Standardize ?? true,
            TestSplit = spec.TestSplit ?? TestSplit.Fixed,
            Sha256 = dataset is StoredDataset ? dataset.Sha256 : spec.Sha256,
        };
        var shape = dataset.IsInGroups ? ShapeOfGroups(dataset, resolved, seed) : Shape(dataset, fraction, spec.MaxTrainExamples);
        if (fraction > 0 && shape.ValidationRows == 0 && dataset.IsInGroups)
            errors.Add(new("/dataset/validationFraction",
                $"no group of '{dataset.Name}' (groupBy) can be held out for validation: each is all that "
                + "is left to learn a class from. Use 0"));
        return errors.Count > before ? null : (resolved, shape);
    }

    /// <summary>
    /// Splits, and fits what imputes, encodes and scales; the spec is a resolved one. Kept in memory per (spec, seed), rows of large data
    /// sets as their numbers only.
    /// </summary>
    /// <exception cref="DatasetUnavailableException">If its files are not on this machine.</exception>
    public TrainingData Load(DatasetSpec resolved, long seed)
    {
        if (memory.Find<TrainingData>((resolved, seed)) is { } made)
            return made;
        var dataset = Find(resolved) ?? throw new DatasetUnavailableException(Unknown(resolved));
        var bytes = BesideRows
            + dataset.Rows * (MakesFloats(dataset) ? sizeof(float) * (dataset.EncodedFeatures + 1L) : sizeof(int) + sizeof(float));
        return memory.GetOrAdd((resolved, seed), bytes, () => Prepare(dataset, resolved, seed, length => new float[length]),
            dataset.RowsKey);
    }

    /// <summary>The same, of one seed after another, in memory of the caller's own where that is worth it.</summary>
    /// <param name="resolved">The spec.</param>
    /// <param name="seed">All that was loaded into it for another one is lost.</param>
    /// <param name="own">Whose.</param>
    /// <exception cref="DatasetUnavailableException">If its files are not on this machine.</exception>
    public TrainingData Load(DatasetSpec resolved, long seed, SeedRows own)
    {
        if (own.Find(resolved, seed) is { } made)
            return made;
        // of a seed's several specs, whose runs take turns, it holds one
        return !own.IsOf(seed) && Find(resolved) is { } dataset && MakesFloats(dataset)
            ? own.Make(resolved, seed, allocate => Prepare(dataset, resolved, seed, allocate)) : Load(resolved, seed);
    }

    /// <summary>Lets go of all rows; whoever uses them keeps them.</summary>
    public void Forget() => memory.Clear();

    /// <summary>How that data was encoded; the spec is a resolved one.</summary>
    /// <exception cref="DatasetUnavailableException">If its files are not on this machine.</exception>
    public FeatureEncoding Encoding(DatasetSpec resolved, long seed)
    {
        var dataset = Find(resolved) ?? throw new DatasetUnavailableException(Unknown(resolved));
        var (train, _, _) = RowsOf(dataset, resolved, seed);
        return new FeatureEncoder(dataset, train, resolved.Standardize ?? true).Encoding(dataset, train);
    }

    /// <summary>Rows of a split with this share: rounded up, but one row of each class is left.</summary>
    public static int HeldOutRows(int rows, double fraction, int strata)
    {
        // The small number keeps 0.1 * 30 = 3.0000000000000004 at 3.
        var wanted = (int)Math.Ceiling(fraction * rows - 1e-9);
        return Math.Max(0, Math.Min(wanted, rows - strata));
    }

    private static TrainingData Prepare(Dataset dataset, DatasetSpec spec, long seed, Func<int, float[]> allocate)
    {
        var table = dataset.Read();
        var (train, validation, test) = RowsOf(dataset, spec, seed);
        var encoder = new FeatureEncoder(dataset, train, spec.Standardize ?? true);
        return new(Shape(dataset, train.Length, validation.Length, test.Length), Encoded(train),
            validation.Length == 0 ? null : Encoded(validation), Encoded(test));

        DataSplit Encoded(int[] rows)
        {
            FeatureRows features = new EncodedRows(table, encoder, rows);
            return new(MakesFloats(dataset) ? Made(features) : features,
                table.Labels.Length == 0 ? [] : Array.ConvertAll(rows, row => table.Labels[row]),
                table.Values.Length == 0 ? [] : Array.ConvertAll(rows, row => (float)table.Values[row]));
        }

        FloatRows Made(FeatureRows features)
        {
            var values = allocate(features.Rows * features.Columns);
            features.Read([.. Enumerable.Range(0, features.Rows)], values);
            return new(features.Rows, features.Columns, values);
        }
    }

    private static bool MakesFloats(Dataset dataset) =>
        sizeof(float) * (long)dataset.Rows * dataset.EncodedFeatures <= MostMadeBytes;

    /// <summary>
    /// Rows of each split, as indices into the table, in the order of <see cref="Load(DatasetSpec, long)"/>; the spec is a resolved one.
    /// </summary>
    /// <exception cref="DatasetUnavailableException">If its files are not on this machine.</exception>
    public (int[] Train, int[] Validation, int[] Test) Rows(DatasetSpec resolved, long seed) =>
        RowsOf(Find(resolved) ?? throw new DatasetUnavailableException(Unknown(resolved)), resolved, seed);

    private static (int[] Train, int[] Validation, int[] Test) RowsOf(Dataset dataset, DatasetSpec spec, long seed)
    {
        var rows = spec.TestSplit is TestSplit.PerSeed ? dataset.Split(seed) : dataset.Split();
        var count = HeldOutRows(rows.Train.Length, spec.ValidationFraction ?? DefaultValidationFraction, Strata(dataset));
        var (validation, left) = HeldOut.Of(dataset.Read(), rows.Train, count, seed);
        // From the end, so that the rows of a smaller maximum are the first of those of a larger one.
        return ([.. left.Reverse().Take(spec.MaxTrainExamples ?? int.MaxValue)], validation, rows.Test);
    }

    /// <summary>
    /// How many rows are held out depends on which groups are drawn; so it is looked up, once for all jobs with the same draw.
    /// </summary>
    private DataShape ShapeOfGroups(Dataset dataset, DatasetSpec spec, long seed)
    {
        const int MostKept = 10_000;
        if (_shapes.Count > MostKept)
            _shapes.Clear();
        return _shapes.GetOrAdd((spec, seed), _ =>
        {
            var (train, validation, test) = RowsOf(dataset, spec, seed);
            return Shape(dataset, train.Length, validation.Length, test.Length);
        });
    }

    private static DataShape Shape(Dataset dataset, int train, int validation, int test) =>
        new(dataset.EncodedFeatures, dataset.TargetKind, dataset.Card.Classes.Count, train, validation, test,
            ClassNames: dataset.Card.Classes)
        {
            RowBytes = MakesFloats(dataset) ? sizeof(float) * dataset.EncodedFeatures : sizeof(int) + dataset.RowBytes,
        };

    private static DataShape Shape(Dataset dataset, double validationFraction, int? maxTrainExamples)
    {
        var validationRows = HeldOutRows(dataset.TrainRows, validationFraction, Strata(dataset));
        var trainRows = Math.Min(dataset.TrainRows - validationRows, maxTrainExamples ?? int.MaxValue);
        return Shape(dataset, trainRows, validationRows, dataset.TestRows);
    }

    private static int Strata(Dataset dataset) => Math.Max(1, dataset.ClassCounts.Count(count => count > 0));

    private static string Json(double number) => number.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
