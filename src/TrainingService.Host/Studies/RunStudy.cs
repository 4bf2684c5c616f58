using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>How a study is to be run.</summary>
public sealed record StudySpec
{
    /// <summary>
    /// <c>quick</c> (default, under two minutes on two cores; of more than 2,000 training rows it takes 1,000) or <c>full</c>.
    /// </summary>
    public StudySize? Size { get; init; }

    /// <summary>Name of a data set with classes. Default: digits for quick; fashion-mnist, where it is installed, for full.</summary>
    [Length(1, Examples = ["digits", "wine"])]
    public string? Dataset { get; init; }

    /// <summary>Seeds of each arm. Default: the study's own number, or as many as it takes to decide.</summary>
    [Within(1, SweepRules.MaxCells)]
    public int? SeedCount { get; init; }

    /// <summary>Who may read the sweep beside its owner and admins: <c>private</c> (default) or <c>everyone</c> who has a key.</summary>
    public Visibility? Visibility { get; init; }

    /// <summary>Address that is told when the sweep ends, and each time it does (Standard Webhooks).</summary>
    [Any(Examples = ["https://example.org/hooks/training"])]
    public string? NotifyUrl { get; init; }
}

public static class RunStudy
{
    /// <summary>Run a study</summary>
    /// <remarks>
    /// Starts the study's sweep and answers with it; <c>/sweeps/{id}/report</c> then has the answer, the claims and the evidence.
    /// </remarks>
    /// <param name="name">The study's name.</param>
    /// <param name="body">How to run it; without a body it is a quick one.</param>
    /// <response code="202">The study's sweep.</response>
    public static async Task<Results<Accepted<SweepResponse>, ProblemHttpResult>> Handle(string name, JsonBody<StudySpec> body,
        [FromHeader(Name = Idempotency.Header)] string? idempotencyKey, HttpContext http, TrainingDbContext db,
        SweepRules rules, DatasetRegistry datasets, WakeUps wakeUps, TimeProvider clock, CancellationToken cancellation)
    {
        if (StudyCatalog.Find(name) is not { } study)
            return ListStudies.Unknown(name);
        await using var once = await Idempotency.Begin(db, http, idempotencyKey, body.Value, cancellation);
        if (once.Answered<SweepResponse>() is { } replay)
            return replay;
        var errors = new List<SpecError>();
        return Check(study, body.Value, rules, datasets, errors) is { } accepted
            ? await CreateSweep.Store(accepted, study.Name, Json.NameOf(body.Value.Size ?? StudySize.Quick), body.Value.Visibility,
                body.Value.NotifyUrl, once, http, db, rules, wakeUps, clock, cancellation)
            : Problems.Invalid(errors);
    }

    /// <summary>Its sweep; null if that can't be, for the errors that are added.</summary>
    public static SweepPlan? Check(Study study, StudySpec asked, SweepRules rules, DatasetRegistry datasets, List<SpecError> errors)
    {
        var size = asked.Size ?? StudySize.Quick;
        var dataset = asked.Dataset ?? DefaultDataset(size, datasets);
        var found = datasets.Find(dataset);
        if (found is null)
            errors.Add(new("/dataset", datasets.Unknown(dataset)));
        else if (found.FindObstacle() is { } obstacle)
            errors.Add(new("/dataset", obstacle));
        else if (found.TargetKind != TargetKind.Classes)
            errors.Add(new("/dataset", $"the study compares accuracies, and '{dataset}' has numbers to predict, not classes; a sweep of "
                + $"your own may compare R2, such as POST /api/v1/sweeps with {{\"base\": {{\"dataset\": \"{dataset}\"}}, "
                + "\"grid\": {\"/model/activation\": [\"relu\", \"leaky_relu\"]}, "
                + "\"baseline\": \"relu\", \"metric\": \"testR2\", \"seedCount\": 16}"));
        if (asked.SeedCount is < 1 or > SweepRules.MaxCells)
            errors.Add(new("/seedCount", $"must be from 1 to {SweepRules.MaxCells:N0}, not {asked.SeedCount}"));
        rules.NotifyUrl(asked.NotifyUrl, errors);
        if (errors.Count > 0)
            return null;
        var unfit = new List<SpecError>();
        var plan = rules.Check(study.Sweep(size, dataset, asked.SeedCount, found?.TrainRows), unfit);
        // The study's own request is sound, so it is the data that doesn't suit it.
        errors.AddRange(unfit.Select(
            error => new SpecError("/dataset", $"'{dataset}' does not suit this study: {error.Pointer}: {error.Message}")));
        return plan;
    }

    public static string DefaultDataset(StudySize size, DatasetRegistry datasets) =>
        size == StudySize.Full && datasets.Find("fashion-mnist") is { } fashion && fashion.FindObstacle() is null ? fashion.Name : "digits";
}
