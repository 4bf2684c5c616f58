using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;

namespace TrainingService.Benchmarks;

/// <summary>Whole short runs with the default cadence: what they take, what of it is diagnostics, and what they allocate.</summary>
internal static class ShortRuns
{
    private static readonly (string Name, int Features, int Classes, int Rows, int Held, int[] Hidden)[] All =
    [
        ("iris", 4, 3, 108, 12, [16]),
        ("wine", 13, 3, 128, 14, [32]),
        ("digits", 64, 10, 1294, 143, [64]),
        ("digits2", 64, 10, 1294, 143, [256, 128]),
    ];

    public static int Run(string[] args)
    {
        var options = new Options(args, "nets", "epochs", "every", "rounds", "seconds");
        var every = options.Has("every") ? (int?)options.Number("every", 1) : null;
        var rounds = (int)options.Number("rounds", 5);
        foreach (var (name, features, classes, rows, held, hidden) in All.Where(net => !options.Has("nets")
            || options.Text("nets", "").Split(',').Contains(net.Name)))
        {
            var data = Data(features, classes, rows, held);
            var errors = new List<SpecError>();
            var plan = RunPlan.Check(new() { HiddenLayers = hidden }, new() { Epochs = (int)options.Number("epochs", 10) },
                new() { EverySteps = every }, data.Shape, errors) ?? throw new ArgumentException(errors[0].Message);
            List<double> whole = [], training = [], measuring = [];
            long bytes = 0, points = 0;
            var sha256 = "";
            for (var round = 0; round < rounds; round++)
            {
                var end = Clock.Wall() + options.Number("seconds", 0.5);
                for (long seed = 0; Clock.Wall() < end; seed++)
                {
                    var (before, began) = (GC.GetAllocatedBytesForCurrentThread(), Clock.Cpu());
                    points = 0;
                    using var trainer = new Trainer(plan.WithSeed(seed), data) { OnLayers = _ => points++ };
                    var result = trainer.Run(CancellationToken.None);
                    whole.Add(Clock.Cpu() - began);
                    bytes = GC.GetAllocatedBytesForCurrentThread() - before;
                    sha256 = seed == 0 ? result.WeightsSha256[..8] : sha256;
                    measuring.Add(result.DiagnosticsSeconds);
                    training.Add(result.Seconds - measuring[^1]);
                }
            }
            Console.WriteLine($"{name,-8} {plan.Steps,5} steps, {points,3} points: {Clock.Median(whole) * 1e6,7:F0} us a run, trains "
                + $"{Clock.Median(training) * 1e6,7:F0}, measures {Clock.Median(measuring) * 1e6,6:F0}: "
                + $"{Clock.Median([.. measuring.Zip(training, (m, t) => m / t)]),6:P1}; {bytes,9:N0} bytes; weights {sha256}");
        }
        return 0;
    }

    private static TrainingData Data(int features, int classes, int rows, int held)
    {
        var random = new Random(1);
        DataSplit Split(int count)
        {
            int[] labels = [.. Enumerable.Range(0, count).Select(i => i * 7 % classes)];
            return new(count, [.. labels.SelectMany(label => Enumerable.Range(0, features)
                .Select(feature => (float)(feature % classes == label ? 1 : 0) + (float)random.NextDouble()))], labels, []);
        }
        return new(new(features, TargetKind.Classes, classes, rows, held, held), Split(rows), Split(held), Split(held));
    }
}
