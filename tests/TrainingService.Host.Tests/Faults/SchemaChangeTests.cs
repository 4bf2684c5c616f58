using System.Text.Json;
using Npgsql;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>
/// A roll-out migrates while processes of the version before go on, whose connections have statements prepared: a column more in every
/// table disturbs neither requests nor runs.
/// </summary>
public sealed class SchemaChangeTests(Service service)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task New_columns_disturb_no_process_that_runs()
    {
        var database = await service.CreateMigratedDatabaseAsync();
        // prepared at the first time, on whichever connection
        await using (var host = await HostProcess.StartAsync("all", $"{database};Auto Prepare Min Usages=1"))
        {
            for (var times = 0; times < 3; times++)
                await UseAsync(host.Http, times);
            await using (var connection = new NpgsqlConnection(database))
            {
                await connection.OpenAsync(Cancellation);
                await using var alter = new NpgsqlCommand("""
                    DO $$ DECLARE name text; BEGIN
                        FOR name IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' LOOP
                            EXECUTE format('ALTER TABLE %I ADD COLUMN of_later int', name);
                        END LOOP;
                    END $$
                    """, connection);
                await alter.ExecuteNonQueryAsync(Cancellation);
            }
            for (var times = 3; times < 6; times++)
                await UseAsync(host.Http, times);
            Assert.DoesNotContain("0A000", host.Log, StringComparison.Ordinal);
        }
        await service.Postgres.DropDatabaseAsync(database);
    }

    /// <summary>What asks by SQL of its own: a job that is run again, a sweep that is extended and goes on, the list of models.</summary>
    private static async Task UseAsync(HttpClient http, int seed)
    {
        var job = await http.SubmitAsync(epochs: 1);
        await http.WaitForEndAsync(job);
        job = await http.SubmitAsync(Client.Hours);
        await ChangeAsync(http, $"/api/v1/jobs/{job}/cancel");
        await http.WaitForEndAsync(job);
        await ChangeAsync(http, $"/api/v1/jobs/{job}/retry");
        await ChangeAsync(http, $"/api/v1/jobs/{job}/cancel");
        await http.WaitForEndAsync(job);
        var sweep = (await ChangeAsync(http, "/api/v1/sweeps", $$$"""
            {"base": {"dataset": "iris", "training": {"epochs": 1}}, "arms": [{"name": "a", "patch": {}}], "seeds": [{{{2 * seed + 1}}}]}
            """)).Id;
        await EndAsync(http, sweep);
        await ChangeAsync(http, $"/api/v1/sweeps/{sweep}/extend", $$$"""{"seeds": [{{{2 * seed + 2}}}]}""");
        await EndAsync(http, sweep);
        Assert.Equal(200, (await http.GetAnswer("/api/v1/models")).Status);
    }

    private static async Task<Answer> ChangeAsync(HttpClient http, string path, string? json = null)
    {
        var answer = await http.Send("POST", path, json);
        Assert.True(answer.Status == 202, $"{path}: {answer.Text}");
        return answer;
    }

    private static async Task EndAsync(HttpClient http, string sweep)
    {
        while ((await http.GetAnswer($"/api/v1/sweeps/{sweep}"))["finishedAt"].ValueKind is JsonValueKind.Null)
            await Task.Delay(10, Cancellation);
    }
}
