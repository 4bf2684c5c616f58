using Npgsql;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Deploy;

/// <summary>By what the workers in a cluster are scaled.</summary>
[Collection(nameof(ApiOnly))]
public sealed class ScalingTests(ApiOnly api)
{
    [Fact]
    public async Task The_query_answers_a_worker_for_each_minute_of_work_that_waits()
    {
        await api.Http.SubmitAsync(Client.Hours);
        await using var source = NpgsqlDataSource.Create(api.ConnectionString);
        await using var command = source.CreateCommand(KubernetesTests.ScalingQuery);
        Assert.InRange(Assert.IsType<int>(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken)), 1, 1000);
    }
}
