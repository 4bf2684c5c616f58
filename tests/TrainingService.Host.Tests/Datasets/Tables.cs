using System.Text;
using TrainingService.Host.Datasets;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Data sets made for one test.</summary>
internal static class Tables
{
    public static CsvDataset Csv(string csv, string[]? classes = null, Dictionary<string, string[]>? categories = null) => new(new()
    {
        Name = "made",
        Description = "Made for a test.",
        License = "MIT",
        Source = "A test",
        Citation = "A test",
        Target = "target",
        Classes = classes ?? [],
    }, splitSeed: 7, () => Encoding.UTF8.GetBytes(csv), categories);

    /// <summary>One numeric feature x, whose value is the row's number, and the given labels.</summary>
    public static CsvDataset Labelled(params string[] labels) =>
        Csv("x,target\n" + string.Concat(labels.Select((label, row) => $"{row},{label}\n")),
            [.. labels.Where(label => label.Length > 0).Distinct().Order()]);
}
