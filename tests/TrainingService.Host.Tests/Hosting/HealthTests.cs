using System.Net;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Hosting;

public sealed class HealthTests(Service service)
{
    [Theory]
    [InlineData("/health/live")]
    [InlineData("/health/ready")]
    public async Task Answers_healthy(string path)
    {
        using var answer = await service.Http.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Contains("\"healthy\"",
            await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
