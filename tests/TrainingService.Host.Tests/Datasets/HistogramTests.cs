using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Models;

namespace TrainingService.Host.Tests.Datasets;

public sealed class HistogramTests(Service service)
{
    [Fact]
    public async Task Every_value_is_in_its_bin_and_in_its_class_and_what_is_missing_is_told()
    {
        var answer = await service.Http.GetAnswer("/api/v1/datasets/penguins/histograms?bins=7");
        Assert.True(answer.Status == 200, answer.Text);
        Assert.Equal((344, 344), (answer["rows"].GetInt32(), answer["countedRows"].GetInt32()));
        var dataset = Kept.Datasets.Find("penguins")!;
        var table = dataset.Read();
        var items = answer["items"].EnumerateArray().ToList();
        Assert.Equal(dataset.Columns.Select(column => column.Name), items.Select(item => item.GetProperty("name").GetString()));
        foreach (var (c, item) in items.Index())
        {
            var (counts, byClass) = (Numbers(item.GetProperty("counts")), item.GetProperty("byClass").EnumerateArray().ToList());
            Assert.Equal(344, counts.Sum() + item.GetProperty("missing").GetInt32());
            for (var bin = 0; bin < counts.Count; bin++)
                Assert.Equal(counts[bin], byClass.Sum(counted => counted[bin].GetInt32()));
            var cells = new double[table.Columns];
            var ofFirst = new int[counts.Count];
            for (var row = 0; row < table.Rows; row++)
            {
                table.ReadRow(row, cells);
                if (table.Labels[row] == 0 && !double.IsNaN(cells[c]))
                    ofFirst[Bin(item, dataset.Columns[c].Categories, cells[c])]++;
            }
            Assert.Equal(ofFirst, Numbers(byClass[0]).Select(n => (int)n));
        }
        Assert.Equal(11, items[5].GetProperty("missing").GetInt32());
        Assert.Equal("Biscoe", items[0].GetProperty("categories")[0].GetString());
    }

    [Fact]
    public async Task Many_features_come_in_pages_or_by_name_and_whole_numbers_in_whole_bins()
    {
        var (names, next) = (new List<string>(), "");
        do
        {
            var page = await service.Http.GetAnswer($"/api/v1/datasets/digits/histograms?limit=30{next}");
            names.AddRange(page["items"].EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
            next = page["nextCursor"].GetString() is { } cursor ? $"&cursor={cursor}" : null;
        }
        while (next is not null);
        Assert.Equal(Kept.Columns("digits"), names);
        var one = await service.Http.GetAnswer($"/api/v1/datasets/digits/histograms?feature={names[20]}&feature={names[27]}");
        Assert.Equal([names[20], names[27]], one["items"].EnumerateArray().Select(item => item.GetProperty("name").GetString()!));
        Assert.Equal(Enumerable.Range(0, 18).Select(edge => edge - 0.5), Numbers(one["items"][0].GetProperty("edges")));
        var number = await service.Http.GetAnswer("/api/v1/datasets/friedman1/histograms?limit=1");
        Assert.Equal((2000, 0), ((int)Numbers(number["target"].GetProperty("counts")).Sum(), number["classes"].GetArrayLength()));
        var unknown = await service.Http.GetAnswer("/api/v1/datasets/iris/histograms?feature=sepal_widt_cm");
        Assert.Contains("did you mean 'sepal_width_cm'", unknown.Error("/feature"), StringComparison.Ordinal);
        (await service.Http.GetAnswer("/api/v1/datasets/iris/histograms?bins=0")).MustBeProblem(400, "validation");
        (await service.Http.GetAnswer("/api/v1/datasets/none/histograms")).MustBeProblem(404, "not-found");
    }

    private static int Bin(JsonElement item, IReadOnlyList<string>? categories, double value)
    {
        if (categories is not null)
            return item.GetProperty("categories").EnumerateArray().Index().First(c => c.Item.GetString() == categories[(int)value]).Index;
        var edges = Numbers(item.GetProperty("edges"));
        return Math.Min(edges.FindLastIndex(edge => edge <= value), edges.Count - 2);
    }

    private static List<double> Numbers(JsonElement list) => [.. list.EnumerateArray().Select(value => value.GetDouble())];
}
