using System.Text.Json;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Models;

/// <summary>Jobs whose nets are kept, and the raw rows that they are asked about.</summary>
public static class Kept
{
    public static readonly DatasetRegistry Datasets = new("/usr/share/datasets");

    /// <summary>Trains until the end; answers the job.</summary>
    public static async Task<JsonElement> TrainAsync(this HttpClient http, string json)
    {
        var accepted = await http.PostJob(json);
        Assert.True(accepted.Status == 202, accepted.Text);
        var job = await http.WaitForEndAsync(Guid.Parse(accepted.Id));
        Assert.True(job.Status() == "succeeded", job.ToString());
        return job;
    }

    public static string Path(this JsonElement job) => $"/api/v1/jobs/{job.GetProperty("id").GetString()}";

    /// <summary>The test rows as they stand in the data set, null being a missing value; and their targets.</summary>
    public static (IReadOnlyList<object?[]> Rows, IReadOnlyList<string> Labels, IReadOnlyList<double> Values) TestRows(string dataset)
    {
        var found = Datasets.Find(dataset) ?? throw new ArgumentException(dataset);
        var (table, test) = (found.Read(), found.Split().Test);
        var rows = test.Select(row =>
        {
            var cells = new double[table.Columns];
            table.ReadRow(row, cells);
            return cells.Select((cell, c) => double.IsNaN(cell) ? null
                : found.Columns[c].Categories is { } names ? names[(int)cell] : (object?)cell).ToArray();
        }).ToList();
        return (rows, table.Labels.Length == 0 ? [] : [.. test.Select(row => found.Card.Classes[table.Labels[row]])],
            table.Values.Length == 0 ? [] : [.. test.Select(row => table.Values[row])]);
    }

    public static IReadOnlyList<string> Columns(string dataset) =>
        [.. (Datasets.Find(dataset) ?? throw new ArgumentException(dataset)).Columns.Select(column => column.Name)];

    public static Task<Answer> AskAsync(this HttpClient http, string path, object body) =>
        http.Send("POST", path + "/predictions", JsonSerializer.Serialize(body));
}
