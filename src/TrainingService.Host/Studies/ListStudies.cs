using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Specs;
using TrainingService.Host.Datasets;
using TrainingService.Host.Http;
using TrainingService.Host.Sweeps;

namespace TrainingService.Host.Studies;

/// <summary>A study as clients see it.</summary>
/// <param name="Name">For <c>/studies/{name}</c>.</param>
/// <param name="Question">What it answers.</param>
/// <param name="Method">What is measured, and by which statistic it is judged.</param>
/// <param name="Claims">The claims that it bears on.</param>
/// <param name="Sizes">What it costs.</param>
public sealed record StudyResponse(string Name, string Question, string Method,
    IReadOnlyList<StudyClaimResponse> Claims, IReadOnlyList<StudySizeResponse> Sizes);

/// <summary>A claim before it is tested.</summary>
/// <param name="Id">C1 to C12.</param>
/// <param name="Claim">The claim in one sentence.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Literature">What the literature leads one to expect. Not a result of this service.</param>
/// <param name="Statements">What the claim says, each of which can come out true, false or open; (a) is the first.</param>
public sealed record StudyClaimResponse(string Id, string Claim, string Source, string? Literature, IReadOnlyList<string> Statements);

/// <summary>A study in one size.</summary>
/// <param name="Size">quick or full.</param>
/// <param name="Dataset">The data unless the request says otherwise.</param>
/// <param name="Arms">Number of arms.</param>
/// <param name="Seeds">Seeds of each arm, at most, unless the request says otherwise.</param>
/// <param name="SeedsAtLeast">Seeds at which a study that runs until decided may stop at the earliest; else the same.</param>
/// <param name="Cells">Arms times seeds.</param>
/// <param name="Sweep">The sweep that it runs; only in the answer about one study.</param>
public sealed record StudySizeResponse(StudySize Size, string Dataset, int Arms, int Seeds, int SeedsAtLeast, int Cells, SweepSpec? Sweep);

public static class ListStudies
{
    /// <summary>List the built-in studies</summary>
    /// <remarks>
    /// Each tests claims that are often repeated, on data of one's own: a question, the sweep that answers it,
    /// and how its figures are read.
    /// </remarks>
    /// <response code="200">All studies.</response>
    public static Ok<Page<StudyResponse>> Handle(DatasetRegistry datasets) =>
        TypedResults.Ok(new Page<StudyResponse>([.. StudyCatalog.All.Select(study => Response(study, datasets, withSweep: false))], null));

    /// <summary>A study, its claims and the sweep that it runs</summary>
    /// <remarks>
    /// The sweep can be POSTed to <c>/sweeps</c> as it is, or changed; only the reading of the claims is the study's own.
    /// </remarks>
    /// <param name="name">The study's name.</param>
    /// <response code="200">The study.</response>
    public static Results<Ok<StudyResponse>, ProblemHttpResult> Get(string name, DatasetRegistry datasets) =>
        StudyCatalog.Find(name) is { } study
            ? TypedResults.Ok(Response(study, datasets, withSweep: true)) : Unknown(name);

    public static ProblemHttpResult Unknown(string name) => Problems.NotFound(
        $"There is no study '{name}'{Names.DidYouMean(name, StudyCatalog.All.Select(study => study.Name))}; "
        + $"GET {StudyRoutes.Root} lists them.");

    private static StudyResponse Response(Study study, DatasetRegistry datasets, bool withSweep) => new(study.Name, study.Question,
        study.Method, [.. study.Claims.Select(claim =>
            new StudyClaimResponse(claim.Id, claim.Text, claim.Source, claim.Literature, claim.Statements))],
        [.. Enum.GetValues<StudySize>().Select(size =>
        {
            var dataset = RunStudy.DefaultDataset(size, datasets);
            var sweep = study.Sweep(size, dataset, null, datasets.Find(dataset)?.TrainRows);
            var (arms, seeds) = (sweep.Arms?.Count ?? SweepRules.Combinations(sweep.Grid), study.Seeds(size));
            return new StudySizeResponse(size, dataset, arms, seeds, study.SeedsAtLeast(size) ?? seeds, arms * seeds,
                withSweep ? sweep : null);
        })]);
}
