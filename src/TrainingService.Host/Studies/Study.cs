using System.Text.Json;
using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>How much a study spends.</summary>
public enum StudySize
{
    /// <summary>Under two minutes on two cores; of more than 2,000 training rows it takes 1,000.</summary>
    Quick,

    /// <summary>Enough seeds and data for small effects.</summary>
    Full,
}

/// <summary>What a study has found.</summary>
/// <param name="Headline">The question's answer in one sentence.</param>
/// <param name="Answer">The same with its figures, in plain words.</param>
/// <param name="Claims">The claims that it bears on, statement by statement.</param>
public sealed record StudyReading(Headline Headline, string Answer, IReadOnlyList<ClaimReport> Claims);

/// <summary>
/// A question, the sweep that answers it, and how the sweep is read. The sweep is written as the request that anyone
/// could POST to <c>/sweeps</c>.
/// </summary>
public abstract class Study
{
    /// <summary>In addresses.</summary>
    public abstract string Name { get; }

    /// <summary>The question in one sentence.</summary>
    public abstract string Question { get; }

    /// <summary>The claims that it bears on.</summary>
    public abstract IReadOnlyList<Claim> Claims { get; }

    /// <summary>What is measured, and by which statistic it is judged.</summary>
    public abstract string Method { get; }

    /// <summary>Seeds of each arm; at most, where the study runs until decided.</summary>
    public abstract int Seeds(StudySize size);

    /// <summary>
    /// Seeds before the first look of a study that runs until the comparisons by its metric are decided, or can't be; null where it runs
    /// all its seeds, because the answer is not in these comparisons. At an early look little of alpha may be spent by any statement, so
    /// the first one waits for about half of the seeds.
    /// </summary>
    public virtual int? SeedsAtLeast(StudySize size) => null;

    /// <summary>
    /// The least difference in accuracy that matters, as JSON. A quick study tests each seed on some dozens or hundreds of rows, where half
    /// a point can be neither found nor excluded, with however many seeds, since what they train on overlaps: there it is a whole point.
    /// </summary>
    protected static string AccuracyDelta(StudySize size) => size == StudySize.Quick ? "0.01" : "0.005";

    /// <summary>Whether its reading tells what theory says of the nets.</summary>
    public virtual bool ReadsPreflight => false;

    /// <summary>What is drawn first, because it is the question: results of arms against what sets them apart.</summary>
    public virtual IReadOnlyList<Picture> Pictures => [];

    /// <summary>The request in JSON, without data and seeds.</summary>
    protected abstract string Request(StudySize size);

    /// <summary>What it judges by other metrics than the sweep's own, one entry a metric.</summary>
    public virtual IReadOnlyList<Comparisons> Comparisons => [];

    /// <summary>What the finished cells say.</summary>
    public abstract StudyReading Read(StudyEvidence e);

    /// <summary>Measures what is measured beside the trainings, the same every time, in up to minutes; null if there is nothing.</summary>
    public virtual Func<StudySize, CancellationToken, StudyMeasurement>? Measure => null;

    /// <summary>Of larger data a quick study takes as many rows as leave it quick, and so few to validate on as suffice to tune.</summary>
    private const int ManyRows = 2_000, QuickTrainRows = 1_000, QuickValidationRows = 500;

    /// <summary>The sweep that answers the question on a data set.</summary>
    /// <param name="size">How much it spends.</param>
    /// <param name="dataset">By name.</param>
    /// <param name="seedCount">Null for the study's own number.</param>
    /// <param name="trainRows">That the data set has; null where that doesn't matter.</param>
    public SweepSpec Sweep(StudySize size, string dataset, int? seedCount, int? trainRows = null)
    {
        var errors = new List<SpecError>();
        using var json = JsonDocument.Parse(Request(size));
        var spec = JsonBody.Read<SweepSpec>(json.RootElement, errors)
            ?? throw new InvalidOperationException($"The study {Name} is malformed: {string.Join("; ", errors)}");
        var rows = Rows(spec.Base.Dataset with { Name = dataset }, size, trainRows);
        return spec with
        {
            Name = $"{Name} ({(size == StudySize.Quick ? "quick" : "full")}, {dataset})",
            Base = spec.Base with
            {
                Dataset = rows,
                Diagnostics = Often(spec.Base, Math.Min(rows.MaxTrainExamples ?? int.MaxValue, trainRows ?? int.MaxValue)),
            },
            SeedCount = seedCount ?? (SeedsAtLeast(size) is null ? Seeds(size) : null),
            Seeds = seedCount is null && SeedsAtLeast(size) is { } atLeast
                ? new(new UntilSpec { Until = UntilSpec.Decided, AtLeast = atLeast, AtMost = Seeds(size) }) : null,
        };
    }

    /// <summary>Ten measurements of the layers at least: units that die and come back between two of them are not seen.</summary>
    private static DiagnosticsSpec? Often(JobSpec job, int rows) => job is not
    { Diagnostics: { EverySteps: { } every } diagnostics, Training: { Epochs: { } epochs, BatchSize: { } batch } } ? job.Diagnostics
        : diagnostics with { EverySteps = (int)Math.Clamp(epochs * ((long)rows / batch) / 10, 1, every) };

    private static DatasetSpec Rows(DatasetSpec spec, StudySize size, int? trainRows) => size != StudySize.Quick || !(trainRows > ManyRows)
        ? spec : spec with
        {
            MaxTrainExamples = Math.Min(spec.MaxTrainExamples ?? QuickTrainRows, QuickTrainRows),
            ValidationFraction = Math.Round((double)QuickValidationRows / trainRows.Value, 4),
        };
}
