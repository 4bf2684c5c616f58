using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Training;

namespace TrainingService.Benchmarks;

/// <summary>What the layers' evaluations cost beside the training, and what cadence the default would be.</summary>
internal static class LayerEvaluations
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "nets", "optimizer", "activation", "seconds");
        var seconds = options.Number("seconds", 1);
        string optimizer = options.Text("optimizer", "sgd"), activation = options.Text("activation", "relu");
        foreach (var net in options.Text("nets", string.Join(',', Net.All.Select(n => n.Name))).Split(',').Select(Net.Named))
        {
            var plan = net.Plan(optimizer, activation);
            var standard = Check(plan, new());
            using var trainer = new Trainer(Check(plan, new() { EverySteps = 20 }), net.Data());
            using var done = new CancellationTokenSource();
            double steps = 0, training = 0, evaluations = 0, evaluating = 0, since = Clock.Cpu(), stepped = 0, end = Clock.Wall() + seconds;
            var warm = false;
            // a step's callback comes after its evaluation, if it has one
            trainer.OnLayers = _ =>
            {
                var now = Clock.Cpu();
                if (warm && stepped > 0)
                    (evaluations, evaluating) = (evaluations + 1, evaluating + now - stepped);
            };
            trainer.OnMetric = _ => stepped = Clock.Cpu();
            trainer.AfterStep = () =>
            {
                if (trainer.Progress.Step % 20 != 0)
                    return;
                if (warm)
                    (steps, training) = (steps + 20, training + stepped - since);
                warm = trainer.Progress.Step >= 100;
                if (Clock.Wall() > end)
                    done.Cancel();
                since = Clock.Cpu();
            };
            try
            {
                trainer.Run(done.Token);
            }
            catch (OperationCanceledException)
            {
            }
            double step = training / steps, evaluation = evaluating / evaluations;
            Console.WriteLine($"{net.Name,-7} {step * 1e6,9:F1} us/step {evaluation * 1e6,9:F1} us/evaluation: "
                + $"{evaluation / step,6:F1} steps, every 100 steps {evaluation / step / 100,6:P1}, "
                + $"by default every {standard.Diagnostics.EverySteps} steps {evaluation / step / standard.Diagnostics.EverySteps,6:P1}");
        }
        return 0;
    }

    private static RunPlan Check(RunPlan plan, DiagnosticsSpec diagnostics) =>
        RunPlan.Check(plan.Model.Spec, plan.Training.Spec, diagnostics, plan.Data, [])!;
}
