using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Engine.Data;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Datasets;

/// <summary>Whether jobs can use a data set.</summary>
public enum DatasetStatus
{
    /// <summary>Jobs can use it.</summary>
    Ready,

    /// <summary>Its files are not on this machine; <c>message</c> says how to get them.</summary>
    Unavailable,
}

/// <summary>A data set in a list.</summary>
public sealed record DatasetSummary
{
    /// <summary>What a job calls it.</summary>
    public required string Name { get; init; }

    /// <summary>Who brought it; null for nobody, as of what is built in and where access is open.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Owner { get; init; }

    /// <summary>Who may use it beside its owner and admins.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>Whether jobs can use it.</summary>
    public required DatasetStatus Status { get; init; }

    /// <summary>Why it is unavailable and what helps.</summary>
    public string? Message { get; init; }

    /// <summary>What it is about.</summary>
    public required string Description { get; init; }

    /// <summary>Rows, train and test together.</summary>
    public required int Rows { get; init; }

    /// <summary>Columns without the target, before encoding.</summary>
    public required int FeatureCount { get; init; }

    /// <summary>Classes or a number.</summary>
    public required TargetKind TargetKind { get; init; }

    /// <summary>Number of classes; 0 if the target is a number.</summary>
    public required int ClassCount { get; init; }

    /// <summary>Under which the data may be used.</summary>
    [JsonPropertyName("licence")]
    public required string License { get; init; }
}

public static class ListDatasets
{
    private const string List = "datasets";

    /// <summary>List data sets</summary>
    /// <remarks>
    /// By name: what is built in, what one has brought, and what others share. One whose files are not on this machine is listed as
    /// <c>unavailable</c>, with how to get them.
    /// </remarks>
    /// <param name="limit">Data sets on a page; more than 500 gives 500. Default 50.</param>
    /// <param name="cursor">The nextCursor of the page before.</param>
    /// <param name="owner">Only what this owner has brought, as far as one may see it; none: nobody's.</param>
    /// <response code="200">A page of data sets.</response>
    public static Results<Ok<Page<DatasetSummary>>, ProblemHttpResult> Handle(DatasetRegistry datasets,
        [Range(1, int.MaxValue), DefaultValue(Paging.Standard)] int? limit, string? cursor, string? owner)
    {
        var errors = new List<SpecError>();
        var size = Paging.Size(limit, errors);
        var after = Paging.TryRead(cursor, errors, out string? last, List) ? last : "";
        if (errors.Count > 0)
            return Problems.Invalid(errors);
        owner = Owned.Asked(owner);
        var rest = datasets.Names(owner).Where(name => string.CompareOrdinal(name, after) > 0).ToList();
        var names = rest.Take(size).ToList();
        // One may have been deleted since its name was read.
        return TypedResults.Ok(new Page<DatasetSummary>([.. names.Select(name => datasets.FindOf(owner, name)).OfType<Dataset>()
            .Select(Summary)],
            names.Count < rest.Count ? Paging.Cursor(names[^1], List) : null));
    }

    private static DatasetSummary Summary(Dataset dataset)
    {
        var obstacle = dataset.FindObstacle();
        return new()
        {
            Name = dataset.Name,
            Owner = Owned.Named((dataset as StoredDataset)?.Version.Owner ?? ""),
            Visibility = (dataset as StoredDataset)?.Version.Visibility ?? Visibility.Everyone,
            Status = obstacle == null ? DatasetStatus.Ready : DatasetStatus.Unavailable,
            Message = obstacle,
            Description = dataset.Card.Description,
            Rows = dataset.Rows,
            FeatureCount = dataset.Columns.Count,
            TargetKind = dataset.TargetKind,
            ClassCount = dataset.Card.Classes.Count,
            License = dataset.Card.License,
        };
    }
}
