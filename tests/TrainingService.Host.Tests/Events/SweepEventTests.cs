using TrainingService.Host.Events;
using TrainingService.Host.Tests.Fixtures;
using TrainingService.Host.Tests.Sweeps;

namespace TrainingService.Host.Tests.Events;

/// <summary>What is told of a sweep.</summary>
public sealed class SweepEventTests(Service service)
{
    private HttpClient Http => service.Http;

    [Fact]
    public async Task Each_cell_is_told_as_it_ends_once_and_from_any_event_on_what_is_missing()
    {
        var id = await Http.SubmitSweep($$"""{"base": {{SweepClient.Tiny}}, "arms": {{SweepClient.ReluAndTanh}}, "seedCount": 130}""");
        var live = Http.ReadAllAsync(Events(id));
        var sweep = await Http.WaitForSweepEnd(id);
        var all = await live;
        Assert.Equal("status queued", $"{all[0].Type} {all[0].Status}");
        Assert.Equal((string[])["status succeeded", "done succeeded"], all.TakeLast(2).Select(told => $"{told.Type} {told.Status}"));
        Assert.Equal(sweep.GetProperty("counts").ToString(), all[^1].Json.GetProperty("counts").ToString());
        var cells = Cells(all);
        Assert.Equal(cells.Count, cells.Distinct().Count());
        Assert.Equal(260, cells.Count(cell => cell.EndsWith(" succeeded", StringComparison.Ordinal)));
        Assert.Equal(all.Count, all.Select(told => told.Id).Distinct().Count());

        // of one that has ended only the ends are there
        var late = await Http.ReadAllAsync(Events(id));
        Assert.Equal(cells.Where(cell => cell.EndsWith(" succeeded", StringComparison.Ordinal)).Order(StringComparer.Ordinal),
            Cells(late).Order(StringComparer.Ordinal));
        Assert.InRange(late.Count(told => told.Type == "cells"), 3, 20);
        foreach (var (i, told) in late.Index().SkipLast(1))
            Assert.Equal(Cells(late.Skip(i + 1)), Cells(await Http.ReadAllAsync(Events(id), told.Id)));
        foreach (var (i, told) in all.Index().SkipLast(1))
        {
            var rest = Cells(await Http.ReadAllAsync(Events(id), told.Id));
            Assert.Equal(rest.Count, rest.Distinct().Count());
            Assert.Equal(260, Cells(all.Take(i + 1)).Concat(rest).Count(cell => cell.EndsWith(" succeeded", StringComparison.Ordinal)));
        }
        Assert.Equal(204, (await Http.GetAnswer(Events(id), ("Last-Event-ID", all[^1].Id))).Status);
        (await Http.GetAnswer(Events(id), ("Last-Event-ID", $"{all[0].Id}x"))).MustBeProblem(400, "validation");
    }

    [Fact]
    public void What_was_seen_is_told_by_the_transactions_and_not_by_their_order()
    {
        var seen = Snapshot.Read("10:20:12,15")!;
        Assert.Equal((ulong[])[12, 15, 20, 21], new ulong[] { 9, 10, 12, 14, 15, 19, 20, 21 }.Where(number => !seen.Sees(number)));
        foreach (var wrong in (string[])["", "0:5:", "5:4:", "5:9:9", "5:9:7,6", "5:9", "5:9:x", "-1:9:"])
            Assert.Null(Snapshot.Read(wrong));
    }

    private static string Events(string sweep) => $"{SweepClient.Root}/{sweep}/events";

    private static IReadOnlyList<string> Cells(IEnumerable<Told> events) => [.. events.Where(told => told.Type == "cells")
        .SelectMany(told => told.Json.GetProperty("cells").EnumerateArray())
        .Select(cell => $"{cell.GetProperty("arm")} {cell.GetProperty("seed")} {cell.GetProperty("attempt")} {cell.Status()}")];
}
