using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Npgsql;

namespace TrainingService.Benchmarks;

/// <summary>
/// A sweep of many short runs through a running service, from its POST to its report. With the service's database, also what it was asked.
/// </summary>
internal static class Sweeps
{
    public static int Run(string[] args)
    {
        var options = new Options(args, "url", "dataset", "hidden", "epochs", "cells", "rounds", "database", "json");
        var (cells, rounds) = ((int)options.Number("cells", 500), (int)options.Number("rounds", 5));
        int[] hidden = [.. options.Text("hidden", "16").Split(',').Select(width => int.Parse(width, CultureInfo.InvariantCulture))];
        using var http = new HttpClient { BaseAddress = new Uri(options.Text("url", "http://127.0.0.1:8080")) };
        using var database = options.Has("database") ? NpgsqlDataSource.Create(options.Text("database", "")) : null;
        for (var round = 0; round < rounds; round++)
        {
            // Cells that the service has seen are not run again: other seeds each round.
            var first = Random.Shared.Next(1, 1_000_000_000);
            var sweep = new
            {
                name = "benchmark",
                @base = new
                {
                    dataset = options.Text("dataset", "iris"),
                    model = new { hiddenLayers = hidden },
                    training = new { epochs = (int)options.Number("epochs", 10) },
                },
                grid = new Dictionary<string, string[]> { ["/model/activation"] = ["relu", "tanh"] },
                seeds = Enumerable.Range(first, cells / 2),
            };
            // The client's own code, compiled at its first request, is no matter of the service.
            if (round == 0)
                Post(http, "/api/v1/sweeps/validate", sweep);
            WaitForRest(http);
            var before = Counted(database);
            var begin = Clock.Wall();
            var id = (string)Post(http, "/api/v1/sweeps", sweep)["id"]!;
            var accepted = Clock.Wall() - begin;
            WaitForEnd(http, $"/api/v1/sweeps/{id}/events");
            var ended = Clock.Wall() - begin;
            Get(http, $"/api/v1/sweeps/{id}/report");
            var told = Clock.Wall() - begin;
            var seconds = Get(http, $"/api/v1/sweeps/{id}/jobs?limit=200")["items"]!.AsArray()
                .Average(job => (double)job!["result"]!["seconds"]!) * cells;
            var share = seconds / told / Environment.ProcessorCount;
            var after = Counted(database);
            var made = after.Zip(before, (now, then) => (double)(now - then) / cells).ToArray();
            Console.WriteLine(options.Has("json")
                ? JsonSerializer.Serialize(new
                {
                    cells,
                    acceptedSeconds = accepted,
                    endedSeconds = ended,
                    reportSeconds = told,
                    cellsPerSecond = cells / told,
                    engineSeconds = seconds,
                    share,
                    transactionsPerCell = made.ElementAtOrDefault(0),
                    rowsPerCell = made.ElementAtOrDefault(1),
                })
                : $"{cells} cells: accepted after {accepted:F2} s, ended {ended:F2}, report {told:F2}: {cells / told:F0} cells/s; "
                    + $"training {seconds:F2} s, {share:P0} of {Environment.ProcessorCount} cores"
                    + (made.Length == 0 ? "" : $"; {made[0]:F2} transactions and {made[1]:F1} rows written a cell"));
        }
        return 0;
    }

    private static JsonNode Post(HttpClient http, string path, object sweep)
    {
        using var answer = http.PostAsJsonAsync(path, sweep).GetAwaiter().GetResult();
        var text = answer.Content.ReadAsStringAsync().GetAwaiter().GetResult();
        return answer.IsSuccessStatusCode ? JsonNode.Parse(text)!
            : throw new ArgumentException($"The service refuses the sweep: {text}");
    }

    /// <summary>
    /// By its events, the last of which comes with its end: to ask a hundred times a second would cost 5 % of two cores. A stream ends
    /// after half an hour, and another one begins.
    /// </summary>
    private static void WaitForEnd(HttpClient http, string path)
    {
        while (true)
        {
            using var events = new StreamReader(http.GetStreamAsync(path).GetAwaiter().GetResult());
            while (events.ReadLine() is { } line)
                if (line == "event: done")
                    return;
        }
    }

    /// <summary>Once the sweep before has ended, its best net is trained again, to be kept.</summary>
    private static void WaitForRest(HttpClient http)
    {
        while (Get(http, "/api/v1/jobs?status=queued&status=running&limit=1")["items"]!.AsArray().Count > 0)
            Thread.Sleep(50);
    }

    private static JsonNode Get(HttpClient http, string path) =>
        JsonNode.Parse(http.GetStringAsync(path).GetAwaiter().GetResult())!;

    /// <summary>Transactions and rows written since the database's counters were reset; both lag by up to a second.</summary>
    private static long[] Counted(NpgsqlDataSource? database)
    {
        if (database is null)
            return [];
        Thread.Sleep(1500);
        using var command = database.CreateCommand(
            "SELECT ARRAY[xact_commit, tup_inserted + tup_updated + tup_deleted] FROM pg_stat_database WHERE datname = current_database()");
        return (long[])command.ExecuteScalar()!;
    }
}
