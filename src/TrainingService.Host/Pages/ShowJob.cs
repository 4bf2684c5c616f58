using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Events;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Pages;

public static class ShowJob
{
    public static async Task<IResult> Handle(Guid id, HttpContext http, TrainingDbContext db, JobRules rules, DatasetRegistry datasets,
        JobEvents events, CancellationToken cancellation)
    {
        // before what is shown, so that nothing in between is missed
        var told = await events.NowAsync(id, cancellation);
        var found = await GetJob.Handle(id, http, db, cancellation);
        if (found.Result is not Ok<JobResponse> { Value: { } job })
            return found.Result;
        var findings = await GetFindings.Handle(id, http, db, cancellation);
        var preflight = await GetPreflight.Handle(id, http, db, rules, datasets, cancellation);
        return new PageResult<JobPage>(new()
        {
            [nameof(JobPage.Job)] = job,
            [nameof(JobPage.Told)] = told?.Of(id),
            [nameof(JobPage.Findings)] = findings.Result is Ok<Page<Finding>> { Value.Items: { } items } ? items : [],
            [nameof(JobPage.Preflight)] = (preflight.Result as Ok<PreflightComparison>)?.Value,
        });
    }
}
