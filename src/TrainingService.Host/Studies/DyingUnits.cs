using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>What a rising learning rate does to rectifiers.</summary>
public sealed class DyingUnits : Study
{
    private static readonly string[] Activations = ["relu", "leaky_relu", "elu"];

    public override string Name => "dying-units";
    public override string Question => "How many units die, from which learning rate on, and does it cost accuracy?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C1, Studies.Claims.C4];
    public override string Method => "Units that are off on every row, and test accuracy, of ReLU, leaky ReLU and ELU at four learning "
        + "rates. Paired by seed, exact sign-flip test, Holm over the rates. C1 is judged at the rate at which ReLU's share of such units "
        + "is largest, among those at which both nets learn; C4 at the rate that is best for ReLU by validation accuracy.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

    public override int? SeedsAtLeast(StudySize size) => size == StudySize.Quick ? 16 : 10;

    /// <summary>Share of the units from which on they are told to die.</summary>
    private const double FewUnits = 0.01;

    private static string[] Rates => ["0.1", "0.5", "1", "1.5"];

    private static (string Arm, string Baseline)[] Pairs(Func<string, string, string> arm) =>
        [.. Rates.Select(rate => (arm("leaky_relu", rate), arm("relu", rate)))];

    public override IReadOnlyList<Comparisons> Comparisons => Mitigation.Comparisons([.. Pairs(Arm), .. Pairs(FormerArm)]);

    public override IReadOnlyList<Picture> Pictures =>
    [
        new("learningRate", "offEveryRowFraction", "Units off on every row, by learning rate"),
        new("learningRate", "testAccuracy", "Accuracy, by learning rate"),
    ];

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [64, 64], "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 4)}}, "batchSize": 64, "optimizer": {"name": "sgd", "momentum": 0} },
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 500)}} }
          },
          "arms": [{{string.Join(",\n", from rate in Rates from activation in Activations select $$"""
              {"name": "{{Arm(activation, rate)}}",
               "patch": {"model": {"activation": "{{activation}}"}, "training": {"optimizer": {"learningRate": {{rate}} } } } }
              """)}}],
          "baseline": "{{Arm("relu", "0.1")}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{{string.Join(",\n", Pairs(Arm).Select(pair => $$"""{"arm": "{{pair.Arm}}", "baseline": "{{pair.Baseline}}"}"""))}}]
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        Func<string, string, string> arm = e.Arms.Contains(FormerArm("relu", Rates[0])) ? FormerArm : Arm;
        double? Off(string activation, string rate) => e.Mean("offEveryRowFraction", arm(activation, rate)).Summary.Mean;
        string Share(string activation, string rate)
        {
            var cells = e.Cells(arm(activation, rate));
            var (runs, diverged) = (cells.Count, cells.Count(run => run.Diverged));
            var nothing = cells.Count(run => !run.Diverged && e.LearnedNothing(run));
            string[] but = [.. diverged == 0 ? [] : (string[])[$"{diverged} of {runs} diverged"],
                .. nothing == 0 ? [] : (string[])[$"{nothing} of {runs} learned nothing"]];
            return runs > 0 && diverged == runs ? $"none measured (all {runs} diverged)"
                : StudyEvidence.Percent(Off(activation, rate)) + (but.Length == 0 ? "" : $" ({string.Join(", ", but)})");
        }
        var shares = string.Join(" ", Rates.Select(rate => $"At rate {rate}: ReLU {Share("relu", rate)}, "
            + $"leaky ReLU {Share("leaky_relu", rate)}, ELU {Share("elu", rate)}."));
        var broken = Rates.Where(rate => e.LearnedNothing(arm("relu", rate)) || e.LearnedNothing(arm("leaky_relu", rate))).ToList();
        var stress = Rates.Except(broken).DefaultIfEmpty(Rates[0]).MaxBy(rate => Off("relu", rate) ?? -1) ?? Rates[0];
        var mitigation = Mitigation.Judge(e, arm("leaky_relu", stress), arm("relu", stress),
            $"At rate {stress}, where ReLU's share of units that are off is the largest among the rates at which both learn."
                + Stalled(e, arm("relu", stress)) + Stalled(e, arm("leaky_relu", stress)),
            $"Shares at all rates: {shares}");
        string[] leftOut = [.. e.Arms.Where(arm => !arm.StartsWith("elu", StringComparison.Ordinal) && e.LearnedNothing(arm))];
        var accuracy = InShort.Of([.. Pairs(arm).Select((pair, i) =>
            ($"rate {Rates[i]}", e.Compare("testAccuracy", pair.Arm, pair.Baseline, anyway: true)))]);
        var from = Rates.FirstOrDefault(rate => Off("relu", rate) >= FewUnits);
        var costs = Pairs(arm).Count(pair => e.Compare("testAccuracy", pair.Arm, pair.Baseline, anyway: true).Sign > 0);
        return new(new(from is null ? mitigation.Statements[0].Verdict : Verdict.Supported, (from is null
                    ? $"At no rate up to {Rates[^1]} do more than {StudyEvidence.Percent(FewUnits)} of ReLU's units die"
                    : $"From learning rate {from} on units of ReLU die: there {StudyEvidence.Percent(Off("relu", from))} are off on "
                    + "every row, "
                        + $"and {StudyEvidence.Percent(Off("leaky_relu", from))} of leaky ReLU's")
                + $"; leaky ReLU is shown to be more accurate at {(costs == 0 ? "none" : $"{costs}")} of {Rates.Length} rates."),
            $"Units off on every row after training. {shares} ReLU's test accuracy at these rates, of the runs that finished: "
            + string.Join(", ", Rates.Select(rate => StudyEvidence.Percent(e.Summary(arm("relu", rate), "testAccuracy").Mean))) + ". Does "
            + $"leaky ReLU's differ? {accuracy}",
        [
            mitigation with { Statements = [.. mitigation.Statements.Select(s => s with { LeftOut = [.. s.LeftOut.Union(leftOut)] })] },
            Sparsity(e, arm),
        ]);
    }

    /// <summary>The runs that learned nothing of an arm that counts, because less than half of its runs did.</summary>
    private static string Stalled(StudyEvidence e, string arm) => e.Cells(arm).Count(e.LearnedNothing) is > 0 and var stalled
        ? $" {stalled} of {e.Cells(arm).Count} runs of {arm} learned nothing or diverged." : "";

    /// <summary>C4 at the rate that one would choose: a net that is hardly trained, or broken, says nothing of trained ones.</summary>
    private static ClaimReport Sparsity(StudyEvidence e, Func<string, string, string> arm)
    {
        var (usual, how) = e.Best([.. Rates.Select(rate => arm("relu", rate))]);
        return LiveUnits.Read(e, usual, $"{char.ToUpperInvariant(usual[0])}{usual[1..]}, ReLU's best rate {how}.");
    }

    /// <summary>As older sweeps have it.</summary>
    private static string FormerArm(string activation, string rate) => $"{activation} at {rate}";

    private static string Arm(string activation, string rate) => $"{activation} lr {rate}";
}
