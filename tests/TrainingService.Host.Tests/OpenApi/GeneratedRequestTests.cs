using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>Requests made from the document never meet an answer that the document doesn't describe.</summary>
[Collection(nameof(ApiOnly))]
public sealed partial class GeneratedRequestTests(ApiOnly api)
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

    /// <summary>
    /// However many there are: <c>TRAINING_TEST_REQUESTS</c> says how many. No key is made, since with the first one all others would need
    /// one.
    /// </summary>
    [Fact]
    public async Task Whatever_is_sent_is_answered_as_described()
    {
        const double MostMegabytes = 600;
        var count = int.Parse(Environment.GetEnvironmentVariable("TRAINING_TEST_REQUESTS") ?? "500", CultureInfo.InvariantCulture);
        var document = await Document.Read(api.Http);
        var generator = new RequestGenerator(document, seed: 4);
        var id = (await api.Http.PostJob("""{"dataset": "digits"}""")).Id;
        var sweep = (await api.Http.Send("POST", "/api/v1/sweeps",
            """{"base": {"dataset": "iris"}, "grid": {"/model/activation": ["relu", "tanh"]}}""")).Id;
        var operations = (
            from path in document.Json.GetProperty("paths").EnumerateObject()
            from operation in path.Value.EnumerateObject()
            where operation.Value.GetProperty("operationId").GetString() != "createKey"
                && !path.Name.EndsWith("/events", StringComparison.Ordinal)
            let hasBody = operation.Value.TryGetProperty("requestBody", out _)
            // most mistakes can be made in a body
            from weight in Enumerable.Range(0, hasBody ? 4 : 1)
            select (operation.Name, Path: path.Name, operation.Value)).ToList();
        var problems = new List<string>();
        for (var i = 0; i < count; i++)
        {
            var (method, path, operation) = generator.Pick(operations);
            var (address, headers) = Address(path, operation, i,
                path.Contains("/sweeps/", StringComparison.Ordinal) ? sweep : id, generator);
            var (body, type) = Body(document, operation, generator);
            var answer = await api.Http.Send(method.ToUpperInvariant(), address, body, type, headers);
            var undescribed = document.Undescribed(method, path, answer);
            if (answer.Status >= 500 || undescribed.Count > 0)
                problems.Add($"{i}: {method} {address} {answer.Status} {type}: {string.Join("; ", undescribed)} {answer.Text}\n"
                    + Encoding.UTF8.GetString(body ?? []));
        }
        Assert.True(problems.Count == 0, string.Join("\n", problems.Select(problem => problem[..Math.Min(problem.Length, 2000)])));
        var metrics = (await api.Http.GetAnswer("/metrics")).Text;
        var bytes = WorkingSet().Match(metrics).Groups["bytes"].Value;
        Assert.InRange(double.Parse(bytes, CultureInfo.InvariantCulture) / 1e6, 1, MostMegabytes);
    }

    [GeneratedRegex(@"^dotnet_process_memory_working_set_bytes(\{[^}]*\})? (?<bytes>[0-9.eE+]+)", RegexOptions.Multiline)]
    private static partial Regex WorkingSet();

    private static (byte[]? Body, string Type) Body(Document document, JsonElement operation, RequestGenerator generator)
    {
        if (!operation.TryGetProperty("requestBody", out var described))
            return (null, "");
        var content = described.GetProperty("content").EnumerateObject().ToList();
        var (type, schema) = generator.Pick([.. content.Select(each => (each.Name, each.Value.GetProperty("schema")))]);
        if (type == "multipart/form-data")
            return Form(document.Schemas.Resolve(schema), generator);
        // any object: a patch of a job
        if (schema.TryGetProperty("$ref", out var component) && component.GetString()!.EndsWith("/JsonObject", StringComparison.Ordinal))
            schema = document.Schema("JobSpec");
        var text = generator.Hostile(schema);
        var sent = generator.Pick(["", "", "", "", "", "", "other type", "UTF-16", "no UTF-8", "mark"]);
        return (sent switch
        {
            "UTF-16" => Encoding.Unicode.GetBytes(text),
            "no UTF-8" => [.. Encoding.UTF8.GetBytes(text), 0xC3, 0x28],
            "mark" => [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(text)],
            _ => Encoding.UTF8.GetBytes(text),
        }, sent == "other type" ? generator.Pick(["text/plain", "application/xml", "multipart/form-data", "nonsense"]) : type);
    }

    private static (byte[] Body, string Type) Form(JsonElement schema, RequestGenerator generator)
    {
        const string Csv = "a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,1,x\n2,2,y\n";
        var fields = schema.GetProperty("properties").EnumerateObject().Select(field => field.Name).Append("unknown").ToList();
        var form = new StringBuilder();
        for (var left = generator.Pick([1, 2, 3, 4]); left > 0; left--)
        {
            var field = left == 1 ? "file" : generator.Pick(fields);
            form.Append("--x\r\nContent-Disposition: form-data; name=\"").Append(field).Append('"')
                .Append(field.EndsWith("ile", StringComparison.Ordinal) ? "; filename=\"a.csv\"" : "").Append("\r\n\r\n")
                .Append(field.EndsWith("ile", StringComparison.Ordinal)
                    ? generator.Pick([Csv, Csv, Csv, "", "\0\0\0", "PAR1\0\0\0\0PAR1", "PK\u0003\u0004zip", "\u001f\u008b", "a\n\"",
                        "\u0093NUMPY\u0001"])
                    : generator.Pick(["kind", "kind", "b", "true", "0.5", "-1", "", "{\"a\": \"category\"}", "a=date", "🙂", "everyone"]))
                .Append("\r\n");
        }
        form.Append(generator.Pick(["--x--\r\n", "--x--\r\n", "--x--\r\n", "", "--x"]));
        const string Type = "multipart/form-data";
        return (Encoding.UTF8.GetBytes(form.ToString()),
            generator.Pick([$"{Type}; boundary=x", $"{Type}; boundary=x", $"{Type}; boundary=x", Type, $"{Type}; boundary=y"]));
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
