using TrainingService.Engine.Training;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Studies;

/// <summary>Square nets that were drawn, measured and never trained.</summary>
/// <param name="Depth">Hidden layers.</param>
/// <param name="Width">Units of each.</param>
/// <param name="ReluKaiming">ReLU at the gain that preserves the variance.</param>
/// <param name="ReluXavier">ReLU at gain 1.</param>
/// <param name="LinearXavier">No activation at gain 1, on the same draws.</param>
public sealed record DeepNetDraws(int Depth, int Width, IReadOnlyList<DrawnNet> ReluKaiming, IReadOnlyList<DrawnNet> ReluXavier,
    IReadOnlyList<DrawnNet> LinearXavier);

/// <summary>The question itself.</summary>
public sealed class ReluVsLeakyRelu : Study
{
    private const string Relu = "relu", Leaky = "leaky_relu 0.01", Steep = "leaky_relu 0.2", Elu = "elu";
    private const int Width = 64, Depth = 30;
    private const string Drawn = "Of nets that are drawn, on 64 rows of normal numbers and not on this data.";

    public override string Name => "relu-vs-leaky-relu";
    public override string Question => "If leaky ReLU keeps units alive, why is ReLU still the default: does leaky ReLU beat ReLU here?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C1, Studies.Claims.C2, Studies.Claims.C8, Studies.Claims.C11];
    public override string Method => "Test accuracy, units that are off on every row, time of the fastest epoch and mean shift of leaky "
        + "ReLU (0.01, 0.2) and ELU against ReLU. The learning rate is tuned for each on validation rows. Paired by seed, exact sign-flip "
        + "test. "
        + $"Beside the trainings, gradients through {Depth} layers of {Width} units are measured in nets that are drawn and not trained.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 24 : 16;

    public override int? SeedsAtLeast(StudySize size) => size == StudySize.Quick ? 16 : 8;

    public override IReadOnlyList<Comparisons> Comparisons =>
    [
        .. Mitigation.Comparisons((Leaky, Relu)),
        ActivationCost.Epochs(Leaky, Elu, Relu),
        ZeroCentring.Shifts((Leaky, Relu), (Steep, Relu)),
    ];

    public override Func<StudySize, CancellationToken, StudyMeasurement> Measure => (size, cancellation) =>
    {
        IReadOnlyList<DrawnNet> Draw(string activation, string initializer) =>
            DeepNets.Draw(activation, initializer, Width, Depth, size == StudySize.Quick ? 40 : 200, cancellation);
        return new(DeepNets: new(Depth, Width, Draw("relu", "kaiming_normal"), Draw("relu", "xavier_normal"),
            Draw("identity", "xavier_normal")));
    };

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": "", "validationFraction": 0.15},
            "model": {"hiddenLayers": {{(size == StudySize.Quick ? "[128, 64]" : "[256, 128]")}}, "initializer": "kaiming_normal"},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 8)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "momentum": 0.9}, "schedule": "cosine"},
            "diagnostics": {"everySteps": {{(size == StudySize.Quick ? 50 : 1000)}} }
          },
          "arms": [
            {"name": "{{Relu}}", "patch": {"model": {"activation": "relu"} } },
            {"name": "{{Leaky}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.01} } } },
            {"name": "{{Steep}}", "patch": {"model": {"activation": {"name": "leaky_relu", "negativeSlope": 0.2} } } },
            {"name": "{{Elu}}", "patch": {"model": {"activation": "elu", "initializer": "auto"} } }
          ],
          "tune": {"/training/optimizer/learningRate":
                   [{{(size == StudySize.Quick ? "0.01, 0.03, 0.1" : "0.003, 0.01, 0.03, 0.1, 0.3")}}]},
          "baseline": "{{Relu}}", "delta": {{AccuracyDelta(size)}}
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        var accuracy = e.Compare(e.Spec.Metric, Leaky, Relu);
        string Off(string arm) => StudyEvidence.Percent(e.Mean("offEveryRowFraction", arm).Summary.Mean);
        (string, Comparison)[] others =
            [("slope 0.2", e.Compare(e.Spec.Metric, Steep, Relu)), ("ELU", e.Compare(e.Spec.Metric, Elu, Relu))];
        var units = $"Off on every row at the end: {Off(Relu)} of ReLU's units, {Off(Leaky)} of leaky ReLU's.";
        var yesOrNo = (accuracy.LeftOut.Count > 0 ? Verdict.Inconclusive : accuracy.Result.Verdict) switch
        {
            Verdict.Supported => "Yes, here leaky ReLU (0.01) is more accurate than ReLU.",
            Verdict.Refuted => "No, here leaky ReLU (0.01) is less accurate than ReLU.",
            Verdict.Equivalent or Verdict.Negligible => "No: here leaky ReLU (0.01) makes no difference that matters.",
            _ => null,
        };
        var answer = yesOrNo is null
            ? (accuracy.IsNotWorse() == Verdict.Supported
                    ? $"Leaky ReLU (0.01) is not worse by {InShort.Amount(accuracy)} or more; whether it is better can't be said. "
                    : "It can't be said with this evidence. ")
                + "Test accuracy against ReLU? "
                + $"{InShort.Of([("slope 0.01", accuracy), .. others])} {units}"
            : $"{yesOrNo} {accuracy.Result.Sentence} {Room(accuracy)}{units} And a steeper leak, or ELU? {InShort.Of(others)}";
        var same = accuracy.Result.Verdict == Verdict.Equivalent;
        var figures = accuracy.Result.MeanDifference is null ? "" : $" ({Numbers.Difference(accuracy.Metric.Outcome, accuracy.Effect)}, "
            + $"{(same ? 90 : 95)} % interval {accuracy.Metric.Outcome.Range(same ? accuracy.Result.Equivalence.Ci90 : accuracy.Ci95)})";
        return new(new(yesOrNo is null ? Verdict.Inconclusive : accuracy.Result.Verdict, yesOrNo is not null
                ? $"{yesOrNo[..^1]}{figures}."
                : accuracy.LeftOut.Count > 0 ? "It can't be said: nets of one of both learned nothing."
                : accuracy.IsNotWorse() == Verdict.Supported
                    ? $"Leaky ReLU (0.01) is not worse by {InShort.Amount(accuracy)} or more; whether it is better is open{figures}."
                    : $"Whether leaky ReLU (0.01) is better or worse is open{figures}."),
            answer,
        [
            Mitigation.Judge(e, Leaky, Relu, "Each at the best of the learning rates that were tried for it."),
            Studies.Claims.C2.Report(ActivationCost.LeakyEpoch(e, Leaky, Relu), ActivationCost.EluEpoch(e, Elu, Relu)),
            Gradients(e),
            ZeroCentring.Judge(e, Relu, Leaky, Steep),
        ]);
    }

    private static string? Room(Comparison accuracy) => accuracy.Result.Verdict == Verdict.Equivalent && !accuracy.HasRoom(1)
        ? $"But ReLU's is {StudyEvidence.Percent(accuracy.Baseline?.Mean)}, so that no net could have been better by that much. " : null;

    /// <summary>
    /// C8: does sparsity reduce the gradient? (a) Kaiming's gain: within half a decade over all layers, and half of the entries are zero;
    /// (b) Xavier's: 1/2 log10 2 = 0.1505 decades a layer for rectifiers, none for linear layers.
    /// </summary>
    private static ClaimReport Gradients(StudyEvidence e)
    {
        if (e.Measured?.DeepNets is not { } nets)
            return Studies.Claims.C8.Report(NotDrawn(Studies.Claims.C8['a']), NotDrawn(Studies.Claims.C8['b']));
        var steps = nets.Depth - 1;
        var (a, b) = (Studies.Claims.C8['a'], Studies.Claims.C8['b']);
        ArmMean Flow(string net, IReadOnlyList<DrawnNet> drawn, string words, double per) =>
            Mean(net, "initialGradientFlow", "decades", words, drawn.Select(n => n.GradientFlow / per));
        var kaiming = Flow("relu kaiming_normal", nets.ReluKaiming, $"gradient flow over {nets.Depth} layers", 1);
        var draws = nets.ReluKaiming.Select(n => n.GradientFlow).Where(double.IsFinite).Order().ToList();
        var range = draws.Count < 20 ? null : "Single draws stray: 95 % of them lie between "
            + $"{Decades(draws[(int)(0.025 * draws.Count)])} and {Decades(draws[^(1 + (int)(0.025 * draws.Count))])} decades.";
        var zeros = Mean("relu kaiming_normal", "initialSparsity", "fraction", "zeros among the hidden activations",
            nets.ReluKaiming.Select(n => n.Sparsity));
        var xavier = Flow("relu xavier_normal", nets.ReluXavier, "gradient flow a layer", steps);
        var linear = Flow("identity xavier_normal", nets.LinearXavier, "gradient flow a layer", steps);
        return Studies.Claims.C8.Report(
            a.Every([a.Within(kaiming, -0.5, 0.5), a.Within(zeros, 0.45, 0.55)]) with
            {
                Evidence = $"{Drawn} {kaiming.Sentence} {range} {zeros.Sentence} Half a decade over {nets.Depth} layers counts as none.",
            },
            b.Every([b.Within(xavier, -0.18, -0.12), b.Within(linear, -0.03, 0.03)]) with
            {
                Evidence = $"{Drawn} {xavier.Sentence} {linear.Sentence} The two nets have the same draws and differ in ReLU alone; "
                    + "Kaiming's gain is Xavier's times √2.",
            });
    }

    private static ArmMean Mean(string net, string metric, string unit, string words, IEnumerable<double> values) =>
        new(net, metric, unit, words, ArmSummary.Of([.. values]), []);

    private static StatementReport NotDrawn(Statement statement) => statement.Of(
        Mean("relu kaiming_normal", "initialGradientFlow", "decades", "gradient flow", []), Verdict.Inconclusive);

    private static string Decades(double flow) => Numbers.Signed(flow);
}
