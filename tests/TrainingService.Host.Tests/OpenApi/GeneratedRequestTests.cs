using System.Text;
using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>Requests made from the document never meet an answer that the document doesn't describe.</summary>
[Collection(nameof(ApiOnly))]
public sealed class GeneratedRequestTests(ApiOnly api)
{
    private const string Jobs = "/api/v1/jobs";

    [Fact]
    public async Task A_hundred_valid_jobs_are_accepted_as_described()
    {
        var document = await Document.Read(api.Http);
        var generator = new RequestGenerator(document, seed: 1);
        var before = await api.CountJobsAsync();
        for (var i = 0; i < 100; i++)
        {
            var body = generator.Valid().ToJsonString();
            var errors = document.Schemas.Errors(document.Schema("JobSpec"), JsonDocument.Parse(body).RootElement);
            Assert.True(errors.Count == 0, string.Join("\n", errors));
            var answer = await api.Http.PostJob(body);
            Assert.True(answer.Status == 202, $"{body}\n{answer.Text}");
            Assert.Empty(document.Undescribed("post", Jobs, answer));
            Assert.Empty(document.Undescribed("get", $"{Jobs}/{{id}}", await api.Http.GetAnswer($"{Jobs}/{answer.Id}")));
        }
        Assert.Equal(before + 100, await api.CountJobsAsync());
    }

    [Fact]
    public async Task A_hundred_invalid_jobs_are_refused_as_described_and_nothing_is_stored()
    {
        var document = await Document.Read(api.Http);
        var generator = new RequestGenerator(document, seed: 2);
        var before = await api.CountJobsAsync();
        for (var i = 0; i < 100; i++)
        {
            var (body, what) = generator.Invalid();
            var answer = await api.Http.PostJob(body);
            Assert.True(answer.Status is >= 400 and < 500, $"{what}: {answer.Status} {body[..Math.Min(body.Length, 2000)]}");
            Assert.Empty(document.Undescribed("post", Jobs, answer));
        }
        Assert.Equal(before, await api.CountJobsAsync());
    }

    [Fact]
    public async Task Every_operation_answers_as_described_to_good_and_bad_parameters()
    {
        var document = await Document.Read(api.Http);
        var generator = new RequestGenerator(document, seed: 3);
        var id = (await api.Http.PostJob("""{"dataset": "digits"}""")).Id;
        var sweep = (await api.Http.Send("POST", "/api/v1/sweeps",
            """{"base": {"dataset": "iris"}, "grid": {"/model/activation": ["relu", "tanh"]}}""")).Id;
        var problems = new List<string>();
        foreach (var path in document.Json.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject()
                .Where(o => o.Name == "get" || path.Name.EndsWith("/cancel", StringComparison.Ordinal)
                    || path.Name.EndsWith("/retry-failed", StringComparison.Ordinal)))
                for (var i = 0; i < 20; i++)
                {
                    var (address, headers) = Address(path.Name, operation.Value, i,
                        path.Name.Contains("/sweeps/", StringComparison.Ordinal) ? sweep : id, generator);
                    var answer = await api.Http.Send(operation.Name.ToUpperInvariant(), address, null, headers);
                    var undescribed = document.Undescribed(operation.Name, path.Name, answer);
                    if (answer.Status >= 500 || undescribed.Count > 0)
                        problems.Add($"{operation.Name} {address} {answer.Status}: {string.Join("; ", undescribed)}");
                    if (address.Contains("unknown", StringComparison.Ordinal)
                        && path.Name.StartsWith("/api/", StringComparison.Ordinal) && answer.Status < 400)
                        problems.Add($"{operation.Name} {address} ignores what it doesn't know");
                }
        Assert.True(problems.Count == 0, string.Join("\n", problems));
    }

    private static (string Address, (string, string)[] Headers) Address(string path,
        JsonElement operation, int round, string id, RequestGenerator generator)
    {
        var known = path.Split('/') switch
        {
            [_, _, _, "datasets", ..] => "iris",
            [_, _, _, "initializers", ..] => "normal",
            [_, _, _, "studies", ..] => "capacity",
            _ => "relu",
        };
        var query = new StringBuilder();
        var headers = new List<(string, string)>();
        foreach (var parameter in operation.TryGetProperty("parameters", out var parameters) ? parameters.EnumerateArray() : [])
        {
            var name = parameter.GetProperty("name").GetString()!;
            var schema = parameter.GetProperty("schema");
            switch (parameter.GetProperty("in").GetString())
            {
                case "path":
                    var value = name == "id" ? generator.Pick([id, id, Guid.NewGuid().ToString()])
                        : generator.Pick([known, known, "nothing", "%F0%9F%99%82"]);
                    path = path.Replace($"{{{name}}}", value, StringComparison.Ordinal);
                    break;
                case "header":
                    if (generator.Pick([true, false]))
                        headers.Add((name, generator.Pick(["\"1\"", "*", "W/\"x\", \"y\"", "nonsense"])));
                    break;
                default:
                    if (generator.Pick([true, false, false]))
                        query.Append(query.Length == 0 ? '?' : '&').Append(name).Append('=')
                            .Append(Uri.EscapeDataString(Value(schema, generator)));
                    break;
            }
        }
        if (round % 5 == 4)
            query.Append(query.Length == 0 ? '?' : '&').Append("unknown=1");
        return (path + query, [.. headers]);
    }

    private static string Value(JsonElement schema, RequestGenerator generator) => generator.Pick(
    [
        .. schema.TryGetProperty("enum", out var names)
            ? names.EnumerateArray().Select(n => n.ToString()) : ["1", "0.5", "true", "a=b", "2026-01-31T12:00:00Z"],
        "", "0", "-1", "NaN", "1e999", "99999999999999999999", "\0", "nonsense", "🙂",
    ]);
}
