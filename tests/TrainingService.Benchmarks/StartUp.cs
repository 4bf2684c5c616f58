using TrainingService.Engine.Training;

namespace TrainingService.Benchmarks;

/// <summary>From specs to a network that can take its first step: checks, buffers and initial weights of 1 M parameters.</summary>
internal static class StartUp
{
    public static int Run(string[] args)
    {
        _ = new Options(args);
        var net = new Net("1M", [784, 768, 512, 10], 128);
        var data = net.Data();
        var times = new List<double>();
        for (var i = 0; i < 15; i++)
        {
            var start = Clock.Cpu();
            using var trainer = new Trainer(net.Plan(), data);
            times.Add(Clock.Cpu() - start);
        }
        Console.WriteLine($"{net.Plan().ParameterCount:N0} parameters: {Clock.Median(times) * 1e3:F1} ms");
        return 0;
    }
}
