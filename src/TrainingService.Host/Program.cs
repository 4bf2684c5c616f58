using TrainingService.Host.Access;
using TrainingService.Host.Catalog;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Events;
using TrainingService.Host.Hosting;
using TrainingService.Host.Hosting.OpenApi;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Models;
using TrainingService.Host.Pages;
using TrainingService.Host.Reports;
using TrainingService.Host.Settings;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Uploads;
using TrainingService.Host.Webhooks;
using TrainingService.Host.Worker;

if (Commands.Find(args) is { } command)
    return await command();

try
{
    var role = Role.Parse(args);
    // Settings are read once; to watch their files is to watch every folder below the one that the service was started in.
    var builder = WebApplication.CreateBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
    var worker = WorkerOptions.Read(builder.Configuration);

    builder.AddLogs();
    builder.BindAddresses(role);
    builder.AddDatabase(worker.Lease / 2);
    builder.AddJson();
    builder.AddProblems();
    builder.AddAccess();
    builder.AddOpenApiDocument();
    builder.AddHealth(role);
    builder.AddObservability(role);
    builder.AddCompression();
    builder.AddDatasets();
    builder.AddUploads();
    builder.AddJobs();
    builder.AddModels();
    builder.AddSweeps();
    builder.AddStudies();
    builder.AddEvents();
    builder.AddJobQueue();
    if (role.ServesApi)
    {
        builder.AddPages();
        builder.AddWebhooks();
    }
    if (role.RunsWorker)
    {
        builder.AddWorker(worker);
        builder.AddJobsBesideWorkers();
        builder.AddSweepsBesideWorkers();
        builder.AddModelsBesideWorkers();
    }

    var app = builder.Build();

    app.UseResponseCompression();
    app.UsePageHeaders();
    app.UseAudit();
    app.UseProblems();
    app.UseDatabaseFaults();
    app.UseHosts();
    app.UseSameOrigin();
    app.UseHeads();
    app.UseRouting();
    if (role.ServesApi)
        app.MapOpenApiDocument();
    app.UseAccess();
    if (role.ServesApi)
    {
        app.MapDashboard();
        app.MapPages();
        var api = app.MapGroup("/api/v1").RefuseUnknownQueryParameters();
        api.MapJobs();
        api.MapMetrics();
        api.MapModels();
        api.MapSweeps();
        api.MapStudies();
        api.MapDatasets();
        api.MapUploads();
        api.MapCatalog();
        api.MapReports();
        api.MapEvents();
        api.MapWebhooks();
        api.MapKeys();
    }
    app.MapHealth();
    app.MapMetricsEndpoint();

    return await app.RunRole(role);
}
catch (StartRefusedException refusal)
{
    await Console.Error.WriteLineAsync(refusal.Message);
    return 1;
}
