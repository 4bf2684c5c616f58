using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Jobs;

/// <summary>Which rows a single job is tested on.</summary>
public sealed class TestSplitTests(Service service)
{
    [Fact]
    public async Task A_job_is_tested_on_the_fixed_rows_unless_it_asks_for_its_seeds_own()
    {
        const string Own = """{"name": "wine", "testSplit": "perSeed"}""";
        var (standard, own) = (await Weights("\"wine\""), await Weights(Own));
        Assert.Equal(standard, await Weights("""{"name": "wine", "testSplit": "fixed"}"""));
        Assert.NotEqual(standard, own);
        Assert.Equal(own, await Weights(Own));
    }

    private async Task<string?> Weights(string dataset)
    {
        var answer = await service.Http.Send("POST", "/api/v1/jobs",
            """{"dataset": DATA, "model": {"hiddenLayers": [8]}, "training": {"epochs": 2, "seed": 3}}""".Replace(
                "DATA", dataset, StringComparison.Ordinal));
        Assert.True(answer.Status == 202, answer.Text);
        return (await service.Http.WaitForEndAsync(Guid.Parse(answer.Id))).GetProperty("result").GetProperty("weightsSha256").GetString();
    }
}
