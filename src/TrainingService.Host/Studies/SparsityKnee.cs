using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>How sparse before it costs.</summary>
public sealed class SparsityKnee : Study
{
    private const string None = "no penalty";

    /// <summary>Glorot, Bordes and Bengio's knee, and how far below it an arm may lie to speak of it.</summary>
    private const double Knee = 0.85, Near = 0.1;

    private static readonly string[] Penalised =
        [.. new[] { "0.001", "0.003", "0.01", "0.02", "0.03", "0.05", "0.1", "0.15" }.Select(penalty => $"l1 {penalty}")];

    public override string Name => "sparsity-knee";
    public override string Question => "How sparse can layers get before accuracy suffers?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C4, Studies.Claims.C5, Studies.Claims.C12];
    public override string Method => "Sparsity and test accuracy of ReLU nets under a rising l1 penalty on activations, against no "
        + "penalty. Each statement is judged by the arms whose measured sparsity lies, in every layer, where it speaks of. Effective "
        + "rank, training loss and generalisation gap of the nets that learn (training accuracy within 2 points of the best arm). Paired "
        + "by seed, exact sign-flip test, Holm over all arms. A difference within one point of accuracy counts as none.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

    public override int? SeedsAtLeast(StudySize size) => size == StudySize.Quick ? 14 : 10;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [128, 128], "activation": "relu", "initializer": "auto"},
            "training": {"epochs": {{(size == StudySize.Quick ? 20 : 6)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}}, "effectiveRank": true}
          },
          "arms": [
            {"name": "{{None}}"},
            {{string.Join(",\n", Penalised.Select(arm => $$"""
              {"name": "{{arm}}", "patch": {"training": {"activityL1": {{arm[3..]}} } } }
              """))}}
          ],
          "baseline": "{{None}}", "delta": 0.01
        }
        """;

    public override IReadOnlyList<Picture> Pictures => [new("sparsity", "testAccuracy", "Accuracy, by the share of zeros", "activityL1")];

    public override IReadOnlyList<Comparisons> Comparisons { get; } =
    [
        .. new[] { "sparsity", "trainLoss", "generalizationGap" }.Select(SweepMetrics.Named).Prepend(LiveUnits.Rank)
            .Select(metric => new Comparisons(metric, LiveUnits.DeltaOf(metric), [.. Penalised.Select(arm => (arm, None))])),
    ];

    public override StudyReading Read(StudyEvidence e)
    {
        var zeros = Penalised.Prepend(None).ToDictionary(arm => arm, arm => e.Mean("sparsity", arm).Summary);
        var layers = zeros.Keys.ToDictionary(arm => arm, arm => LiveUnits.Zeros(e, arm));
        string Zeros(string arm) => LiveUnits.Told(layers[arm]);
        var accuracy = Penalised.ToDictionary(arm => arm, arm => e.Compare("testAccuracy", arm, None));
        var summary = Summary(zeros, layers, accuracy);
        var told = new Headline(summary.Same is not null && summary.Worse is not null ? Verdict.Supported
            : summary.Same is not null ? Verdict.Equivalent : summary.Worse is not null ? Verdict.Refuted : Verdict.Inconclusive,
            summary.Sentence);
        return new(told, (summary.Worse is { } worse
                ? $"With {worse} {StudyEvidence.Percent(e.Summary(worse, "trainAccuracy").Mean)} of the training rows are right. " : "")
            + "Zeros by layer, with differences in accuracy (95 % intervals, 90 % where it is the same). "
            + $"{None}: {Zeros(None)}. "
            + string.Join(" ", Penalised.Where(arm => zeros[arm].Mean is not null).Select(arm => $"{arm}: {Zeros(arm)}, "
                + (accuracy[arm].LeftOut.Count > 0 ? "learned nothing" : Word(accuracy[arm])) + ".")),
            [LiveUnits.Read(e, None), Capacity(e, zeros, layers), KneeOf(e, zeros, layers, accuracy)]);
    }

    private static string Word(Comparison accuracy) => accuracy.Result.Verdict switch
    {
        Verdict.Supported => "better",
        Verdict.Refuted => "worse",
        Verdict.Equivalent => "the same",
        Verdict.Negligible => "the same but for a trifle",
        _ => "undecided",
    } + (accuracy.Result.MeanDifference is null ? "" : $" ({InShort.Figures(accuracy)}{InShort.Why(accuracy)})");

    /// <summary>The answer in one sentence: how far the accuracy is the same for sure, and from where on it is worse.</summary>
    private static (string Sentence, string? Same, string? Worse) Summary(Dictionary<string, ArmSummary> zeros,
        Dictionary<string, IReadOnlyList<ArmSummary>> layers, Dictionary<string, Comparison> accuracy)
    {
        var bySparsity = Penalised.Where(arm => zeros[arm].Mean is not null).OrderBy(arm => zeros[arm].Mean).ToList();
        var same = bySparsity.TakeWhile(arm => accuracy[arm].IsEquivalent() == Verdict.Supported).LastOrDefault();
        var worse = bySparsity.Find(arm => accuracy[arm].Sign < 0 && accuracy[arm].LeftOut.Count == 0);
        return ((same is null ? "At no sparsity is the accuracy shown to be the same as without a penalty"
                : $"Up to {same} ({LiveUnits.Told(layers[same])}) the accuracy is the same within 1 point as without a penalty")
            + (worse is null ? ", and at none is it shown to be worse."
                : $"; shown to be worse is {worse} first ({LiveUnits.Told(layers[worse])})."), same, worse);
    }

    private static ClaimReport KneeOf(StudyEvidence e, Dictionary<string, ArmSummary> zeros,
        Dictionary<string, IReadOnlyList<ArmSummary>> layers, Dictionary<string, Comparison> accuracy)
    {
        var claim = Studies.Claims.C12;
        // An arm with a layer on either side of the knee, or whose interval reaches across it, speaks of neither side.
        string[] below = [.. Penalised.Where(arm => layers[arm].Any() && layers[arm].All(layer => layer.Ci95?[1] <= Knee))];
        string[] beyond =
            [.. Penalised.Where(arm => layers[arm].Any() && layers[arm].All(layer => (layer.Ci95?[0] ?? layer.Mean) > Knee))];
        string Before(string arm) => $"With {arm} there are {LiveUnits.Told(layers[arm])} and "
            + $"{StudyEvidence.Percent(e.Hidden(arm, row => row.DeadFraction))} dead units"
            + (e.Cells(arm).Count(e.LearnedNothing) is > 0 and var stalled
                ? $", and {stalled} of its {e.Cells(arm).Count} runs learned nothing." : ".");
        const string Cost = "The penalty itself may cost accuracy, too.";
        var flat = below.Length == 0
            ? claim['a'].Open("testAccuracy", "fraction", Penalised, "No arm is shown to have 85 % zeros or fewer in each layer.")
            : claim['a'].Every([.. below.Select(arm => claim['a'].Equivalent(accuracy[arm], Before(arm), Cost))]);
        var steep = beyond.Length == 0
            ? claim['b'].Open("testAccuracy", "fraction", Penalised, "No arm is shown to have more than 85 % zeros in each layer.")
            : claim['b'].Every([.. beyond.Select(arm => claim['b'].Worse(accuracy[arm], Before(arm), Cost))]);
        string[] neither = [.. Penalised.Except(below).Except(beyond).Where(arm => zeros[arm].Mean is not null)];
        if (neither.Length > 0)
            (flat, steep) = (flat with { Evidence = $"{flat.Evidence} {Neither()}" },
                steep with { Evidence = $"{steep.Evidence} {Neither()}" });
        string Neither() => Prose.List("Not counted, since layers or intervals lie on either side of the knee", [.. neither.Select(arm =>
            $"{arm}, {LiveUnits.Told(layers[arm])}, {Word(accuracy[arm])}")], "; ");
        var nearest = below.Where(arm => accuracy[arm].LeftOut.Count == 0).Select(arm => zeros[arm].Mean ?? 0).DefaultIfEmpty().Max();
        if (flat.Verdict == Verdict.Supported && nearest < Knee - Near)
            flat = flat with
            {
                Verdict = Verdict.Inconclusive,
                Evidence = $"{flat.Evidence} The sparsest of these arms has {StudyEvidence.Percent(nearest)} zeros: of those up to 85 % "
                    + "nothing can be said.",
            };
        return claim.Report(flat, steep);
    }

    private static ClaimReport Capacity(StudyEvidence e, Dictionary<string, ArmSummary> zeros,
        Dictionary<string, IReadOnlyList<ArmSummary>> layers)
    {
        var claim = Studies.Claims.C5;
        var learning = e.Learning([None, .. Penalised]);
        var sparser = Penalised.Where(arm => learning.Names.Contains(arm) && learning.Names.Contains(None)
            && e.Compare("sparsity", arm, None).Sign > 0).OrderByDescending(arm => zeros[arm].Mean).ToList();
        string Before(string arm) => $"{learning.Sentence}{arm} has {StudyEvidence.Percent(zeros[arm].Mean)} zeros and "
            + $"{StudyEvidence.Percent(e.Hidden(arm, row => row.DeadFraction))} dead units, {None} "
            + $"{StudyEvidence.Percent(zeros[None].Mean)} and {StudyEvidence.Percent(e.Hidden(None, row => row.DeadFraction))}.";
        if (sparser.Count == 0)
            return claim.Report([.. "ab".Select(letter => claim[letter].Open(letter == 'a' ? LiveUnits.Rank.Name : "generalizationGap",
                "fraction", Penalised, $"{learning.Sentence}None that learns is shown to be sparser than {None}.", learning.LeftOut))]);
        // A term that is added to what is minimised raises the rest of it, whatever sparsity does: the loss says nothing here.
        var rank = claim['a'] with { Text = "At equal width the layers' effective rank is lower, the sparser they are." };
        (string Label, Comparison By)[] ranks = [.. sparser.Select(arm => (arm, e.Compare(LiveUnits.Rank.Name, arm, None)))];
        var waste = rank.Every([.. ranks.Select(one => LiveUnits.RankByLayer(e, one.Label, None) is { Disagree: true }
            ? rank.Of(one.By, Verdict.Inconclusive) : rank.Lower(one.By))]) with
        {
            Evidence = $"{learning.Sentence}{None} has {LiveUnits.Told(layers[None])}. "
                + Prose.List("From the sparsest to the least sparse", [.. sparser.Select(arm => $"{arm} {LiveUnits.Told(layers[arm])} and "
                    + $"{StudyEvidence.Percent(e.Hidden(arm, row => row.DeadFraction))} dead units")])
                + $" Effective rank for each live unit against {None}, the mean over the hidden layers. {InShort.Of(ranks)} "
                + $"{string.Join(" ", sparser.Select(arm => LiveUnits.RankByLayer(e, arm, None).Told))} The penalty itself may cost rank.",
        };
        var alike = sparser.Find(arm => LiveUnits.SameLoss(e.Compare("trainLoss", arm, None)));
        var gap = alike is null
            ? claim['b'].Open("generalizationGap", "fraction", sparser, $"{learning.Sentence}None of the sparser ones is shown to have "
                + $"the same training loss as {None}.")
            : claim['b'].Lower(e.Compare("generalizationGap", alike, None),
                $"{Before(alike)} It is the sparsest with the same training loss. {e.Compare("trainLoss", alike, None).Result.Sentence}");
        return claim.Report(waste with { LeftOut = learning.LeftOut }, gap with { LeftOut = learning.LeftOut });
    }
}
