using TrainingService.Engine.Layers;
using TrainingService.Engine.Training;

namespace TrainingService.Benchmarks;

/// <summary>Forward passes without training, in batches of the network's capacity.</summary>
internal static class Evaluation
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "net", "seconds");
        var net = Net.Named(options.Text("net", "large"));
        var data = net.Data();
        using var trainer = new Trainer(net.Plan(), data);
        Network network = trainer.Network;
        var rows = Enumerable.Range(0, network.Capacity).ToArray();
        var fractions = new List<double>();
        for (var end = Clock.Wall() + options.Number("seconds", 1); Clock.Wall() < end;)
        {
            var start = Clock.Cpu();
            var passes = 0;
            for (; Clock.Cpu() - start < 0.03; passes++)
            {
                network.Load(data.Train, rows);
                network.Forward();
            }
            fractions.Add(passes * net.RowOperations * rows.Length / (Clock.Cpu() - start) / Clock.Peak());
        }
        Console.WriteLine($"{net.Name}: {Clock.Median(fractions):P1} of peak");
        return 0;
    }
}
