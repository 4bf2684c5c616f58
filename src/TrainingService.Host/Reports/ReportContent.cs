using System.Globalization;
using System.Text.Json;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Reports;

/// <summary>
/// A sweep's report as sections, the same for every format: the answer, what it rests on, the figures, and where each comes from.
/// What was measured and what the literature says stand in sections of their own.
/// </summary>
public static class ReportContent
{
    private const int MostSentences = 12, MostLayers = 6;

    private static readonly JsonSerializerOptions Indented = new(Json.Options) { WriteIndented = true };

    private static readonly (string Name, string Heading, bool Share)[] LayerColumns =
    [
        ("sparsity", "sparsity", true), ("offRate", "off rate", true), ("deadFraction", "dead", true),
        ("bornDeadFraction", "born dead", true), ("diedFraction", "died", true),
        ("negativeLockedFraction", "locked below 0", true), ("offEveryRowFraction", "off on every row", true),
        ("cameBackFraction", "of these came back", true), ("saturation", "saturated", true), ("meanActivation", "mean h", false),
        ("rmsActivation", "rms h", false), ("effectiveRank", "effective rank", false), ("gradientRms", "rms ∂C/∂z", false),
        ("updateRatio", "update ratio", false), ("weightRms", "rms weight", false), ("slope", "slope", false),
    ];

    /// <summary>The question; what the sweep is called, or what it compares, where none was asked.</summary>
    public static string Title(SweepReport report) => report.Question ?? (!string.IsNullOrWhiteSpace(report.Name) ? report.Name
        : report.Arms.Count == 1 ? $"How good is {ArmNames.Shown(report.Arms[0].Name)} on {report.Provenance.Dataset}?"
        : $"Which of {report.Arms.Count} arms is best on {report.Provenance.Dataset}: "
            + $"{string.Join(", ", report.Arms.Take(4).Select(arm => ArmNames.Shown(arm.Name)))}{(report.Arms.Count > 4 ? ", …" : "")}?");

    /// <summary>What stands above a question: the name of the sweep that answers it.</summary>
    public static string? Above(SweepReport report) =>
        report.Question is null || string.IsNullOrWhiteSpace(report.Name) ? null : report.Name;

    /// <param name="report">What it has shown.</param>
    /// <param name="curves">Of the arms that are drawn.</param>
    /// <param name="asked">What the question is about, drawn; null where there is no such picture.</param>
    /// <param name="service">Address for requests that are to be copied.</param>
    public static IReadOnlyList<Section> Of(SweepReport report, IReadOnlyList<ArmCurves> curves, Figure? asked = null, string service = "")
    {
        var outcome = SweepMetrics.Named(report.Metric).Outcome;
        var charts = new SweepCharts(report, curves);
        Section?[] sections =
        [
            Answer(report, outcome, service),
            Claims(report),
            Part("asked", "What was asked, drawn", [asked]),
            Part("learning", "How the arms learned", [charts.Learning()]),
            Part("gradients", "Gradients", [charts.GradientFlow()]),
            Part("layers", "Layers", [.. charts.Layers(), LayersAtEnd(report)]),
            report.Cells is not { } nets ? null : Part("born-dead", "Nets born dead", [SweepCharts.BornDead(nets), BornDead(nets)]),
            Comparisons(report, outcome),
            new("arms", "Arms",
            [
                Arms(report, outcome),
                .. report.Best is { } best ? (Block[])[new Links("best", $"The net that is kept, of {best.Arm} with seed {best.Seed}: the "
                    + "median run of the arm with the best mean, which need not be better than the others",
                    [("job", best.Job), ("ONNX file", best.Model)])] : [],
            ]),
            Tried(report, outcome),
            new("words", "In words", [new Paragraph(report.Answer), .. report.Split is { } split ? (Block[])[new Paragraph(
                split.GeneralizesTo)] : [], .. Evidence(report) is { } evidence ? (Block[])[evidence] : []]),
            report.Notes.Count == 0 && report.Method is null ? null : new("notes", "Notes",
                [.. report.Method is { } method ? [new Paragraph(method)] : (Block[])[], new Bullets(report.Notes)]),
            Looks(report),
            Literature(report),
            Provenance(report),
        ];
        return [.. sections.OfType<Section>()];
    }

    /// <summary>What is seen first.</summary>
    private static Section Answer(SweepReport report, Outcome outcome, string service) => new("answer", "The answer",
    [
        new Lead(report.Headline),
        new Setup(SetupOf(report)),
        .. report.Contrasts.Count == 0 ? [] : (Block[])[Forest.Of(report, outcome)],
        .. report.Next is { } next ? [new Next(next.Sentence, next.Request?.AsCurl(service))] : (Block[])[],
        .. report.Status is JobStatus.Succeeded ? [] : (Block[])[new Paragraph("The sweep is "
            + $"{JsonNamingPolicy.CamelCase.ConvertName(report.Status.ToString())}: this report covers the cells that have ended.")],
    ]);

    /// <summary>Data with its rows, net, epochs, seeds, how tuned, date.</summary>
    private static IReadOnlyList<string> SetupOf(SweepReport report)
    {
        var spec = report.Provenance.Spec;
        int[] depths = [.. report.Arms.Select(arm => arm.Layers.Count - 1).Where(depth => depth >= 0).Distinct().Order()];
        return
        [
            report.Provenance.Dataset + (report.Split is { } split ? $": {split.TrainRows:N0} training and {split.TestRows:N0} test rows"
                : ""),
            .. spec.Base.Model?.HiddenLayers is { Count: > 0 } hidden ? [$"hidden layers {string.Join(", ", hidden)}"]
                : depths.Length == 0 ? [] : (string[])[depths.Length == 1 ? Numbers.Count(depths[0], "hidden layer")
                    : $"{depths[0]} to {depths[^1]} hidden layers"],
            .. spec.Base.Training?.Epochs is { } epochs ? [Numbers.Count(epochs, "epoch")] : (string[])[],
            Numbers.Count(report.Provenance.Seeds.Count, "seed"),
            spec.Tune is { } tune ? "tuned by each seed: " + string.Join("; ", tune.Select(field => $"{ArmNames.Field(field.Key)} "
                    + (field.Value.Count > 5 ? $"of {field.Value.Count} values" : string.Join(", ",
                        field.Value.Select(value => ArmNames.Values(new Dictionary<string, object?> { ["v"] = value })[2..])))))
                : spec.Base.Training?.Optimizer?.LearningRate is { } rate ? $"lr {ArmNames.Plain(rate)}, not tuned" : "not tuned",
            .. report.FinishedAt is { } at ? [at.UtcDateTime.ToString("d MMMM yyyy", CultureInfo.InvariantCulture)] : (string[])[],
        ];
    }

    private static Section? Claims(SweepReport report) => report.Claims is not { Count: > 0 } claims ? null : new("claims", "Statements",
    [
        new Paragraph("✔ true, ✘ false, ≈ real but too small to matter, ? open, on this data and with these nets. A claim as a whole "
            + "has no "
            + "verdict."),
        .. claims.Select(claim => new Table($"{claim.Id}: {claim.Claim}",
            ["statement", "verdict", "effect", "95 % interval", "of", "n", .. claim.Statements.Any(s => s.LeftOut.Count > 0)
                ? ["left out"] : (string[])[]],
            [
                .. claim.Statements.Select(statement => new Row([$"{statement.Id}: {statement.Text}", Cell.Of(statement.Verdict),
                    Numbers.Effect(statement.Unit, statement.Effect, statement.Baseline is not null),
                    Numbers.Ends(statement.Unit, statement.Ci95, statement.Baseline is not null), ArmOf(statement), $"{statement.N:N0}",
                    .. claim.Statements.Any(s => s.LeftOut.Count > 0)
                        ? [statement.LeftOut.Count == 0 ? "–" : string.Join(", ", statement.LeftOut)] : (Cell[])[]])),
            ])),
        new Paragraph("An effect is the arm's value minus its baseline's, their ratio where it is a time (×), or the arm's own value "
            + "where there is no baseline. n counts paired seeds, runs or nets."),
        .. claims.Any(claim => claim.Statements.Any(s => s.LeftOut.Count > 0)) ? (Block[])[new Paragraph("Left out are arms whose nets "
            + "learned nothing or diverged, except where just that is the question. Where a statement says so, those are left out, too, "
            + "that fit the training rows less well." + (report.Guess is not { } guess ? ""
                : $" A net has learned nothing that has at most {Numbers.Percent(guess)} of its training rows right, the share of the most "
                    + "frequent class and three standard errors. An arm has, if half of its runs have."))] : [],
    ]);

    private static string ArmOf(StatementReport statement) => statement.Baseline is { } baseline
        ? ArmNames.Pair(statement.Arm, baseline) : ArmNames.Shown(statement.Arm);

    private static Table? Evidence(SweepReport report) => report.Claims is not { Count: > 0 } claims ? null
        : new("The evidence for each statement",
        ["statement", "measured", "what the evidence says"],
        [.. claims.SelectMany(claim => claim.Statements).Select(statement => new Row([statement.Id, statement.Metric,
            statement.Evidence]))],
        Folded: true);

    private static Section? Comparisons(SweepReport report, Outcome outcome)
    {
        var contrasts = report.Contrasts;
        if (contrasts.Count == 0)
            return null;
        var (sentences, shared) = InShort.Once([.. contrasts.Select(contrast => contrast.Sentence)]);
        Block[] below =
        [
            .. shared is null ? (Block[])[] : [new Paragraph(shared)],
            .. !contrasts.Any(ReachesFurther) ? (Block[])[] : [new Paragraph("A 90 % interval here can reach further than the 95 % one: it "
                + "has to show that there is no difference that matters, and so allows more for skewed differences.")],
        ];
        var within = report.Delta is > 0 and var delta ? $"within ±{Plain(outcome, delta)}? (90 % interval)" : null;
        var table = new Table($"{Capital(outcome.Words)}, arm minus baseline, paired by seed; the verdict is on “the arm is "
            + $"{outcome.Sides.More}”",
            ["arm against baseline", "verdict", "mean difference", "95 % interval", "n",
                "p (adjusted)", $"P(arm {outcome.Sides.More})", .. within is null ? [] : (string[])[within]],
            [
                .. contrasts.Zip(sentences, (contrast, sentence) => new Row(
                [
                    Between(contrast), Cell.Of(contrast.Verdict), Numbers.Difference(outcome, contrast.MeanDifference),
                    Numbers.DifferenceInterval(outcome, contrast.Ci95), Seeds(contrast), Numbers.P(contrast.AdjustedPValue),
                    contrast.ProbabilityOfSuperiority is { } superiority ? Numbers.Short(superiority) : "–",
                    .. within is null ? [] : (Cell[])[$"{(contrast.Equivalence.Equivalent ? "yes" : "not shown")}: "
                        + $"{Numbers.DifferenceInterval(outcome, contrast.Equivalence.Ci90)}"],
                ])),
            ]);
        return new("comparisons", "Comparisons", [table, new Table("The comparisons in words",
            ["arm against baseline", "what the evidence says"],
            [.. contrasts.Zip(sentences, (contrast, sentence) => new Row([Between(contrast), sentence]))], Folded: true), .. below]);

        static bool ReachesFurther(ContrastResult contrast) => contrast is
        { Ci95: [var low, var high], Equivalence.Ci90: [var lower, var higher] } && (lower < low || higher > high);

        static string Seeds(ContrastResult contrast) => (contrast.N, contrast.Divergence) switch
        {
            (var n, { Arm: 0, Baseline: 0 }) => $"{n}",
            (var n, var d) => $"{n} ({d.Arm} of {d.Pairs} diverged, {d.Baseline} of the baseline)",
        };

        static string Between(ContrastResult contrast) => ArmNames.Pair(contrast.Arm, contrast.Baseline);
    }

    private static Table Arms(SweepReport report, Outcome outcome)
    {
        // a column in which nothing stands is none
        (string Heading, Func<ArmReport, Cell> Cell, bool Shown)[] columns =
        [
            ("n", arm => $"{arm.N:N0}", true), ("mean", arm => Numbers.Value(outcome, arm.Mean), true),
            ("95 % interval", arm => Numbers.Interval(outcome, arm.Ci95), true), ("median", arm => Numbers.Value(outcome, arm.Median),
                true),
            ("sd", arm => arm.Sd is { } sd ? Numbers.Amount(outcome, sd) : "–", true),
            ("diverged", arm => arm.Diverged == 0 ? "0"
                : $"{arm.Diverged} of {arm.N + arm.Diverged} ({Numbers.Percents(arm.DivergedCi95)})",
                report.Arms.Any(arm => arm.Diverged > 0)),
            ("no outcome", arm => $"{arm.Failed}", report.Arms.Any(arm => arm.Failed > 0)),
            ("fastest epoch", arm => arm.SecondsPerEpoch is { } seconds ? Numbers.Seconds(seconds) : "–", true),
            ("chosen most often", arm => arm.Tuned is { } tuned ? ArmNames.Values(tuned) : "–", report.Arms.Any(arm =>
                arm.Tuned is not null)),
        ];
        var shown = columns.Where(column => column.Shown).ToList();
        return new($"{Capital(outcome.Words)} over the seeds of each arm", ["arm", .. shown.Select(column => column.Heading), "jobs"],
        [
            .. report.Arms.Index().Select(arm => new Row([ArmNames.Shown(arm.Item.Name), .. shown.Select(column => column.Cell(arm.Item)),
                new Cell($"{arm.Item.Jobs.Count}", JobsOf(arm.Index))])),
        ]);
    }

    private static Section? Tried(SweepReport report, Outcome outcome)
    {
        if (report.Trials is not { Count: > 0 } trials)
            return null;
        var by = SweepMetrics.Named(report.Metric).TunedBy.Outcome;
        return new("trials", "What was tried in tuning",
        [
            new Paragraph($"Every seed tried all combinations and chose by {by.Words}; ties went to the lower validation loss, then to the "
                + "middle of the list."),
            new Table("Each arm's combinations over the seeds that tried them", ["arm, values", "seeds", "chosen by", $"mean {by.Words}",
                "mean validation loss", "diverged", "no outcome", $"mean {outcome.Words} where chosen"],
            [
                .. trials.Select(trial => new Row([$"{ArmNames.Shown(trial.Arm)}, {ArmNames.Values(trial.Values)}", $"{trial.Seeds}",
                    Numbers.Count(trial.Chosen, "seed"), Numbers.Value(by, trial.Mean),
                    trial.ValidationLoss is { } loss ? Numbers.Short(loss) : "–",
                    $"{trial.Diverged}", $"{trial.NoOutcome}", Numbers.Value(outcome, trial.ChosenMean)])),
            ], Folded: trials.Count > MostSentences),
        ]);
    }

    private static Section? Part(string id, string title, IEnumerable<Block?> blocks) =>
        blocks.OfType<Block>().ToList() is { Count: > 0 } some ? new(id, title, some) : null;

    private static Table? LayersAtEnd(SweepReport report)
    {
        var columns =
            LayerColumns.Where(column => report.Arms.Any(arm => arm.Layers.Any(layer => layer.Values.ContainsKey(column.Name)))
                && (column.Name != "updateRatio" || KeepsItsRate(report.Provenance.Spec))).ToList();
        return columns.Count == 0 ? null : new("Layers at the end of training, means over seeds; of deep nets some",
            ["arm, layer", .. columns.Select(column => column.Heading)],
        [
            .. report.Arms.SelectMany(arm => JobCharts.Some(arm.Layers, MostLayers).Select(layer =>
                new Row([$"{ArmNames.Shown(arm.Name)}, {layer.Name}", .. columns.Select(column =>
                (Cell)(!layer.Values.TryGetValue(column.Name, out var value) ? "–"
                    : column.Share ? Numbers.Percent(value)
                    : Numbers.Short(value)))]))),
        ], Folded: true);
    }

    /// <summary>
    /// Whether the learning rate is the same to the end: where a schedule has lowered it, the last step says nothing of updates.
    /// </summary>
    private static bool KeepsItsRate(SweepSpec spec) => spec.Base.Training?.Schedule is null or { Name: "constant" }
        && !JsonSerializer.Serialize(new { spec.Arms, spec.Grid, spec.Tune }, Json.Options).Contains("schedule", StringComparison.Ordinal);

    private static Table BornDead(IReadOnlyList<BornDeadCell> nets) =>
        new("Nets born dead: measured share, computed probability and upper bound",
            ["width, depth", "nets", "measured", "95 % interval", "computed", "at most (bound)"],
            [.. nets.Select(cell => new Row([$"{cell.Width}, {cell.Depth}", $"{cell.Nets}",
                Numbers.Percent(cell.Measured), Numbers.Percents(cell.Ci95), Numbers.Percent(cell.Expected),
                    Numbers.Percent(cell.Bound)]))],
            Folded: true);

    private static Section? Looks(SweepReport report) =>
        report.Looks.Count == 0 || report is { Looks.Count: 1, Provenance.Spec.Seeds.Until: null } ? null
        : new("looks", "When the sweep looked",
        [
            new Table("Looks at all seeds so far; what they may spend of the risk of a false difference, 0.05 in all, is shared among them",
                ["seeds of each arm", "when", "comparisons decided", "alpha spent", "alpha left"],
                [.. report.Looks.Select(look => new Row([$"{look.Seeds}", $"{look.At:yyyy-MM-dd HH:mm:ss} UTC",
                    $"{look.Decided} of {look.Of}", Numbers.Short(look.AlphaSpent), Numbers.Short(look.AlphaLeft)]))]),
        ]);

    private static Section? Literature(SweepReport report) =>
        report.Claims is not { Count: > 0 } claims ? null : new("literature", "What others have found",
        [
            new Paragraph("Nothing in this section was measured here."),
            new Table("Claims and where they come from", ["claim", "what to expect by the literature", "source"],
                [.. claims.Select(claim => new Row([$"{claim.Id}: {claim.Claim}", claim.Literature ?? "–", claim.Source]))]),
        ]);

    private static Section Provenance(SweepReport report)
    {
        var made = report.Provenance;
        return new("provenance", "Where the figures come from",
        [
            new Table("What made them", ["what", "value"],
            [
                new(["sweep", new Cell($"{report.SweepId}", $"{SweepRoutes.Root}/{report.SweepId}")]),
                new(["engine version", Listed(made.EngineVersions)]),
                new(["instruction set", Listed(made.InstructionSets)]),
                new(["data set", made.Dataset]),
                new(["SHA-256 of the data", Listed(made.DatasetSha256)]),
                .. report.Split is { } split ? [new(["rows of a run", $"{split.TrainRows:N0} to train on, {split.ValidationRows:N0} for "
                    + $"validation, {split.TestRows:N0} for the test "
                    + $"({(split.TestSplit is TestSplit.PerSeed ? "drawn by the seed" : "fixed")})"])] : (Row[])[],
                .. Course(made.Spec, report.Split) is { } course ? [new(["course of a run", course])] : (Row[])[],
                new(["seeds", Seeds(made.Seeds)]),
            ]),
            new Paragraph("Means, intervals and curves of an arm are over its jobs; each job has its metrics, "
                + "its layers and its own plots under its address."),
            .. report.Arms.Index().Select(arm => new Links(JobsOf(arm.Index)[1..], $"Jobs of {ArmNames.Shown(arm.Item.Name)}",
                [.. arm.Item.Jobs.Index().Select(job => (arm.Item.Jobs.Count == made.Seeds.Count ? $"seed {made.Seeds[job.Index]}"
                    : $"job {job.Index + 1}", $"{JobRoutes.Root}/{job.Item}"))])),
            new Listing("The sweep as it was resolved", JsonSerializer.Serialize(made.Spec, Indented)),
        ]);
    }

    /// <summary>Steps and learning rate of the base, without which nobody can tell whether a net had time to learn.</summary>
    private static string? Course(SweepSpec spec, SplitReport? split) =>
        spec.Base.Training is not { Epochs: { } epochs, BatchSize: { } batch } training || split is null ? null
        : $"{epochs:N0} epochs of {(split.TrainRows + batch - 1) / batch:N0} steps of {batch:N0} rows"
            + (training.Optimizer?.LearningRate is { } rate
                ? $", learning rate {ArmNames.Plain(rate)}, not tuned" : "") + ", where an arm doesn't say "
                    + "otherwise";

    /// <summary>A difference without a sign.</summary>
    private static string Plain(Outcome outcome, double amount) => Numbers.Difference(outcome, amount).TrimStart('+');

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string JobsOf(int arm) => $"#jobs-{arm + 1}";

    private static string Listed(IReadOnlyList<string> values) => values.Count == 0 ? "not recorded" : string.Join(", ", values);

    private static string Seeds(IReadOnlyList<long> seeds) =>
        seeds.Count > 2 && seeds.Index().All(seed => seed.Item == seeds[0] + seed.Index)
            ? $"{seeds[0]} to {seeds[^1]}" : string.Join(", ", seeds);
}
