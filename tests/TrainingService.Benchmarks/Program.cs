using System.Globalization;
using TrainingService.Benchmarks;

CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
try
{
    return args switch
    {
        ["steps", .. var rest] => Steps.Run(rest),
        ["activations", .. var rest] => ActivationCosts.Run(rest),
        ["layers", .. var rest] => LayerCosts.Run(rest),
        ["evaluation", .. var rest] => Evaluation.Run(rest),
        ["scaling", .. var rest] => Scaling.Run(rest),
        ["start", .. var rest] => StartUp.Run(rest),
        ["short", .. var rest] => ShortRuns.Run(rest),
        ["sweep", .. var rest] => Sweeps.Run(rest),
        ["diagnostics", .. var rest] => LayerEvaluations.Run(rest),
        ["parity", .. var rest] => Parity.Run(rest),
        ["kernels", .. var rest] => Kernels.Run(rest),
        _ => Usage(),
    };
}
catch (ArgumentException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}

catch (HttpRequestException e)
{
    Console.Error.WriteLine($"{e.Message}: is a service running there? deploy/run.sh starts one, --url says where it is.");
    return 2;
}

static int Usage()
{
    Console.Error.WriteLine("""
        usage: dotnet run -c Release --project tests/TrainingService.Benchmarks -- COMMAND [options]
          steps        whole training steps: --nets small,medium,large,xl,tiny,deep --optimizer sgd|adam|... --activation relu
                       --threads 1 --seconds 2 --json
          activations  every activation's step on one net over relu's: --net large --seconds 1
          layers       dropout, batch_norm and layer_norm over none: --net large --seconds 1
          evaluation   forward passes only: --net large --seconds 1
          scaling      two runs on two cores over one, and one run with two threads over one: --net xl --seconds 2
          start        from plan to first step, 1 M parameters
          diagnostics  the layers' evaluations beside the training: --nets small,... --optimizer sgd --activation relu --seconds 1
          short        whole short runs at the default cadence: --nets iris,... --epochs 10 --every N --rounds 5 --seconds 0.5
          short        whole short runs at the default cadence: --nets iris,... --epochs 10 --every N --rounds 5 --seconds 0.5
          sweep        many short runs through a running service: --url http://127.0.0.1:8080 --dataset iris --hidden 16 --epochs 10
                       --cells 500 --rounds 5 --database "connection string" --json
          parity       --file F.json: a golden file's cases, one JSON line each
          kernels      BenchmarkDotNet on the kernels, with its own options
        """);
    return 2;
}
