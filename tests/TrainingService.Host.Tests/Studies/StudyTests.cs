using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Reports;
using TrainingService.Host.Studies;
using TrainingService.Host.Sweeps;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.OpenApi;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Studies;

/// <summary>The built-in studies: what can be asked of them, and that each reads whatever its sweep gave.</summary>
public sealed class StudyTests(Service service)
{
    private const string Root = "/api/v1/studies";

    private readonly HttpClient _http = service.Http;

    public static TheoryData<string> Names => [.. StudyCatalog.All.Select(study => study.Name)];

    [Fact]
    public async Task The_list_covers_all_claims_and_each_study_shows_its_sweep()
    {
        var list = (await _http.GetAnswer(Root)).Json.List("items");
        Assert.Equal(12, list.Count);
        Assert.Equal(Enumerable.Range(1, 12).Select(n => $"C{n}").Order(),
            list.SelectMany(study => study.List("claims")).Select(claim => claim.Text("id")).Distinct().Order());
        Assert.All(list, study => Assert.Equal(["quick", "full"], study.List("sizes").Select(size => size.Text("size"))));
        var one = (await _http.GetAnswer($"{Root}/born-dead")).Json;
        var quick = one.List("sizes")[0];
        Assert.Equal(quick.GetProperty("arms").GetInt32(), quick.GetProperty("sweep").List("arms").Count);

        var unknown = await _http.GetAnswer($"{Root}/born-ded");
        unknown.MustBeProblem(404, "not-found");
        Assert.Contains("did you mean 'born-dead'", unknown["detail"].GetString(), StringComparison.Ordinal);
        (await _http.Send("POST", $"{Root}/born-ded", "{}")).MustBeProblem(404, "not-found");
    }

    [Theory]
    [InlineData("""{"size": "quik"}""", "/size", "quick, full")]
    [InlineData("""{"sizes": "quick"}""", "/sizes", "did you mean 'size'")]
    [InlineData("""{"dataset": "iriss"}""", "/dataset", "did you mean 'iris'")]
    [InlineData("""{"dataset": "friedman1"}""", "/dataset", "\"baseline\": \"relu\", \"metric\": \"testR2\", \"seedCount\": 16}")]
    [InlineData("""{"seedCount": 0}""", "/seedCount", "from 1 to 10,000")]
    [InlineData("""{"seedCount": 10000}""", "/dataset", "at most 10,000")]
    public async Task What_a_study_can_not_do_is_refused_where_it_stands(string body, string pointer, string words)
    {
        var answer = await _http.Send("POST", $"{Root}/capacity", body);
        answer.MustBeProblem(400, "validation");
        Assert.Contains(words, answer.Error(pointer), StringComparison.Ordinal);
    }

    /// <summary>
    /// With two seeds nothing can be decided; with the cells taken away one after another there is less and less to read.
    /// </summary>
    [Theory]
    [MemberData(nameof(Names))]
    [Trait("Category", "Slow")]
    public async Task Each_study_reads_whatever_its_sweep_gave(string name)
    {
        var started = await _http.Send("POST", $"{Root}/{name}", """{"dataset": "iris", "seedCount": 2}""");
        Assert.True(started.Status == 202, started.Text);
        Assert.Equal((name, "quick"), (started["study"].GetString(), started["size"].GetString()));
        var early = await _http.GetReport(started.Id);
        Assert.NotEmpty(early.List("claims"));
        var sweep = await _http.WaitForSweepEnd(started.Id);
        Assert.True(sweep.Status() == "succeeded", sweep.GetProperty("error").ToString());
        Assert.Empty((await Document.Read(_http)).Undescribed("get", "/api/v1/sweeps/{id}/report",
            await _http.GetAnswer($"{SweepClient.Root}/{started.Id}/report")));
        var report = await _http.GetReport(started.Id);
        Assert.NotEmpty(report.Text("answer"));
        Assert.Equal(name, report.Text("study"));
        MustBeClear(report.Text("answer") + report.GetProperty("claims") + report.GetProperty("notes"));

        await using var db = service.NewDbContext();
        var row = await db.Sweeps.AsNoTracking().SingleAsync(s => s.Id == Guid.Parse(started.Id), TestContext.Current.CancellationToken);
        var cells = await SweepCells.ReadAsync(db, row, TestContext.Current.CancellationToken);
        var compared = cells.Where(cell => cell.Candidate < 0).ToList();
        var arms = row.Spec.Arms.Count;
        IReadOnlyList<IReadOnlyList<CellResult>> less =
        [
            [.. compared.Where(cell => cell.Seed == 1)],
            [.. compared.Where(cell => cell.Arm > 0)],
            [.. compared.Where(cell => cell.Arm < arms - 1)],
            [compared[0]],
            [.. compared.Select((cell, i) =>
                i % 2 == 0 ? cell : cell with { Status = Host.Jobs.JobStatus.Canceled, Result = null, First = [], Last = [] })],
            [.. compared.Select(cell => cell with { Status = Host.Jobs.JobStatus.Failed, ErrorCode = "diverged" })],
            [.. compared.Select(
                cell => cell with { Status = Host.Jobs.JobStatus.Failed, ErrorCode = "diverged", First = [], Last = [], Layers = [] })],
            [.. compared.Select(cell => cell with { Status = Host.Jobs.JobStatus.Failed, ErrorCode = "timeout", Result = null })],
            [],
        ];
        foreach (var some in less)
        {
            row.Measured = null;
            var read = StudyReports.Of(row, some, 0.45);
            Assert.Equal(StudyCatalog.Find(name)!.Claims.Select(claim => claim.Id), read.Claims!.Select(claim => claim.Id));
            Assert.NotEmpty(read.Answer);
            MustBeClear(JsonSerializer.Serialize(new
            {
                read.Answer,
                Claims = read.Claims!.SelectMany(claim => claim.Statements).Select(statement => statement.Evidence),
                Contrasts = read.Contrasts.Select(c => c.Sentence),
                read.Notes,
            }));
        }
    }

    private static void MustBeClear(string text)
    {
        foreach (var unclear in (string[])["NaN", "Infinity", "∞", "  ", " . ", "()", ": ,", ": ;"])
        {
            var at = text.IndexOf(unclear, StringComparison.Ordinal);
            Assert.True(at < 0, $"'{unclear}' in {text[Math.Max(0, at - 200)..Math.Min(text.Length, Math.Max(0, at) + 200)]}");
        }
    }
}
