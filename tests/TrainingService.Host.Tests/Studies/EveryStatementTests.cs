using TrainingService.Engine.Training;
using TrainingService.Host.Statistics;
using TrainingService.Host.Studies;

namespace TrainingService.Host.Tests.Studies;

/// <summary>
/// For every statement of every study a world in which it is true, one in which it is false, and one that can't tell. What would come out
/// the same in all of them says nothing, and a statement that is new has no place here until it has the three.
/// </summary>
public sealed class EveryStatementTests
{
    private const string Leaky = "leaky_relu 0.01", Steep = "leaky_relu 0.2";

    public static TheoryData<string> Studies => [.. StudyCatalog.All.Select(study => study.Name)];

    [Theory]
    [MemberData(nameof(Studies))]
    public void Each_is_true_in_one_world_false_in_another_and_open_in_a_third(string study)
    {
        var seen = new Dictionary<string, HashSet<Verdict>>();
        foreach (var ((expected, statements), world) in Worlds(study).Select((world, i) => (world, i + 1)))
        {
            var found = statements.ToDictionary(statement => statement.Id);
            foreach (var (id, sign) in expected.Split(' ').Select(word => (word[..^1], word[^1])))
            {
                var verdict = sign switch { '+' => Verdict.Supported, '-' => Verdict.Refuted, _ => Verdict.Inconclusive };
                Assert.True(found[id].Verdict == verdict,
                    $"{study} {id}, world {world}: {found[id].Verdict}, not {verdict}: {found[id].Evidence}");
            }
            foreach (var statement in statements)
                (seen.TryGetValue(statement.Id, out var verdicts) ? verdicts : seen[statement.Id] = []).Add(statement.Verdict);
        }
        Assert.Equal(StudyCatalog.Find(study)!.Claims.Select(claim => claim.Id).Order(),
            seen.Keys.Select(id => id[..(id.IndexOfAny(['a', 'b', 'c', 'd', 'e', 'f']))]).Distinct().Order());
        foreach (var (id, verdicts) in seen)
            Assert.True(verdicts.IsSupersetOf([Verdict.Supported, Verdict.Refuted, Verdict.Inconclusive]),
                $"{study} {id} is only ever {string.Join(", ", verdicts)}");
    }

    /// <summary>The signs that the world must give (+ true, - false, ? open), and what the study says of it.</summary>
    private static IEnumerable<(string Expected, IReadOnlyList<StatementReport> Statements)> Worlds(string study) => study switch
    {
        "relu-vs-leaky-relu" =>
        [
            Of(study, "C1a+ C1b+ C1c+ C1d+ C2a+ C2b+ C8a+ C8b+ C11a+ C11b+ C11c+", (arm, noise) => new(
                Test: 0.9 + 0.002 * noise, Off: (arm == Leaky ? 0.05 : 0.1) + 0.01 * noise,
                Revived: (arm == Leaky ? 0.1 : 0.01) + 0.002 * Math.Tanh(noise), EpochSeconds: 0.003 * ((arm == "elu" ? 1.2 : 1)
                    + 0.01 * noise), Shift: (arm is Leaky or Steep ? 0.4 : 0.5) + 0.02 * noise), Deep(-0.2, -4.36, 0)),
            Of(study, "C1a- C1b- C1c- C1d- C2a- C2b- C8a- C8b- C11a- C11b- C11c-", (arm, noise) => new(
                Test: (arm == Leaky ? 0.86 : 0.9) + 0.002 * noise, Off: arm == Leaky ? 0.1 + 0.01 * Math.Tanh(noise) : 0,
                Revived: (arm == Leaky ? 0.02 : 0.1) + 0.002 * Math.Tanh(noise), EpochSeconds: 0.003 * ((arm == Leaky ? 1.2 : 1)
                    + 0.01 * noise), Shift: 0.2 + 0.001 * noise), Deep(-2, -0.1, 0)),
            Of(study, "C1a? C1b? C1c? C1d? C2a? C2b? C8a? C8b? C11a? C11b? C11c?", (arm, noise) => new(
                Test: 0.8 + 0.05 * noise, Off: noise > 1.3 ? 0.3 : 0, Revived: 0.1 + 0.1 * Math.Tanh(noise),
                EpochSeconds: 0.003 * Math.Exp(0.5 * noise), Shift: (arm is Leaky or Steep ? 0.25 : 0.3) + 0.04 * noise),
                Deep(-0.2, -4.36, 0, spread: 20)),
        ],
        "init-pairing" =>
        [
            Of(study, "C10a+ C10b+ C10c+ C10d+ C10e+ C10f+", (arm, noise) => new(Test: (Matched(arm) ? 0.9 : 0.8) + 0.01 * noise)),
            Of(study, "C10a- C10b- C10c- C10d- C10e- C10f-", (arm, noise) => new(Test: (Matched(arm) ? 0.7 : 0.8) + 0.01 * noise)),
            Of(study, "C10a? C10b? C10c? C10d? C10e? C10f?", (_, noise) => new(Test: 0.8 + 0.1 * noise)),
        ],
        "dying-units" =>
        [
            Of(study, "C1a+ C1b+ C1c+ C1d+ C4a+ C4b+", (arm, noise) => new(Test: 0.9 + 0.002 * noise,
                Off: (arm[0] == 'l' ? 0.05 : 0.1) + 0.01 * noise, Revived: (arm[0] == 'l' ? 0.1 : 0.01) + 0.002 * Math.Tanh(noise),
                Sparsity: 0.7 + 0.02 * noise)),
            Of(study, "C1a- C1b- C1c- C1d- C4a- C4b-", (arm, noise) => new(Test: (arm[0] == 'l' ? 0.86 : 0.9) + 0.002 * noise,
                Off: arm[0] == 'l' ? 0.1 + 0.01 * Math.Tanh(noise) : 0, Revived: (arm[0] == 'l' ? 0.02 : 0.1) + 0.002 * Math.Tanh(noise),
                Sparsity: 0.3 + 0.02 * noise)),
            Of(study, "C1a? C1b? C1c? C1d? C4a? C4b?", (arm, noise) => new(Test: 0.8 + 0.05 * noise,
                Validation: arm.EndsWith("lr 1", StringComparison.Ordinal) ? 0.95 : 0.9,
                Off: arm.EndsWith("lr 1", StringComparison.Ordinal) && noise > 1.5 ? 0.3 : 0,
                Revived: 0.1 + 0.1 * Math.Tanh(noise), Sparsity: Math.Clamp(0.5 + 0.1 * noise, 0.3, 1))),
        ],
        "born-dead" =>
        [
            Of("C1a+ C1b+ C1c+ C1d+ C9a+ C9b+", new BornDeadNets(), new()
            {
                ["relu 4x20"] = new() { Dead = 0.4 },
                ["leaky_relu 4x20"] = new() { Locked = 0.1, Revived = 0.1 },
                ["relu 32x20"] = Chance with { DeadLayers = [3, 4], Dead = 0.4, Noise = 0.001 },
            }, layers: 5),
            Of("C1a- C1b- C1c- C1d- C9a- C9b-", new BornDeadNets(), new()
            {
                ["relu 4x20"] = new() { Dead = 0, Revived = 0.1 },
                ["leaky_relu 4x20"] = new() { Locked = 0.1, Revived = 0.02, Test = 0.85 },
                ["relu 32x20"] = Chance with { DeadLayers = [3], Flow = -8, Train = 0.6 },
            }, layers: 5),
            Of("C1a? C1b? C1c? C1d? C9a? C9b?", new BornDeadNets(), new()
            {
                ["relu 4x20"] = new() { Dead = 0.3, Revived = 0.3, Noise = 0.6 },
                ["leaky_relu 4x20"] = new() { Locked = 0.3, Revived = 0.3, Noise = 0.6 },
                ["relu 32x20"] = Chance with { DeadLayers = [3] },
            }, seeds: 3, layers: 5),
        ],
        "sparsity-knee" =>
        [
            Knee("C4a+ C4b+ C5a+ C5b+ C12a+ C12b+", new() { Zeros = 0.6, Dead = 0.05 }, zeros => new()
            {
                Train = 0.975,
                Rank = 20 - 10 * (zeros - 0.5),
                Dead = 0,
                Test = zeros > 0.85 ? 0.92 : 0.95,
                Loss = zeros > 0.85 ? 0.5 : 0.05,
            }),
            Knee("C4a- C4b- C5a- C5b- C12b-", new() { Zeros = 0.3, Dead = 0 }, _ => new() { Rank = 25, Dead = 0 }),
            Knee("C12a-", new() { Zeros = 0.3, Dead = 0 }, _ => new() { Test = 0.92, Dead = 0 }),
            Knee("C4a? C4b? C5a? C5b? C12a? C12b?", new() { Zeros = 0.5, Dead = 0.05, Noise = 0.2 }, _ => new() { Noise = 0.2 }),
        ],
        "slope-sweep" =>
        [
            Slopes("C3a+ C3b+ C3c+", steep: 0.85, learned: 0.9, slope: 0.2, spread: 0.002),
            Slopes("C3a- C3b-", steep: 0.9, learned: 0.85, slope: 0.2, spread: 0.002),
            Slopes("C3a+ C3c-", steep: 0.85, learned: 0.9, slope: 0.8, spread: 0.002),
            Slopes("C3a? C3b? C3c?", steep: 0.9, learned: 0.9, slope: 0.2, spread: 0.06),
        ],
        "activation-cost" =>
        [
            Of(study, "C2a+ C2b+ C2c+ C2d+", (arm, noise) => new(EpochSeconds: 0.003 * ((arm == "elu" ? 1.2 : 1) + 0.01 * noise)),
                Elements(1, 3, 0.02)),
            Of(study, "C2a- C2b- C2c- C2d-", (arm, noise) => new(EpochSeconds: 0.003 * ((arm == "leaky_relu" ? 1.2 : 1) + 0.01 * noise)),
                Elements(1.5, 1, 0.02)),
            Of(study, "C2a? C2b? C2c? C2d?", (_, noise) => new(EpochSeconds: 0.003 * Math.Exp(0.5 * noise)), Elements(1, 1, 1)),
        ],
        "saturation" =>
        [
            Squashing("C7a-tanh+ C7b-tanh+ C7c-tanh+ C7a-sigmoid+ C7b-sigmoid+ C7c-sigmoid+",
                new() { Saturation = 0.6, Flow = -3, Train = 0.1 }),
            Squashing("C7a-tanh- C7c-tanh- C7a-sigmoid- C7c-sigmoid-", new() { Saturation = 0, Flow = -3 }),
            Squashing("C7b-tanh- C7b-sigmoid-", new() { Saturation = 0.6, Flow = 0.5 }),
            // half of the nets whose gradient vanishes stall
            Squashing("C7c-tanh? C7c-sigmoid?", new() { Saturation = 0.6, Flow = -3, Stalls = seed => seed % 2 == 0 }),
            Squashing("C7a-tanh? C7b-tanh? C7a-sigmoid? C7b-sigmoid?", new() { Saturation = 0.1, Flow = -0.2, Noise = 0.5 }),
        ],
        "dropout-vs-sparsity" =>
        [
            Dropout("C6a+", 0, 0.03, 0.001), Dropout("C6a-", 0.03, 0.03, 0.001), Dropout("C6a?", 0, 0, 0.2),
        ],
        "dead-layers" =>
        [
            Layers("C9a+ C9b+ C9c+", Chance, new()),
            Layers("C9a- C9b- C9c-", Chance with { Flow = -8, Train = 0.6, Test = 0.6 }, Chance),
            Layers("C9a? C9b? C9c?", Chance with { Noise = 0.1 }, new() { Stalls = seed => seed == 2 }, seeds: 3),
        ],
        "zero-centring" =>
        [
            Of(study, "C11a+ C11b+ C11c+", (arm, noise) => new(Shift: (arm is Leaky or Steep ? 0.4 : 0.5) + 0.02 * noise)),
            Of(study, "C11a- C11b- C11c-", (_, noise) => new(Shift: 0.2 + 0.001 * noise)),
            Of(study, "C11a? C11b? C11c?", (arm, noise) => new(Shift: (arm is Leaky or Steep ? 0.25 : 0.3) + 0.04 * noise)),
        ],
        "capacity" =>
        [
            Widths("+", new() { Zeros = 0.6, Rank = 15, Test = 0.97 }),
            Widths("-", new() { Zeros = 0.6 }),
            Widths("?", new() { Zeros = 0.6, Noise = 0.6 }),
        ],
        _ => [],
    };

    private static Net Chance => new() { Train = 0.102, Test = 0.1, Loss = 2.3, Noise = 0, Flow = null, DeadLayers = [1] };

    private static bool Matched(string arm) => arm.StartsWith("relu kaiming", StringComparison.Ordinal)
        || arm.StartsWith("tanh xavier", StringComparison.Ordinal);

    private static (string, IReadOnlyList<StatementReport>) Of(string study, string expected, Func<string, double, Run> run,
        StudyMeasurement? measured = null) =>
        (expected, [.. World.Read(study, run, measured).Claims!.SelectMany(claim => claim.Statements)]);

    private static (string, IReadOnlyList<StatementReport>) Of(string expected, Study study, Dictionary<string, Net> nets,
        Net? others = null, int seeds = 16, int layers = 2) =>
        (expected, [.. new NetWorld(study, nets, others, seeds, layers).Statements]);

    private static StudyMeasurement Deep(double kaiming, double xavier, double linear, double spread = 0.3)
    {
        IReadOnlyList<DrawnNet> Draws(double flow, double zeros) =>
            [.. Enumerable.Range(0, 40).Select(i => new DrawnNet(flow + spread * Math.Sin(12.9898 * i), zeros + 0.01 * Math.Sin(i)))];
        return new(DeepNets: new(30, 64, Draws(kaiming, 0.5), Draws(xavier, 0.5), Draws(linear, 0)));
    }

    private static StudyMeasurement Elements(double leaky, double elu, double spread)
    {
        ElementTimes Times(string name, double seconds, int seed) => new(name,
            [.. Enumerable.Range(0, 30).Select(i => 1e-9 * seconds * Math.Exp(spread * Math.Sin(12.9898 * i * seed + seed)))]);
        return new(ElementTimes: [Times("relu", 1, 1), Times("leaky_relu", leaky, 2), Times("elu", elu, 3)]);
    }

    private static (string, IReadOnlyList<StatementReport>) Knee(string expected, Net none, Func<double, Net> net)
    {
        string[] penalties = ["0.001", "0.003", "0.01", "0.02", "0.03", "0.05", "0.1", "0.15"];
        double[] zeros = [0.62, 0.65, 0.7, 0.78, 0.84, 0.9, 0.95, 0.98];
        var nets = penalties.Zip(zeros).ToDictionary(arm => $"l1 {arm.First}", arm => net(arm.Second) with { Zeros = arm.Second });
        nets["no penalty"] = none;
        return Of(expected, new SparsityKnee(), nets);
    }

    private static (string, IReadOnlyList<StatementReport>) Slopes(string expected, double steep, double learned, double slope,
        double spread) =>
        Of("slope-sweep", expected, (arm, noise) => new(Test: (arm == "slope 0.6" ? steep : arm == "prelu" ? learned : 0.9)
            + spread * noise, Validation: arm == "slope 0.1" ? 0.95 : 0.9, Slope: arm == "prelu" ? slope + 0.01 * noise : null));

    /// <summary>Both functions at their largest scale.</summary>
    private static (string, IReadOnlyList<StatementReport>) Squashing(string expected, Net most) =>
        Of(expected, new Saturation(), new() { ["tanh x5, gain 4"] = most, ["sigmoid x5, gain 8"] = most }, layers: 5);

    private static (string, IReadOnlyList<StatementReport>) Dropout(string expected, double gain, double others, double noise) =>
        Of(expected, new DropoutVsSparsity(), (from penalty in new[] { "no penalty", "l1 0.003", "l1 0.01", "l1 0.03" }
                                               from rate in new[] { "", ", dropout 0.2", ", dropout 0.5" }
                                               select (penalty, rate)).ToDictionary(arm => arm.penalty + arm.rate, arm => new Net
                                               {
                                                   Zeros = arm.penalty == "no penalty" ? 0.5 : 0.75,
                                                   Noise = arm.rate.Length > 0 ? noise : 0.001,
                                                   Test = 0.9 + (arm.rate.Length == 0 ? 0
                                                       : arm is ("l1 0.03", ", dropout 0.5") ? gain : others),
                                               }));

    private static (string, IReadOnlyList<StatementReport>) Layers(string expected, Net one, Net half, int seeds = 16) =>
        Of(expected, new DeadLayers(), new()
        {
            ["healthy"] = new() { Noise = 0.003 },
            ["half of one layer dead"] = half,
            ["one layer dead"] = one,
            ["all layers dead"] = Chance with { DeadLayers = [0, 1, 2] },
        }, seeds: seeds, layers: 3);

    private static (string, IReadOnlyList<StatementReport>) Widths(string sign, Net relu)
    {
        int[] widths = [4, 8, 32, 128];
        var nets = widths.SelectMany(width => new (string Name, Net Net)[]
        {
            ($"relu {width}", relu with { Dead = 0 }), ($"leaky_relu {width}", new() { Zeros = 0, Dead = 0 }),
        }).ToDictionary(arm => arm.Name, arm => arm.Net);
        return Of(string.Join(" ", widths.Select(width => $"C5a-{width}{sign} C5b-{width}{sign}")), new Capacity(), nets);
    }
}
