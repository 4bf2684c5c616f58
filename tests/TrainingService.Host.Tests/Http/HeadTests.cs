using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Http;

/// <summary>HEAD says what GET would, without the body.</summary>
public sealed partial class HeadTests(Service service)
{
    [Fact]
    public async Task Whatever_can_be_got_can_be_asked_about()
    {
        var job = await service.Http.SubmitAsync();
        await service.Http.WaitForEndAsync(job);
        var sweep = await service.Http.SubmitSweep(
            $$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 2}""");
        var (walked, found) = (0, 0);
        foreach (var path in (await service.Http.GetAnswer("/openapi/v1.json")).Json.GetProperty("paths").EnumerateObject()
            .Where(path => path.Value.TryGetProperty("get", out _)).Select(path => path.Name)
            .Concat(["/openapi/v1.json", "/swagger/index.html", "/hangfire", "/metrics", "/nowhere"]))
        {
            var address = Parameter().Replace(path, path.StartsWith("/api/v1/jobs", StringComparison.Ordinal) ? $"{job}"
                : path.StartsWith("/api/v1/sweeps", StringComparison.Ordinal) ? sweep : "relu");
            var (got, asked) = (await service.Http.GetAnswer(address), await service.Http.Send("HEAD", address));
            Assert.True((got.Status, got.MediaType, "") == (asked.Status, asked.MediaType, asked.Text),
                $"{address}: {got.Status} {got.MediaType}, and by HEAD {asked.Status} {asked.MediaType} {asked.Text}");
            walked++;
            found += asked.Status == 200 ? 1 : 0;
        }
        Assert.InRange(walked, 30, 500);
        Assert.True(found > walked / 2, $"{found} of {walked}");
        var csv = await service.Http.Send("HEAD", $"/api/v1/jobs/{job}/metrics", null, ("Accept", "text/csv"));
        Assert.Equal((200, "text/csv"), (csv.Status, csv.MediaType));
    }

    [GeneratedRegex(@"\{\w+\}")]
    private static partial Regex Parameter();
}
