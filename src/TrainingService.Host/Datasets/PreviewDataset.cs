using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Microsoft.AspNetCore.Http.HttpResults;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Datasets;

/// <summary>The first rows of a data set as they are in the file, before encoding.</summary>
/// <param name="Name">The data set.</param>
/// <param name="Columns">Names of the columns; the target is last.</param>
/// <param name="Target">Name of the target's column.</param>
/// <param name="Image">Set if the features of each row are an image.</param>
/// <param name="Rows">A value per column: a number, a category or class by name, or null where it is missing.</param>
public sealed record DatasetPreview(string Name, IReadOnlyList<string> Columns,
    string Target, ImageShape? Image, IReadOnlyList<IReadOnlyList<object?>> Rows);

public static class PreviewDataset
{
    private const int MaxRows = 100;

    /// <summary>Preview a data set</summary>
    /// <remarks>Its first rows as they are in the file, before anything is imputed, encoded or scaled.</remarks>
    /// <param name="name">The data set's name.</param>
    /// <param name="rows">How many rows, from 1 to 100. Default 10.</param>
    /// <response code="200">The first rows.</response>
    public static Results<Ok<DatasetPreview>, ProblemHttpResult> Handle(string name,
        DatasetRegistry datasets, [Range(1, MaxRows), DefaultValue(10)] int? rows)
    {
        if (datasets.Find(name) is not { } dataset)
            return Problems.NotFound(datasets.Unknown(name));
        if (rows is < 1 or > MaxRows)
            return Problems.Invalid("/rows", $"must be from 1 to {MaxRows}, not {rows}");
        if (dataset.FindObstacle() is { } obstacle)
            return Problems.Conflict(obstacle);
        var table = dataset.Head(MaxRows);
        return TypedResults.Ok(new DatasetPreview(dataset.Name,
            [.. dataset.Columns.Select(column => column.Name), dataset.Card.Target], dataset.Card.Target,
            dataset.Card.Image, [.. Enumerable.Range(0, Math.Min(rows ?? 10, table.Rows)).Select(row => Row(dataset, table, row))]));
    }

    private static object?[] Row(Dataset dataset, Table table, int row)
    {
        object target = table.Labels.Length > 0 ? dataset.Card.Classes[table.Labels[row]] : table.Values[row];
        return [.. Features(dataset, table, row), target];
    }

    /// <summary>A row as it is in the file, without its target.</summary>
    public static object?[] Features(Dataset dataset, Table table, int row) => [.. dataset.Columns.Select((column, c) =>
        column.Categories is { } names && table.Shown(row, c) is double code ? names[(int)code] : table.Shown(row, c))];
}
