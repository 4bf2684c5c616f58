using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

public static class ValidateStudy
{
    /// <summary>Check a study on one's data without running it</summary>
    /// <remarks>
    /// Answers with the sweep that it would run, what that would take, and what it could not find out. What <c>POST /studies/{name}</c>
    /// would refuse is refused in the same words.
    /// </remarks>
    /// <param name="name">The study's name.</param>
    /// <param name="body">How to run it; without a body it is a quick one.</param>
    /// <response code="200">What its sweep would be and take.</response>
    public static async Task<Results<Ok<SweepEstimate>, ProblemHttpResult>> Handle(string name, JsonBody<StudySpec> body,
        TrainingDbContext db, SweepRules rules, DatasetRegistry datasets, CancellationToken cancellation)
    {
        if (StudyCatalog.Find(name) is not { } study)
            return ListStudies.Unknown(name);
        var errors = new List<SpecError>();
        return RunStudy.Check(study, body.Value, rules, datasets, errors) is { } plan
            ? TypedResults.Ok(await ValidateSweep.EstimateAsync(plan, rules, db, cancellation)) : Problems.Invalid(errors);
    }
}
