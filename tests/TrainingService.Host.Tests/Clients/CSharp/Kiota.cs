using Clients.Kiota;
using Clients.Kiota.Models;
using Microsoft.Kiota.Abstractions.Authentication;
using Microsoft.Kiota.Abstractions.Serialization;
using Microsoft.Kiota.Http.HttpClientLibrary;

namespace Clients;

internal static class KiotaMadeClient
{
    public static async Task RunAsync(HttpClient http)
    {
        using var adapter = new HttpClientRequestAdapter(new AnonymousAuthenticationProvider(), httpClient: http)
        {
            BaseUrl = http.BaseAddress!.ToString().TrimEnd('/'),
        };
        var api = new ServiceClient(adapter).Api.V1;
        var spec = new JobSpec
        {
            Dataset = new() { DatasetSpec = new() { Name = "iris" } },
            Model = new() { HiddenLayers = [16], Activation = new() { String = "leaky_relu" } },
            Training = new() { Epochs = 20 },
        };
        Program.Check((await api.Jobs.Validate.PostAsync(spec))?.ParameterCount > 0, "the estimate");
        var job = await api.Jobs.PostAsync(spec);
        while (job?.Status is JobStatus.Queued or JobStatus.Running)
        {
            await Task.Delay(50);
            job = await api.Jobs[job.Id!.Value].GetAsync();
        }
        Program.Check(job?.Status == JobStatus.Succeeded && job.Result?.TestAccuracy > 0.5, $"the job: {job?.Error?.Message}");
        var activations = new UntypedArray([new UntypedString("relu"), new UntypedString("tanh")]);
        await ReportAsync(api, await api.Sweeps.PostAsync(new()
        {
            Base = spec,
            Grid = new() { AdditionalData = new Dictionary<string, object> { ["/model/activation"] = activations } },
            SeedCount = 2,
        }));
        await ReportAsync(api, await api.Studies["relu-vs-leaky-relu"].PostAsync(new() { Dataset = "iris", SeedCount = 2 }));
    }

    private static async Task ReportAsync(Kiota.Api.V1.V1RequestBuilder api, SweepResponse? sweep)
    {
        while (sweep?.Status is JobStatus.Queued or JobStatus.Running)
        {
            await Task.Delay(50);
            sweep = await api.Sweeps[sweep.Id!.Value].GetAsync();
        }
        var report = await api.Sweeps[sweep!.Id!.Value].Report.GetAsync();
        Program.Check(sweep.Status == JobStatus.Succeeded && report?.Arms?.Count > 1 && report.Answer?.Length > 0,
            sweep.Study ?? "the sweep");
    }
}
