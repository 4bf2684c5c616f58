namespace TrainingService.Benchmarks;

/// <summary>What the second core brings: to two runs beside each other, and to one run with two threads.</summary>
internal static class Scaling
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "net", "seconds", "rounds");
        var net = Net.Named(options.Text("net", "xl"));
        var seconds = options.Number("seconds", 1);
        List<double> runs = [], threads = [];
        for (var round = 0; round < (int)options.Number("rounds", 7); round++)
        {
            var alone = WallPerStep(1);
            var pair = new[] { 0.0, 0.0 };
            Parallel.For(0, 2, new ParallelOptions { MaxDegreeOfParallelism = 2 }, i => pair[i] = WallPerStep(1));
            runs.Add(alone / pair[0] + alone / pair[1]);
            threads.Add(alone / WallPerStep(2));
        }
        Console.WriteLine($"{net.Name}: two runs {Clock.Median(runs):F2}, two threads {Clock.Median(threads):F2} "
            + "times one run's samples per second");
        return 0;

        double WallPerStep(int count)
        {
            var steps = 0;
            using var trainer = new Engine.Training.Trainer(net.Plan(), net.Data(), count);
            using var done = new CancellationTokenSource();
            double begin = 0, end = 0;
            trainer.AfterStep = () =>
            {
                end = Clock.Wall();
                if (++steps == 3)
                    begin = end;
                if (steps > 3 && end - begin > seconds)
                    done.Cancel();
            };
            try
            {
                trainer.Run(done.Token);
            }
            catch (OperationCanceledException)
            {
            }
            return (end - begin) / (steps - 3);
        }
    }
}
