using System.Globalization;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>The slope of leaky ReLU, tuned by hand and learned.</summary>
public sealed class SlopeSweep : Study
{
    private const int HiddenLayers = 2;
    private const string Learned = "prelu", Linear = "slope 1", Usual = "slope 0.01";

    /// <summary>Those of the statements: with slope 1 there is no activation at all, and that is another question.</summary>
    private static readonly string[] Slopes = ["0", "0.01", "0.1", "0.3", "0.6"];

    public override string Name => "slope-sweep";
    public override string Question => "Does the slope of leaky ReLU matter, and does PReLU learn a good one?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C3];
    public override string Method => "Test accuracy of fixed slopes from 0 (ReLU) to 0.6, each against each, of PReLU against each, and of "
        + "slope 1 (no activation at all). The best slope is chosen by validation accuracy, so the test rows have no part in the choice. "
        + "Paired by seed, exact sign-flip test, Holm over all.";

    // All of them: the answer is a curve over slopes, whose best point is chosen anew with each batch of seeds.
    public override int Seeds(StudySize size) => size == StudySize.Quick ? 40 : 16;

    private static IEnumerable<(string Arm, string Baseline)> Pairs()
    {
        for (var i = 0; i < Slopes.Length; i++)
            for (var j = i + 1; j < Slopes.Length; j++)
                yield return (Arm(Slopes[i]), Arm(Slopes[j]));
        foreach (var slope in Slopes)
            yield return (Learned, Arm(slope));
        yield return (Linear, Usual);
    }

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [64, 64], "initializer": "auto"},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 5)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.03, "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 100 : 1000)}} }
          },
          "arms": [
            {{string.Join(",\n", Slopes.Append("1").Select(slope => $$"""
              {"name": "{{Arm(slope)}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": {{slope}} } } } }
              """))}},
            {"name": "{{Learned}}", "patch": {"model": {"activation": {"name": "prelu", "init": 0.25} } } }
          ],
          "baseline": "{{Usual}}", "delta": {{AccuracyDelta(size)}},
          "contrasts": [{{string.Join(",\n", Pairs().Select(pair => $$"""{"arm": "{{pair.Arm}}", "baseline": "{{pair.Baseline}}"}"""))}}]
        }
        """;

    public override IReadOnlyList<Picture> Pictures => [new("negativeSlope", "testAccuracy", "Accuracy, by slope")];

    public override StudyReading Read(StudyEvidence e)
    {
        var claim = Studies.Claims.C3;
        var learning = Slopes.Where(slope => !e.LearnedNothing(Arm(slope))).DefaultIfEmpty(Slopes[0]).ToList();
        var (chosen, how) = e.Best([.. learning.Select(Arm)]);
        var best = learning.First(slope => Arm(slope) == chosen);
        var where = $"The best fixed slope {how} is {best}.";
        var others = Slopes.Where(slope => slope != best).ToList();
        var (delta, metric) = (e.Spec.Delta ?? 0, e.Spec.Metric);
        var worse = others.ToDictionary(slope => slope, slope => Against(e, slope, best));
        var cases = others.ToDictionary(slope => slope, slope =>
            worse[slope] is var (by, sign) && sign < 0 ? claim['a'].LowerBy(delta, by) : claim['a'].HigherBy(delta, by));
        var hurts = claim['a'].Exists([.. cases.Values]);
        var learned = e.Compare(metric, Learned, Arm(best));
        var linear = e.Compare(metric, Linear, Usual, anyway: true);
        var bad = others.Where(slope => cases[slope].Verdict == hurts.Verdict).ToList();
        return new(new(hurts.Verdict, $"The best fixed slope is {best}; {Words(hurts.Verdict,
                $"{(bad.Count == 1 ? "slope" : "slopes")} {string.Join(" and ", bad)} {(bad.Count == 1 ? "is" : "are")} worse by more "
                    + "than matters",
                "no other one is worse by more than matters", "whether others are worse by more than matters is open")}, and "
                + $"PReLU {learned.IsNotWorse() switch
                {
                    Verdict.Supported => "is not worse",
                    Verdict.Refuted => "is worse",
                    _ => "is open",
                }}."),
            $"{where} "
            + $"{Words(hurts.Verdict,
                $"Worse by more than matters: slope {string.Join(" and ", others.Where(slope => cases[slope].Verdict == hurts.Verdict))}",
                "No other slope is worse by more than matters", "Whether another slope is worse by more than matters can't be said")}"
            + $". {Prose.List("Each against the best (95 % intervals, 90 % where it is the same)", [.. others.Select(slope =>
                $"{slope}: {InShort.Figures(worse[slope].By, -worse[slope].Sign)}")], "; ")} "
            + $"Test accuracy of PReLU, and with no activation at all (slope 1)? {InShort.Of(($"PReLU against slope {best}", learned),
                ("slope 1 against slope 0.01", linear))}",
        [
            claim.Report(
                hurts with { Evidence = $"{where} {hurts.Evidence}" },
                claim['b'].NotWorse(learned, where),
                Slope(e, claim['c'], best, worse)),
        ]);
    }

    /// <summary>
    /// The good range lies between the outermost slopes around the best one that are not worse than it; a slope that is worse, and all
    /// beyond it, are bad. What lies between a good and a bad one is open.
    /// </summary>
    private static StatementReport Slope(StudyEvidence e, Statement statement, string best,
        Dictionary<string, (Comparison By, int Sign)> worse)
    {
        Verdict NotWorse(string slope) => worse[slope] is var (by, sign) && sign < 0 ? by.IsNotWorse() : by.IsNotWorse(ofBaseline: true);
        var at = Array.IndexOf(Slopes, best);
        var (below, above) = (Slopes.Take(at).Reverse().ToList(), Slopes.Skip(at + 1).ToList());
        var good = new[] { below.TakeWhile(slope => NotWorse(slope) == Verdict.Supported).LastOrDefault(best),
            above.TakeWhile(slope => NotWorse(slope) == Verdict.Supported).LastOrDefault(best) }.Select(Value).ToArray();
        var bad = new[] { below, above }.Select(side => side.Find(slope => NotWorse(slope) == Verdict.Refuted)).ToArray();
        var (low, high) = (bad[0] is { } under ? Value(under) : double.NegativeInfinity, bad[1] is { } over ? Value(over)
            : double.PositiveInfinity);
        var range = (good[0] == good[1] ? $"Of no other fixed slope is it shown that it is not worse by more than matters than the best "
            + $"one, {best}. "
                : $"Shown to be not worse than the best one by more than matters are the fixed slopes from "
                    + $"{StudyEvidence.Number(good[0])} to "
                    + $"{StudyEvidence.Number(good[1])}. ")
            + $"{(bad is [null, null] ? "None is shown to be worse by more than matters" : "Worse by more than matters: "
                + string.Join(" and ", new[] { (Slope: bad[0], Beyond: "below"), (Slope: bad[1], Beyond: "above") }
                    .Where(end => end.Slope is not null).Select(end => $"{end.Slope}, and so counted all {end.Beyond}")))}. "
            + $"Below {Slopes[0]} and between {Slopes[^1]} and 1, no activation at all, no slope was tried.";
        var layers = Enumerable.Range(0, HiddenLayers).Select(layer =>
        {
            var mean = e.Mean("slope", "number", $"slope of hidden{layer + 1}, which began at 0.25,", Learned,
                run => run.Last.FirstOrDefault(row => row.Layer == layer)?.Slope);
            return statement.Of(mean, (mean.LeftOut.Count, mean.Summary.Ci95) switch
            {
                (0, [var from, var to]) when from >= good[0] && to <= good[1] => Verdict.Supported,
                (0, [var from, var to]) when to <= low || from >= high => Verdict.Refuted,
                _ => Verdict.Inconclusive,
            });
        });
        var every = statement.Every([.. layers]);
        return every with { Evidence = $"{range} {every.Evidence}" };
    }

    /// <summary>The contrast of a slope with the best one, and -1 if the slope is its arm, 1 if the best one is.</summary>
    private static (Comparison By, int Sign) Against(StudyEvidence e, string slope, string best) =>
        Array.IndexOf(Slopes, slope) < Array.IndexOf(Slopes, best) ? (e.Compare(e.Spec.Metric, Arm(slope), Arm(best)), -1)
            : (e.Compare(e.Spec.Metric, Arm(best), Arm(slope)), 1);

    private static string Words(Verdict verdict, string yes, string no, string open) =>
        verdict switch { Verdict.Supported => yes, Verdict.Refuted or Verdict.Negligible => no, _ => open };

    private static double Value(string slope) => double.Parse(slope, CultureInfo.InvariantCulture);

    private static string Arm(string slope) => $"slope {slope}";
}
