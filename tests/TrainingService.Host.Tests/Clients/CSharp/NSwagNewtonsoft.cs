using Made = Clients.NSwagNewtonsoft;

namespace Clients;

internal static class NSwagNewtonsoftClient
{
    public static async Task RunAsync(HttpClient http)
    {
        var api = new Made.Api(http);
        var spec = new Made.JobSpec
        {
            Dataset = new() { Name = "iris" },
            Model = new() { HiddenLayers = [16], Activation = new() { Name = Made.ActivationName.Leaky_relu, NegativeSlope = 0.1 } },
            Training = new() { Epochs = 20, Seed = 3 },
            Labels = new Dictionary<string, string> { ["client"] = "NSwagNewtonsoft" },
        };
        Program.Check((await api.ValidateJobAsync(spec)).ParameterCount > 0, "the estimate");
        var job = await api.CreateJobAsync(null, spec);
        while (job.Status is Made.JobStatus.Queued or Made.JobStatus.Running)
        {
            await Task.Delay(50);
            job = await api.GetJobAsync(job.Id, null);
        }
        Program.Check(job.Status == Made.JobStatus.Succeeded && job.Result.TestAccuracy > 0.5, $"the job: {job.Error?.Message}");
        Program.Check(job.Spec.Model.Activation.NegativeSlope == 0.1, "the job's spec");
        Program.Check((await api.GetMetricsAsync(job.Id, "loss", null, null, null, 10)).Series.Count > 0, "the curves");
        var sweep = await api.CreateSweepAsync(null, new Made.SweepSpec
        {
            Base = spec,
            Grid = new Dictionary<string, ICollection<object>> { ["/model/activation"] = ["relu", "tanh"] },
            Seeds = [1, 2],
        });
        await ReportAsync(api, sweep);
        await ReportAsync(api, await api.RunStudyAsync(Made.StudyName.ReluVsLeakyRelu, null, new() { Dataset = "iris", SeedCount = 2 }));
    }

    private static async Task ReportAsync(Made.Api api, Made.SweepResponse sweep)
    {
        while (sweep.Status is Made.JobStatus.Queued or Made.JobStatus.Running)
        {
            await Task.Delay(50);
            sweep = await api.GetSweepAsync(sweep.Id, null);
        }
        var report = await api.GetSweepReportAsync(sweep.Id);
        Program.Check(sweep.Status == Made.JobStatus.Succeeded && report.Arms.Count > 1 && report.Answer.Length > 0,
            sweep.Study ?? "the sweep");
    }
}
