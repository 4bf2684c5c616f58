using System.Globalization;
using Spectre.Console;

namespace TrainingService.Host.Hosting;

/// <summary>
/// From somebody's file to an answer: brings it as a data set, asks whether leaky ReLU beats ReLU on it, and tells the verdict. Knows no
/// more than a client does.
/// </summary>
internal sealed class OwnDataDemo(DemoClient client, Uri service, IAnsiConsole console, string file, string target)
{
    private const string Datasets = "/api/v1/datasets", Study = "relu-vs-leaky-relu";
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
        Tell(await client.Get<DemoReportAnswer>(sweep.Links.Report), dataset, sweep, location);
        return 0;
    }

    /// <summary>What the service makes of the file; what it can't use of it is left out, and told.</summary>
    private async Task<DemoInspection> Look()
    {
        using var form = Form([]);
        var (seen, _) = await client.Send<DemoInspection>(HttpMethod.Post, $"{Datasets}?dryRun=true", form);
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

    /// <summary>The study, which compares classes; a number is asked of in a sweep of the same arms.</summary>
    private Task<(DemoSweep Answer, string Location)> Ask(DemoDataset dataset) => dataset.Target.Kind == "number"
        ? client.Post<DemoSweep>("/api/v1/sweeps", new
        {
            name = $"{dataset.Name}: leaky ReLU against ReLU",
            @base = new
            {
                dataset = new { name = dataset.Name, maxTrainExamples = dataset.Rows > 4000 ? 2000 : (int?)null },
                training =
                new { epochs = 30 }
            },
            grid = new Dictionary<string, string[]> { ["/model/activation"] = ["relu", "leaky_relu"] },
            baseline = "relu",
            seedCount = 12,
        })
        : client.Post<DemoSweep>($"/api/v1/studies/{Study}", new { size = "quick", dataset = dataset.Name });

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

    private void Tell(DemoReportAnswer report, DemoDataset dataset, DemoSweep sweep, string location)
    {
        // Past the console, which would break a long line in two.
        var plain = console.Profile.Out.Writer;
        plain.WriteLine();
        plain.WriteLine(report.Answer);
        plain.WriteLine();
        foreach (var contrast in report.Contrasts)
            plain.WriteLine($"Verdict on {report.Metric}, {contrast.Arm} against {contrast.Baseline}: {contrast.Verdict}");
        plain.WriteLine();
        foreach (var (name, path) in new[]
        {
            ("The data set", $"{Datasets}/{dataset.Name}"), ("The sweep", location), ("Its report", sweep.Links.Report),
        })
            plain.WriteLine($"{name,-20}{new Uri(service, path)}");
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
