using System.Text.Json;

namespace TrainingService.Benchmarks;

internal static class Steps
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "nets", "optimizer", "activation", "threads", "seconds", "json");
        string optimizer = options.Text("optimizer", "sgd"), activation = options.Text("activation", "relu");
        var threads = (int)options.Number("threads", 1);
        foreach (var net in options.Text("nets", string.Join(',', Net.All.Select(n => n.Name))).Split(',').Select(Net.Named))
        {
            var m = Measurement.Of(net, net.Plan(optimizer, activation), threads, options.Number("seconds", 2));
            var flops = net.StepOperations / m.SecondsPerStep;
            Console.WriteLine(options.Has("json")
                ? JsonSerializer.Serialize(new
                {
                    net = net.Name,
                    batch = net.Batch,
                    optimizer,
                    activation,
                    threads,
                    microsecondsPerStep = Math.Round(m.SecondsPerStep * 1e6, 3),
                    samplesPerSecond = Math.Round(net.Batch / m.SecondsPerStep),
                    gflops = Math.Round(flops / 1e9, 2),
                    peakGflops = Math.Round(m.Peak / 1e9, 2),
                    fractionOfPeak = Math.Round(flops / m.Peak, 4),
                    diagnostics = true,
                    allocatedBytesPerStep = Math.Round(m.AllocatedBytesPerStep, 1),
                })
                : $"{net.Name,-7} {m.SecondsPerStep * 1e6,10:F1} us/step {net.Batch / m.SecondsPerStep,12:N0} "
                    + $"samples/s {flops / 1e9,7:F1} GFLOP/s {flops / m.Peak,6:P0} of peak {m.AllocatedBytesPerStep,6:F0} B/step");
        }
        return 0;
    }
}
