using System.Globalization;
using Spectre.Console;

namespace TrainingService.Host.Hosting;

/// <summary>
/// From somebody's file to an answer and a net: brings it as a data set, asks whether leaky ReLU beats ReLU on it, tells the verdict, and
/// trains the better one on all rows. Knows no more than a client does.
/// </summary>
internal sealed class OwnDataDemo(DemoClient client, Uri service, IAnsiConsole console, string file, string target)
{
    private const string Datasets = "/api/v1/datasets", Study = "relu-vs-leaky-relu";

    /// <summary>Rows that each net of the comparison trains on, at most; the net that is kept trains on all.</summary>
    private const int Compared = 4_000;

    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(300);

    public async Task<int> Run()
    {
        if (!File.Exists(file))
            throw new DemoException($"there is no file {file}");
        await client.UntilReady();
        console.WriteLine($"Looking at {Path.GetFileName(file)} ({new FileInfo(file).Length / 1e6:N1} MB)");
        var seen = await Look();
        var dataset = await Bring(seen);
        console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"Stored as '{dataset.Name}', version {dataset.Version}: {dataset.Rows:N0} rows, "
            + $"{dataset.Features.Count:N0} columns that become {dataset.EncodedFeatures:N0} inputs, {dataset.MissingValues ?? 0:N0} "
            + $"missing values"));
        var (sweep, location) = await Ask(dataset);
        sweep = await Follow(sweep, location);
        if (sweep.Status != "succeeded")
            throw new DemoException($"the sweep {sweep.Id} ended as {sweep.Status}: {new Uri(service, location)}");
        Tell(await client.Get<DemoReportAnswer>(sweep.Links.Report));
        var (job, path) = await Keep(location);
        Addresses(dataset, sweep, location, job, path);
        return 0;
    }

    /// <summary>The better arm, trained on all rows, as a file.</summary>
    private async Task<(DemoJob Job, string Path)> Keep(string sweep)
    {
        var (job, location) = await client.Post<DemoJob>($"{sweep}/best", new { dataset = new { maxTrainExamples = (int?)null } });
        console.WriteLine("Training the better arm on all rows");
        for (; job.Status is not ("succeeded" or "failed" or "canceled"); await Task.Delay(Between))
            job = await client.Get<DemoJob>(location);
        if (job is not { Status: "succeeded", Result: { } result })
            throw new DemoException($"job {job.Id} ended as {job.Status}{(job.Error is { } error ? $": {error.Message}" : "")}");
        console.WriteLine(result.TestAccuracy is { } accuracy
            ? string.Create(CultureInfo.InvariantCulture, $"Right on {accuracy:0.0 %} of the test rows")
            : string.Create(CultureInfo.InvariantCulture, $"Root mean squared error on the test rows {result.TestRmse:G4}"));
        var folder = Environment.GetEnvironmentVariable("TRAINING_DATA_DIR") is { Length: > 0 } data ? Path.Combine(data, "models") : ".";
        var path = Path.Combine(Directory.CreateDirectory(folder).FullName, $"{Path.GetFileNameWithoutExtension(file)}.onnx");
        await client.Download($"{location}/model?format=onnx", path);
        return (job, path);
    }

    /// <summary>What the service makes of the file; what it can't use of it is left out, and told.</summary>
    private async Task<DemoInspection> Look()
    {
        using var form = Form([]);
        var (seen, _) = await client.Send<DemoInspection>(HttpMethod.Post, $"{Datasets}/inspect", form);
        if (seen.Problems.FirstOrDefault(problem => problem.Field != "/drop") is { } problem)
            throw new DemoException(problem.Message);
        foreach (var left in seen.Problems)
            console.WriteLine($"Left out, as if by drop={string.Join(",", seen.SuggestedDrop)}: {left.Message}");
        foreach (var warning in seen.Warnings)
            console.WriteLine($"Mind: {warning.Message}");
        return seen;
    }

    private async Task<DemoDataset> Bring(DemoInspection seen)
    {
        // Names of built-in data sets, which have no versions, are taken; a new version of one's own is welcome.
        var name = await client.Find<DemoDataset>($"{Datasets}/{seen.Name}") is { Version: null } ? $"own-{seen.Name}" : seen.Name;
        using var form = Form(seen.SuggestedDrop);
        return (await client.Send<DemoDataset>(HttpMethod.Put, $"{Datasets}/{name}", form)).Answer;
    }

    private MultipartFormDataContent Form(IReadOnlyList<string> drop)
    {
        var form = new MultipartFormDataContent
        {
            { new StreamContent(File.OpenRead(file)), "file", Path.GetFileName(file) },
            { new StringContent(target), "target" },
        };
        if (drop.Count > 0)
            form.Add(JsonContent.Create(drop), "drop");
        return form;
    }

    /// <summary>
    /// Two arms, seeds until it is decided: fewer nets than the study of the same question has, which tests more statements.
    /// </summary>
    private Task<(DemoSweep Answer, string Location)> Ask(DemoDataset dataset)
    {
        var isNumber = dataset.Target.Kind == "number";
        return client.Post<DemoSweep>("/api/v1/sweeps", new
        {
            name = $"{dataset.Name}: leaky ReLU against ReLU",
            @base = new
            {
                dataset = new { name = dataset.Name, maxTrainExamples = dataset.Rows > 2 * Compared ? Compared : (int?)null },
                model = new { hiddenLayers = new[] { 128, 64 }, initializer = "kaiming_normal" },
                training = new
                {
                    epochs = 15,
                    batchSize = 64,
                    optimizer = new { name = "adam", learningRate = 0.002 },
                    schedule = new { name = "cosine" },
                },
                diagnostics = new { everySteps = 1000 },
            },
            grid = new Dictionary<string, string[]> { ["/model/activation"] = ["relu", "leaky_relu"] },
            baseline = "relu",
            metric = isNumber ? "testR2" : "testAccuracy",
            delta = 0.01,
            // The net that is kept is trained on all rows.
            keepBest = false,
            seeds = new { until = "decided", atLeast = 12, atMost = 48 },
        });
    }

    private Task<DemoSweep> Follow(DemoSweep sweep, string location) => console.Profile.Capabilities.Interactive
        ? console.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var bar = context.AddTask("leaky ReLU against ReLU", maxValue: 1);
                return await Poll(sweep, location, now =>
                {
                    bar.Description = Markup.Escape(Describe(now));
                    bar.Value = now.IsEnded ? 1 : now.Progress.Fraction;
                });
            })
        : Poll(sweep, location, now => console.WriteLine(Describe(now)));

    private async Task<DemoSweep> Poll(DemoSweep sweep, string location, Action<DemoSweep> show)
    {
        // A bar moves with every job; lines come with every tenth of the way.
        var shown = "";
        for (; ; await Task.Delay(Between))
        {
            var now = console.Profile.Capabilities.Interactive ? Describe(sweep)
                : string.Create(CultureInfo.InvariantCulture, $"{sweep.Status} {(int)(10 * sweep.Progress.Fraction)}");
            if (now != shown)
                show(sweep);
            shown = now;
            if (sweep.IsEnded)
                return sweep;
            sweep = await client.Get<DemoSweep>(location);
        }
    }

    private static string Describe(DemoSweep sweep) => sweep.IsEnded ? $"leaky ReLU against ReLU: {sweep.Status}"
        : string.Create(CultureInfo.InvariantCulture,
        $"leaky ReLU against ReLU: {sweep.Progress.Finished} of at most {sweep.Progress.AtMost} nets trained");

    private void Tell(DemoReportAnswer report)
    {
        // Past the console, which would break a long line in two.
        var plain = console.Profile.Out.Writer;
        plain.WriteLine();
        plain.WriteLine(report.Answer);
        plain.WriteLine();
        foreach (var contrast in report.Contrasts)
            plain.WriteLine($"Verdict on {report.Metric}, {contrast.Arm} against {contrast.Baseline}: {contrast.Verdict}");
        plain.WriteLine();
    }

    private void Addresses(DemoDataset dataset, DemoSweep sweep, string location, DemoJob job, string path)
    {
        var plain = console.Profile.Out.Writer;
        plain.WriteLine();
        plain.WriteLine($"{"The model",-20}{path}");
        foreach (var (name, address) in new[]
        {
            ("The data set", $"{Datasets}/{dataset.Name}"), ("The sweep", location), ("Its report", sweep.Links.Report),
            ("The model's job", $"/api/v1/jobs/{job.Id}"),
        })
            plain.WriteLine($"{name,-20}{new Uri(service, address)}");
        plain.WriteLine();
        plain.WriteLine("Ask it, with rows in columns of the same names:");
        plain.WriteLine($"  head -n 4 {Path.GetFileName(file)} | curl -s {new Uri(service, $"/api/v1/jobs/{job.Id}/predictions")} "
            + "-H 'Content-Type: text/csv' --data-binary @-");
        if (dataset.Target.Kind != "number")
            plain.WriteLine($"More on the question, with slopes and tuning: POST {new Uri(service, $"/api/v1/studies/{Study}")} "
                + $"{{\"size\": \"quick\", \"dataset\": \"{dataset.Name}\"}}");
    }
}

/// <summary>What the demo reads of answers: as a client, it shares no types with the service.</summary>
internal sealed record DemoInspection(string Name, IReadOnlyList<DemoFault> Problems, IReadOnlyList<DemoFault> Warnings,
    IReadOnlyList<string> SuggestedDrop);

internal sealed record DemoFault(string? Field, string Message);

internal sealed record DemoDataset(string Name, int? Version, int Rows, IReadOnlyList<DemoFeature> Features, int EncodedFeatures,
    long? MissingValues,
    DemoTarget Target);

internal sealed record DemoFeature(string Name);

internal sealed record DemoTarget(string Name, string Kind);

internal sealed record DemoSweep(Guid Id, string Status, DemoSweepProgress Progress, DemoSweepLinks Links)
{
    public bool IsEnded => Status is "succeeded" or "failed" or "canceled";
}

internal sealed record DemoSweepProgress(int Finished, int AtMost, double Fraction);

internal sealed record DemoSweepLinks(string Report);

internal sealed record DemoReportAnswer(string Answer, string Metric, IReadOnlyList<DemoContrast> Contrasts);

internal sealed record DemoContrast(string Arm, string Baseline, string Verdict);
