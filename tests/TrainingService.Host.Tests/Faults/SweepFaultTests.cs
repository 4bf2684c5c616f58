using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>A process dies amid the groups of a sweep.</summary>
[Trait("Category", "Slow")]
public sealed class SweepFaultTests(Service service, ApiWithoutWorkers api) : FaultTests(service, api), IClassFixture<ApiWithoutWorkers>
{
    private const int Cells = 500;

    [Fact]
    public async Task A_kill_costs_no_cell_that_ended_and_doubles_none()
    {
        var worker = await StartWorkerAsync();
        var sweep = await SubmitAsync();
        await using var test = await ConnectAsync();
        await WaitAsync(test, $"SELECT count(*) >= 50 FROM jobs WHERE sweep_id = '{sweep}' AND status = 'succeeded'");
        await worker.KillAsync();
        var ended = (await CellsAsync(sweep)).Where(cell => cell.Value.Status is JobStatus.Succeeded).ToDictionary();
        Assert.NotEqual(Cells, ended.Count);

        await StartWorkerAsync();
        await WaitForEndAsync(sweep);
        var cells = await CellsAsync(sweep);
        Assert.Equal(Cells, cells.Count);
        Assert.All(cells.Values, cell => Assert.Equal((JobStatus.Succeeded, cell.Rows), (cell.Status, cell.Stored)));
        Assert.All(ended, before => Assert.Equal(before.Value, cells[before.Key]));

        var undisturbed = await SubmitAsync();
        await WaitForEndAsync(undisturbed);
        Assert.Equal((await CellsAsync(undisturbed)).OrderBy(cell => cell.Key).Select(cell => (cell.Key, cell.Value.Sha256)),
            cells.OrderBy(cell => cell.Key).Select(cell => (cell.Key, cell.Value.Sha256)));

        async Task WaitForEndAsync(Guid id)
        {
            await WaitAsync(test, $"SELECT finished_at IS NOT NULL FROM sweeps WHERE id = '{id}'");
            var counts = (await Http.GetFromJsonAsync<JsonElement>($"/api/v1/sweeps/{id}", Cancellation)).GetProperty("counts");
            Assert.Equal(Cells, counts.GetProperty("succeeded").GetInt32());
        }
    }

    private async Task<Guid> SubmitAsync()
    {
        using var answer = await Http.PostAsJsonAsync("/api/v1/sweeps", new
        {
            @base = new { dataset = "digits", model = new { hiddenLayers = (int[])[16] }, training = new { epochs = 5 } },
            grid = new Dictionary<string, string[]> { ["/model/activation"] = ["relu", "tanh"] },
            seedCount = Cells / 2,
            keepBest = false,
        }, Cancellation);
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetGuid();
    }

    private async Task<Dictionary<(short Arm, long Seed), Cell>> CellsAsync(Guid sweep)
    {
        await using var db = NewDbContext();
        var jobs = await db.Jobs.AsNoTracking().Where(job => job.SweepId == sweep).ToDictionaryAsync(job => job.Id, Cancellation);
        var ids = jobs.Keys.ToArray();
        var rows = (await db.Metrics.Where(row => ids.Contains(row.JobId)).Select(row => row.JobId)
            .Concat(db.Layers.Where(row => ids.Contains(row.JobId)).Select(row => row.JobId))
            .ToListAsync(Cancellation)).CountBy(id => id).ToDictionary();
        return (await db.SweepCells.AsNoTracking().Where(cell => cell.SweepId == sweep).ToListAsync(Cancellation))
            .ToDictionary(cell => (cell.Arm, cell.Seed), cell => Of(jobs[cell.JobId]));

        Cell Of(Job job) => new(job.Status, job.Attempt, job.FinishedAt, job.Result?.WeightsSha256, rows.GetValueOrDefault(job.Id),
            job.Result?.StoredRows);
    }

    /// <param name="Status">The job's.</param>
    /// <param name="Attempt">How often it was begun.</param>
    /// <param name="FinishedAt">When it ended.</param>
    /// <param name="Sha256">Of its weights.</param>
    /// <param name="Rows">That the tables have of it.</param>
    /// <param name="Stored">That its result tells of.</param>
    private sealed record Cell(JobStatus Status, int Attempt, DateTimeOffset? FinishedAt, string? Sha256, long Rows, long? Stored);
}
