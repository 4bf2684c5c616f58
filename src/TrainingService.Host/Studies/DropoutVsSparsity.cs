using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Dropout on dense and on sparse layers.</summary>
public sealed class DropoutVsSparsity : Study
{
    /// <summary>"Large" sparsity.</summary>
    private const double Large = 0.7;

    private static readonly string[] Penalties = ["0", "0.003", "0.01", "0.03"];
    private static readonly string[] Rates = ["0.2", "0.5"];

    public override string Name => "dropout-vs-sparsity";
    public override string Question => "Is dropout of benefit where layers are sparse already?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C6];
    public override string Method => "Test accuracy with dropout (0.2 and 0.5) against none of ReLU nets under four l1 penalties on "
        + "activations, on few training rows. A setting is sparse if the zeros of every layer without dropout exceed 70 % by the whole "
        + "95 % interval. Dropout is of no benefit there if its gain is below delta for sure, all settings allowed for, and could have "
        + "been larger. Paired by seed, exact sign-flip test, Holm over all settings.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 24;

    public override int? SeedsAtLeast(StudySize size) => 12;

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": "", "maxTrainExamples": {{(size == StudySize.Quick ? 400 : 4000)}} },
            "model": {"hiddenLayers": [256, 256], "activation": "relu", "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 60 : 30)}}, "batchSize": 32,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": 500}
          },
          "arms": [{{string.Join(",\n", from penalty in Penalties from rate in Rates.Prepend("0") select $$"""
              {"name": "{{Arm(penalty, rate)}}",
               "patch": {"model": {"dropout": {{rate}} }, "training": {"activityL1": {{penalty}} } } }
              """)}}],
          "baseline": "{{Arm("0", "0")}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{{string.Join(",\n", from penalty in Penalties from rate in Rates select $$"""
              {"arm": "{{Arm(penalty, rate)}}", "baseline": "{{Arm(penalty, "0")}}"}
              """)}}]
        }
        """;

    public override IReadOnlyList<Picture> Pictures => [new("sparsity", "testAccuracy", "Accuracy, by the share of zeros", "activityL1")];

    public override StudyReading Read(StudyEvidence e)
    {
        var claim = Studies.Claims.C6['a'];
        var zeros = Penalties.ToDictionary(penalty => penalty, penalty => LiveUnits.Zeros(e, Arm(penalty, "0")));
        string[] large = [.. Penalties.Where(penalty => zeros[penalty].Any() && zeros[penalty].All(layer => layer.Ci95?[0] > Large))];
        string At(string penalty) => $"Without dropout there are {LiveUnits.Told(zeros[penalty])} and "
            + $"{StudyEvidence.Percent(e.Hidden(Arm(penalty, "0"), row => row.DeadFraction))} dead units.";
        Comparison Gain(string penalty, string rate) => e.Compare("testAccuracy", Arm(penalty, rate), Arm(penalty, "0"));
        StatementReport Setting(string penalty, string rate)
        {
            var gain = Gain(penalty, rate);
            var most = Most(gain.Result, large.Length * Rates.Length);
            var verdict = NoBenefit(gain, most);
            return claim.Of(gain, verdict, At(penalty), gain.LeftOut.Count > 0 ? null
                : !gain.HasRoom(1) ? $"But without dropout it is {StudyEvidence.Percent(gain.Baseline?.Mean)}, so that dropout could not "
                    + $"have brought {gain.Metric.Outcome.Amount(gain.Result.Equivalence.Delta)}."
                : verdict == Verdict.Supported && most is { } bound ? (bound < 0 ? "It costs at least " : "The gain is at most ")
                    + $"{gain.Metric.Outcome.Amount(Math.Abs(bound))}, with the {large.Length * Rates.Length} settings allowed "
                    + "for." : null);
        }
        var statement = large.Length == 0
            ? claim.Open("testAccuracy", "fraction", [.. Penalties.Select(penalty => Arm(penalty, "0"))],
                "Of no setting is it shown that more than 70 % are zeros in each layer: "
                + $"{string.Join("; ", Penalties.Select(penalty => LiveUnits.Told(zeros[penalty])))}.")
            : claim.Exists([.. from penalty in large from rate in Rates select Setting(penalty, rate)]) is var sparse ? sparse with
            {
                Evidence = $"{sparse.Evidence} Without a penalty dropout changes it by "
                    + $"{string.Join(" and ", Rates.Select(rate => InShort.Figures(Gain(Penalties[0], rate),
                        interval: Gain(Penalties[0], rate).Result.Ci95)))} (95 % intervals)"
                    + (sparse.Verdict == Verdict.Supported ? ": whether sparsity is why is not shown." : "."),
            } : claim.Open("testAccuracy", "fraction", [], "");
        var helps = (from penalty in Penalties from rate in Rates select Gain(penalty, rate)).Count(gain => gain.Sign > 0);
        return new(new(statement.Verdict, (statement.Verdict switch
        {
            Verdict.Supported => "There is a setting with more than 70 % zeros in which dropout brings no more than what matters",
            Verdict.Refuted => "In every setting with more than 70 % zeros dropout helps",
            _ when large.Length == 0 => "No setting is shown to have more than 70 % zeros in each layer",
            _ => "Whether dropout helps where more than 70 % are zeros is open",
        }) + $"; it is shown to help in {helps} of all {Penalties.Length * Rates.Length}."),
            "Test accuracy with dropout against none, by the share of zeros in each layer without it? "
            + InShort.Of([.. from penalty in Penalties
                             from rate in Rates
                             select ($"{LiveUnits.Told(zeros[penalty])} and rate {rate}", Gain(penalty, rate))]),
            [Studies.Claims.C6.Report(statement)]);
    }

    /// <summary>
    /// What the gain does not exceed, at 5 % over all settings that are tried (Bonferroni): the upper end of the 95 % interval, moved
    /// out as Student's t does. Null without an interval.
    /// </summary>
    private static double? Most(ContrastResult gain, int tries) => gain is { Ci95: [_, var high], MeanDifference: { } mean, N: > 1 }
        ? mean + (high - mean) * Math.Max(1, Tails.Student(2 * Tails.Alpha / tries, gain.N - 1) / Tails.Student(Tails.Alpha, gain.N - 1))
        : null;

    /// <summary>
    /// Dropout brings no more than what matters: its gain is less than delta for sure, or it costs accuracy. Refuted if it helps, and not
    /// by a trifle.
    /// </summary>
    private static Verdict NoBenefit(Comparison gain, double? most)
    {
        if (gain.LeftOut.Count > 0)
            return Verdict.Inconclusive;
        if (gain.Sign != 0)
            return gain.Sign < 0 && gain.HasRoom(1) ? Verdict.Supported : gain.Sign > 0 ? Verdict.Refuted : Verdict.Inconclusive;
        return gain.HasRoom(1) && gain.Result is { N: >= SeedCount.LeastForEquivalence, Divergence: { Baseline: 0, Lost: 0 } }
            && most < gain.Result.Equivalence.Delta ? Verdict.Supported : Verdict.Inconclusive;
    }

    private static string Arm(string penalty, string rate) =>
        (penalty == "0" ? "no penalty" : $"l1 {penalty}") + (rate == "0" ? "" : $", dropout {rate}");
}
