using TrainingService.Engine.Activations;

namespace TrainingService.Benchmarks;

/// <summary>
/// What an activation, or a layer beside it, costs a whole training step; rounds interleave so that a disturbance hits all alike.
/// </summary>
internal static class ActivationCosts
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "net", "seconds", "rounds");
        var net = Net.Named(options.Text("net", "large"));
        var names = ActivationRegistry.All.Select(a => a.Name).Where(n => n != "relu").Prepend("relu").ToArray();
        Ratios.Print(names, name => Measurement.Of(net, net.Plan(activation: name), 1, options.Number("seconds", 0.3)).SecondsPerStep,
            (int)options.Number("rounds", 7));
        return 0;
    }
}

/// <summary>Dropout and norms over none.</summary>
internal static class LayerCosts
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "net", "seconds", "rounds");
        var net = Net.Named(options.Text("net", "large"));
        Ratios.Print(["none", "dropout", "batch_norm", "layer_norm"],
            name => Measurement.Of(net, net.Plan(normalization: name is "none" or "dropout" ? "none" : name,
                dropout: name == "dropout" ? 0.5 : 0), 1, options.Number("seconds", 0.3))
                .SecondsPerStep, (int)options.Number("rounds", 7));
        return 0;
    }
}

internal static class Ratios
{
    /// <summary>Prints the median over rounds of each name's time over the first one's in the same round.</summary>
    public static void Print(string[] names, Func<string, double> seconds, int rounds)
    {
        var ratios = names.ToDictionary(n => n, _ => new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            var baseline = seconds(names[0]);
            foreach (var name in names)
                ratios[name].Add(name == names[0] ? 1 : seconds(name) / baseline);
        }
        foreach (var name in names)
            Console.WriteLine($"{name,-14} {Clock.Median(ratios[name]):F3}");
    }
}
