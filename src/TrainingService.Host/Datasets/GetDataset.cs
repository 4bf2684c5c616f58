using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using TrainingService.Engine.Data;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Datasets;

/// <summary>A data set. What can only be known from rows is left out while it is unavailable.</summary>
public sealed record DatasetDetails
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

    /// <summary>Counts what was brought under this name; only of data sets that were brought, as are the next two.</summary>
    public int? Version { get; init; }

    /// <summary>When this version was brought.</summary>
    public DateTimeOffset? CreatedAt { get; init; }

    /// <summary>What may be wrong with it.</summary>
    public IReadOnlyList<TableWarning>? Warnings { get; init; }

    /// <summary>What it is about.</summary>
    public required string Description { get; init; }

    /// <summary>Rows, train and test together.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows of the file that are left out because their target is missing.</summary>
    public required int DroppedRows { get; init; }

    /// <summary>Columns without the target, before encoding.</summary>
    public required IReadOnlyList<FeatureDetails> Features { get; init; }

    /// <summary>Inputs of a network after encoding: one for a number, one per category.</summary>
    public required int EncodedFeatures { get; init; }

    /// <summary>What is predicted.</summary>
    public required TargetDetails Target { get; init; }

    /// <summary>The classes in the order of their labels; empty if the target is a number.</summary>
    public required IReadOnlyList<ClassDetails> Classes { get; init; }

    /// <summary>Set if each row is an image.</summary>
    public ImageShape? Image { get; init; }

    /// <summary>How rows are divided before any job.</summary>
    public required SplitDetails Splits { get; init; }

    /// <summary>Missing values in all features.</summary>
    public int? MissingValues { get; init; }

    /// <summary>
    /// SHA-256 of the content, lower-case hex: of the CSV text; where there are several <c>files</c>, of the lines that <c>sha256sum</c>
    /// prints for them; of a data set that was brought, of its columns, rows and split as they are stored.
    /// </summary>
    public required string Sha256 { get; init; }

    /// <summary>The files, where they are more than one or were brought.</summary>
    public IReadOnlyList<DatasetFile>? Files { get; init; }

    /// <summary>Under which the data may be used.</summary>
    [JsonPropertyName("licence")]
    public required string License { get; init; }

    /// <summary>Where it comes from.</summary>
    public required string Source { get; init; }

    /// <summary>How to cite it.</summary>
    public required string Citation { get; init; }
}

/// <summary>What a feature holds.</summary>
public enum FeatureKind
{
    /// <summary>A number; missing ones become the median of the training rows.</summary>
    Numeric,

    /// <summary>One of <c>categories</c>, each of which becomes an input that is 1 or 0; all are 0 where the value is missing.</summary>
    Categorical,
}

/// <summary>A column of a data set, over all its rows.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Kind">A number or a category.</param>
/// <param name="Categories">All values, sorted; categorical features only.</param>
/// <param name="Missing">Rows without a value.</param>
/// <param name="Min">Smallest value; numeric features only, as are the others.</param>
/// <param name="Mean">Mean of the values.</param>
/// <param name="Max">Largest value.</param>
public sealed record FeatureDetails(string Name, FeatureKind Kind,
    IReadOnlyList<string>? Categories, int? Missing, double? Min, double? Mean, double? Max);

/// <summary>What is predicted.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Kind">Classes or a number.</param>
/// <param name="Min">Smallest value; numbers only, as are the others.</param>
/// <param name="Mean">Mean of the values.</param>
/// <param name="Max">Largest value.</param>
public sealed record TargetDetails(string Name, TargetKind Kind, double? Min, double? Mean, double? Max);

/// <summary>A class of the target.</summary>
/// <param name="Name">As in the target's column.</param>
/// <param name="Count">Rows, train and test together.</param>
public sealed record ClassDetails(string Name, int Count);

/// <summary>How rows are divided before any job; a job draws its validation rows from the training rows.</summary>
/// <param name="Origin">Who chose the test rows.</param>
/// <param name="TrainRows">Rows that jobs train and validate on.</param>
/// <param name="TestRows">Rows that jobs are only tested on.</param>
/// <param name="TestFraction">Share of the rows that were drawn for the test; only where this service drew them.</param>
/// <param name="Stratified">Whether they were drawn from each class in proportion.</param>
/// <param name="GroupBy">Column of the file whose value is the same for rows that stay on one side of every split.</param>
/// <param name="TimeBy">Column of the file by which test rows, and validation rows of the others, are the latest.</param>
public sealed record SplitDetails(SplitOrigin Origin, int TrainRows, int TestRows, double? TestFraction, bool Stratified,
    string? GroupBy = null, string? TimeBy = null);

/// <summary>Who chose the test rows.</summary>
public enum SplitOrigin
{
    /// <summary>The data set's authors.</summary>
    Official,

    /// <summary>This service, by a fixed seed; the same for every job.</summary>
    Fixed,

    /// <summary>Time: they are the latest; the same for every job.</summary>
    Latest,
}

public static class GetDataset
{
    /// <summary>Get a data set</summary>
    /// <remarks>
    /// Features, classes, splits and origin. Carries an ETag: send it back as <c>If-None-Match</c> and an unchanged
    /// data set costs a 304 without body.
    /// </remarks>
    /// <param name="name">The data set's name.</param>
    /// <param name="ifNoneMatch">ETags of earlier answers.</param>
    /// <response code="200">The data set.</response>
    public static Results<Ok<DatasetDetails>, StatusCodeHttpResult, ProblemHttpResult> Handle(string name,
        [FromHeader(Name = "If-None-Match")] string? ifNoneMatch, HttpContext http, DatasetRegistry datasets)
    {
        if (datasets.Find(name) is not { } dataset)
            return Problems.NotFound(datasets.Unknown(name));
        var details = Details(dataset);
        var tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(details, Json.Options)))}\"";
        http.Response.Headers.ETag = tag;
        http.Response.Headers.CacheControl = "no-cache";
        if (ifNoneMatch is not null && EntityTags.NoneMatch(http.Request, tag))
            return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        return TypedResults.Ok(details);
    }

    public static DatasetDetails Details(Dataset dataset)
    {
        var (card, obstacle) = (dataset.Card, dataset.FindObstacle());
        var statistics = obstacle == null ? dataset.Statistics : null;
        var stored = dataset as StoredDataset;
        var target = obstacle == null ? dataset.TargetStatistics : null;
        return new()
        {
            Name = dataset.Name,
            Owner = Owned.Named(stored?.Version.Owner ?? ""),
            Visibility = stored?.Version.Visibility ?? Visibility.Everyone,
            Status = obstacle == null ? DatasetStatus.Ready : DatasetStatus.Unavailable,
            Message = obstacle,
            Version = stored?.Version.Version,
            CreatedAt = stored?.Version.CreatedAt,
            Warnings = stored?.Version.Facts.Warnings,
            Description = card.Description,
            Rows = dataset.Rows,
            DroppedRows = dataset.DroppedRows,
            Features = [.. dataset.Columns.Select((column, i) => Feature(column, statistics?[i]))],
            EncodedFeatures = dataset.EncodedFeatures,
            Target = new(card.Target, dataset.TargetKind, target?.Min, target?.Mean, target?.Max),
            Classes = [.. card.Classes.Zip(dataset.ClassCounts, (name, count) => new ClassDetails(name, count))],
            Image = card.Image,
            Splits = new(stored?.Schema.Split is SplitRule.Latest ? SplitOrigin.Latest
                : dataset.TestFraction == null ? SplitOrigin.Official : SplitOrigin.Fixed, dataset.TrainRows,
                dataset.TestRows, dataset.TestFraction, dataset.IsStratified,
                stored?.Schema.Group?.Name, stored?.Schema.Time?.Name),
            MissingValues = statistics?.Sum(column => column.Missing),
            Sha256 = dataset.Sha256,
            Files = dataset.Files,
            License = card.License,
            Source = card.Source,
            Citation = card.Citation,
        };
    }

    private static FeatureDetails Feature(Column column, ColumnStatistics? over) => new(column.Name,
        column.Categories == null ? FeatureKind.Numeric : FeatureKind.Categorical,
        column.Categories, over?.Missing, over?.Min, over?.Mean, over?.Max);
}
