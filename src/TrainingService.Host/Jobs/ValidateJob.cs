using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Findings;
using TrainingService.Host.Http;

namespace TrainingService.Host.Jobs;

/// <summary>What a job would be and need, as validation answers it.</summary>
/// <param name="Spec">Canonical names, every default filled in.</param>
/// <param name="ParameterCount">Trainable numbers: weights, biases, learned slopes.</param>
/// <param name="MemoryBytes">Most memory that the run will need, its checkpoints included.</param>
/// <param name="StoredBytes">What its measurements will take in the database, about.</param>
/// <param name="Steps">Optimiser steps of the whole run.</param>
/// <param name="EstimatedSeconds">Rough wall time on one idle core, without the time in the queue.</param>
/// <param name="Preflight">What is to be expected of the layers before the first step.</param>
/// <param name="Findings">What the rules find in that, each with a change that helps.</param>
/// <param name="Notes">What will be done otherwise than the spec lets one expect, a sentence each.</param>
public sealed record JobEstimate(JobSpec Spec, long ParameterCount, long MemoryBytes, long StoredBytes,
    long Steps, double EstimatedSeconds, Preflight Preflight, IReadOnlyList<Finding> Findings,
    IReadOnlyList<string> Notes);

public static class ValidateJob
{
    /// <summary>Check a job without submitting it</summary>
    /// <remarks>
    /// Answers with the resolved spec, what the run would need, and what is to be expected of its layers. Nothing is stored. A spec that
    /// breaks a rule is answered as <c>POST /jobs</c> answers it.
    /// </remarks>
    /// <param name="body">What to train; only `dataset` is required.</param>
    /// <response code="200">What the job would be and need.</response>
    public static Results<Ok<JobEstimate>, ProblemHttpResult> Handle(JsonBody<JobSpec> body, JobRules rules, DatasetRegistry datasets,
        CancellationToken cancellation) =>
        CreateJob.IsAccepted(rules, body.Value, out var job, out var problem)
            ? TypedResults.Ok(Estimate(job, datasets, cancellation)) : problem;

    public static JobEstimate Estimate(CheckedJob job, DatasetRegistry datasets, CancellationToken cancellation)
    {
        var plan = job.Plan;
        var data = datasets.Load(job.Spec.Dataset, plan.Training.Seed);
        var preflight = Preflight.Predict(plan, data, cancellation);
        return new(job.Spec, plan.ParameterCount, job.MemoryBytes, job.StoredBytes, plan.Steps, Math.Round(CreateJob.Seconds(plan), 3),
            preflight, PreflightFindings.Of(plan, preflight, CreateJob.Facts(job.Spec, plan, data, datasets)), plan.Notes);
    }
}
