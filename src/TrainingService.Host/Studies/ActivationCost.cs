using System.Diagnostics;
using TrainingService.Engine.Activations;
using TrainingService.Host.Statistics;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>What one number costs an activation, forwards and back.</summary>
/// <param name="Activation">Canonical name.</param>
/// <param name="Seconds">
/// Per number, the fastest of some runs of each round; rounds interleave, so that a disturbance hits all alike.
/// </param>
public sealed record ElementTimes(string Activation, IReadOnlyList<double> Seconds);

/// <summary>What activations cost, as ratios to ReLU: of the fastest epoch, and of a single element.</summary>
public sealed class ActivationCost : Study
{
    private const double Delta = 0.05;
    private const string Relu = "relu";
    private static readonly string[] Others = ["leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "tanh", "sigmoid", "softplus"];

    private static readonly SweepMetric PerElement =
        new(new("secondsPerElement", false, false, 0), _ => null, Delta, null);

    public override string Name => "activation-cost";
    public override string Question => "Which activations slow training down, and by how much?";
    public override IReadOnlyList<Claim> Claims => [Studies.Claims.C2];
    public override string Method =>
        "Wall time of a run's fastest epoch as a ratio to ReLU's in nets of two layers of 256. Runs of a seed come one after another so "
        + "that all see the same machine. Paired by seed, exact sign-flip test, Holm over all. Beside the trainings, the time of the "
        + "activation "
        + "alone for each element, forwards and back, in interleaved rounds. Ratios count as none whose whole 90 % interval lies within "
        + "5 %.";

    public override int Seeds(StudySize size) => size == StudySize.Quick ? 20 : 16;

    public override int? SeedsAtLeast(StudySize size) => 12;

    public override Func<StudySize, CancellationToken, StudyMeasurement> Measure => Time;

    /// <summary>Times of epochs, for a study that judges <see cref="LeakyEpoch"/> and <see cref="EluEpoch"/>.</summary>
    public static Comparisons Epochs(string leaky, string elu, string relu) =>
        new("fastestEpochSeconds", Delta, (leaky, relu), (elu, relu));

    protected override string Request(StudySize size) => $$"""
        {
          "base": {
            "dataset": {"name": ""},
            "model": {"hiddenLayers": [256, 256]},
            "training": {"epochs": {{(size == StudySize.Quick ? 15 : 3)}}, "batchSize": 64,
                         "optimizer": {"name": "sgd", "learningRate": 0.01} },
            "diagnostics": {"everySteps": 100000}
          },
          "grid": {"/model/activation": ["relu", {{string.Join(", ", Others.Select(name => $"\"{name}\""))}}]},
          "metric": "fastestEpochSeconds", "delta": 0.05,
          "baseline": "relu"
        }
        """;

    public override StudyReading Read(StudyEvidence e)
    {
        (string Name, Comparison By)[] all =
            [.. Others.Select(name => (name, e.Compare("fastestEpochSeconds", name, Relu, anyway: true)))];
        var ratios = InShort.Of(all);
        (string Name, Comparison By)[] slower = [.. all.Where(one => one.By.Sign > 0).OrderByDescending(one => one.By.Effect)];
        return new(new(Busy(e, Relu) is not null ? Verdict.Inconclusive : Headline.Of(all.Select(one => one.By.Differs(1))),
                Busy(e, Relu) is not null ? "The machine was too busy to tell which activations slow training down."
                : slower.Length == 0 ? $"No activation is shown to slow training down, of {all.Length} beside ReLU."
                : $"{slower.Length} of {all.Length} activations slow training down, most of all "
                    + string.Join(", ", slower.Take(4).Select(one => $"{one.Name} (×{Numbers.Ratio(one.By.Effect ?? double.NaN)})"))
                    + "; of the others it is not shown."),
            $"{Busy(e, Relu)}Time of the fastest epoch as a multiple of ReLU's, with 95 % intervals. {ratios}",
        [
            Studies.Claims.C2.Report(
                [LeakyEpoch(e, "leaky_relu", Relu), EluEpoch(e, "elu", Relu), .. Elements(e.Measured?.ElementTimes ?? [])]),
        ]);
    }

    /// <summary>C2 (a): an epoch with leaky ReLU takes no longer.</summary>
    public static StatementReport LeakyEpoch(StudyEvidence e, string leaky, string relu) =>
        Undisturbed(e, relu, Studies.Claims.C2['a'].NotWorse(e.Compare("fastestEpochSeconds", leaky, relu, anyway: true), after: Doubt));

    /// <summary>C2 (b): an epoch with ELU takes longer.</summary>
    public static StatementReport EluEpoch(StudyEvidence e, string elu, string relu) =>
        Undisturbed(e, relu, Studies.Claims.C2['b'].Worse(e.Compare("fastestEpochSeconds", elu, relu, anyway: true), after: Doubt));

    /// <summary>Spread of a net's own times beyond which they tell of the machine, relative to their mean.</summary>
    private const double MostSpread = 0.2;

    private static StatementReport Undisturbed(StudyEvidence e, string relu, StatementReport statement) => Busy(e, relu) is { } busy
        ? statement with
        {
            Verdict = Verdict.Inconclusive,
            Evidence = $"{busy}Times as long: {StudyEvidence.Number(statement.Effect)} (" + (statement.Ci95 is [var low, var high]
                ? $"95 % interval {Numbers.Ratio(low)} to {Numbers.Ratio(high)}, " : "") + $"{Numbers.Count(statement.N, "seed")}).",
        } : statement;

    private static string? Busy(StudyEvidence e, string relu) =>
        e.Summary(relu, "fastestEpochSeconds") is { Sd: { } sd, Mean: { } mean } && sd > MostSpread * mean
            ? $"The machine was busy: the times of {relu} alone stray by {StudyEvidence.Percent(sd / mean)} of their mean from seed to "
                + "seed. Statements on epochs, which are of some per cent, are left open; what is told of others is far above that. "
                : null;

    private const string Doubt = "Where the whole 90 % interval lies within 5 % the times count as equal. They are those of this "
        + "engine's vector code on this machine.";

    private static IEnumerable<StatementReport> Elements(IReadOnlyList<ElementTimes> times)
    {
        IReadOnlyList<double> Of(string name) => times.FirstOrDefault(t => t.Activation == name)?.Seconds ?? [];
        var family = Family.Judge([.. ((string[])["leaky_relu", "elu"]).Select(name => Contrast.Between(name, Of(name), Relu, Of(Relu)))],
            PerElement.Outcome, Delta);
        var (leaky, elu) = (new Comparison(PerElement, family[0], []), new Comparison(PerElement, family[1], []));
        yield return Studies.Claims.C2['c'].NotWorse(leaky) with { Evidence = Sentence(leaky.Result) };
        yield return Studies.Claims.C2['d'].Worse(elu) with { Evidence = Sentence(elu.Result) };
    }

    private static string Sentence(ContrastResult result) => result is { MeanDifference: { } mean, Ci95: [var low, var high] }
        ? $"The activation alone, forwards and back, takes {Ratio(mean)} times as long for each element with {result.Arm} as with "
            + $"{result.Baseline} (95 % interval {Ratio(low)} to {Ratio(high)}, 90 % {Ratio(result.Equivalence.Ci90?[0])} to "
            + $"{Ratio(result.Equivalence.Ci90?[1])}, {result.N} rounds). It is a part of an epoch's time only. {Doubt}"
        : result.N == 0 ? "The activations alone have not been timed."
        : $"The activation alone takes {Ratio(result.MeanDifference)} times as long with {result.Arm} as with {result.Baseline}, without "
            + "any spread.";

    private static string Ratio(double? relative) => relative is { } r ? Numbers.Ratio(1 + r) : "not measured";

    private static StudyMeasurement Time(StudySize size, CancellationToken cancellation)
    {
        // as often in each place as in every other one
        var (rounds, runs) = ((size == StudySize.Quick ? 10 : 20) * (Others.Length + 1), 30);
        var passes = Others.Prepend(Relu).Select(name => (Activation: name, Seconds: new double[rounds])).ToList();
        for (var round = 0; round < rounds; round++)
        {
            // Where the numbers lie costs up to a fifth of the time: in each round each has another's place.
            (string Activation, double[] Seconds)[] turn = [.. passes[(round % passes.Count)..], .. passes[..(round % passes.Count)]];
            var costs = turn.Select(pass => new ElementCost(ActivationRegistry.Standard(pass.Activation))).ToList();
            try
            {
                foreach (var (pass, cost) in turn.Zip(costs))
                {
                    cancellation.ThrowIfCancellationRequested();
                    // not the fastest alone: the clock's own steps are too coarse for that
                    pass.Seconds[round] =
                        Enumerable.Range(0, runs).Select(_ => Once(cost)).Order().Take(runs / 3).Average() / ElementCost.Elements;
                }
            }
            finally
            {
                costs.ForEach(cost => cost.Dispose());
            }
        }
        return new(ElementTimes: [.. passes.Select(pass => new ElementTimes(pass.Activation, pass.Seconds))]);
    }

    private static double Once(ElementCost cost)
    {
        cost.Reset();
        var from = Stopwatch.GetTimestamp();
        cost.Run();
        return Stopwatch.GetElapsedTime(from).TotalSeconds;
    }
}
