using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.OpenApi;

[Collection(nameof(ApiOnly))]
public sealed class DocumentTests(ApiOnly api)
{
    /// <summary>With <c>UPDATE_OPENAPI=1</c> the committed copy is written anew.</summary>
    [Fact]
    public async Task The_committed_copy_is_the_served_document()
    {
        var served = (await Document.Read(api.Http)).Text.ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("UPDATE_OPENAPI") == "1")
            await File.WriteAllTextAsync(Copy(), served, TestContext.Current.CancellationToken);
        Assert.Equal(await File.ReadAllTextAsync(Copy(), TestContext.Current.CancellationToken), served);
    }

    /// <summary>With <c>UPDATE_OPENAPI=1</c> it is written anew.</summary>
    [Fact]
    public async Task The_clients_source_is_made_of_the_document()
    {
        var source = ClientSource.Of((await Document.Read(api.Http)).Json);
        var file = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Copy())!, "../../src/TrainingService.Client/Api.g.cs"));
        if (Environment.GetEnvironmentVariable("UPDATE_OPENAPI") == "1")
            await File.WriteAllTextAsync(file, source, TestContext.Current.CancellationToken);
        Assert.Equal(await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), source);
    }

    [Fact]
    public async Task Every_operation_has_an_id_words_tags_and_described_parts()
    {
        var document = await Document.Read(api.Http);
        var tags = document.Json.GetProperty("tags").EnumerateArray().Select(t => t.GetProperty("name").GetString()).ToHashSet();
        var problems = new List<string>();
        foreach (var path in document.Json.GetProperty("paths").EnumerateObject())
            foreach (var operation in path.Value.EnumerateObject())
            {
                var place = $"{operation.Name} {path.Name}";
                foreach (var part in (string[])["operationId", "summary", "description", "tags"])
                    if (!operation.Value.TryGetProperty(part, out var value) || value.ToString().Length == 0)
                        problems.Add($"{place} has no {part}");
                if (operation.Value.TryGetProperty("tags", out var own) && !own.EnumerateArray().All(t => tags.Contains(t.GetString())))
                    problems.Add($"{place} has an unknown tag");
                foreach (var parameter in operation.Value.TryGetProperty("parameters", out var parameters)
                    ? parameters.EnumerateArray() : [])
                    if (!parameter.TryGetProperty("description", out _))
                        problems.Add($"{place}: parameter {parameter.GetProperty("name")} is not described");
                foreach (var response in operation.Value.GetProperty("responses").EnumerateObject())
                    if (response.Value.GetProperty("description").GetString() is "" or "OK")
                        problems.Add($"{place}: answer {response.Name} is not described");
            }
        Assert.True(problems.Count == 0, string.Join("\n", problems));
    }

    [Theory]
    [InlineData("/api/v1/jobs", "/api/v1/jobs", 4)]
    [InlineData("/api/v1/sweeps", "/api/v1/sweeps", 4)]
    [InlineData("/api/v1/studies/{name}", "/api/v1/studies/dead-layers", 2)]
    public async Task Every_example_can_be_submitted(string path, string address, int least)
    {
        var document = await Document.Read(api.Http);
        var body = document.Operation("post", path).GetProperty("requestBody").GetProperty("content").GetProperty("application/json");
        var examples = body.GetProperty("examples").EnumerateObject().ToList();
        Assert.True(examples.Count >= least);
        foreach (var example in examples)
        {
            var value = example.Value.GetProperty("value");
            Assert.Empty(document.Schemas.Errors(body.GetProperty("schema"), value));
            var answer = await api.Http.Send("POST", address, value.ToString());
            Assert.True(answer.Status == 202, $"{example.Name}: {answer.Text}");
            Assert.Empty(document.Undescribed("post", path, answer));
        }
    }

    /// <summary>The document's ranges and names are a table of their own; so each is tried from both sides.</summary>
    [Fact]
    public async Task Every_bound_of_a_job_is_the_one_that_is_checked()
    {
        var document = await Document.Read(api.Http);
        var owners = new Owners(await api.Http.GetAnswer("/api/v1/activations"), await api.Http.GetAnswer("/api/v1/initializers"));
        var problems = new List<string>();
        var tried = 0;
        foreach (var trial in new BoundTrials(document, owners).All())
        {
            tried++;
            var answer = await api.Http.Send("POST", "/api/v1/jobs/validate", trial.Body);
            var refused = answer.Status != 200 && answer["errors"].EnumerateObject()
                .Any(e => trial.Pointer == e.Name || trial.Pointer == $"{e.Name}/name");
            if (refused == trial.Allowed)
                problems.Add($"{trial.Pointer}: {trial.Body} should be {(trial.Allowed ? "allowed" : "refused")}: {answer.Text}");
        }
        Assert.True(problems.Count == 0, string.Join("\n", problems));
        Assert.True(tried > 100, $"only {tried} trials");
    }

    [Fact]
    public async Task The_page_that_shows_it_is_there()
    {
        var page = await api.Http.GetAnswer("/swagger/index.html");
        Assert.Equal((200, "text/html"), (page.Status, page.MediaType));
        Assert.Contains("<meta name=\"viewport\" content=\"width=device-width", page.Text, StringComparison.Ordinal);
    }

    /// <summary>What one reads there: the way to the pages, operations in the order of a journey, each refusal as it is there.</summary>
    [Fact]
    public async Task It_leads_from_data_to_an_answer_and_tells_each_refusal_by_itself()
    {
        var document = (await Document.Read(api.Http)).Json;
        Assert.Contains("](/)", document.GetProperty("info").GetProperty("description").GetString(), StringComparison.Ordinal);
        Assert.Equal(["Datasets", "Catalogue", "Jobs", "Metrics", "Models", "Sweeps", "Studies", "Webhooks", "Keys", "Health"],
            document.GetProperty("tags").EnumerateArray().Select(tag => tag.GetProperty("name").GetString()));
        string Detail(string path, string method, string status) => document.GetProperty("paths").GetProperty(path).GetProperty(method)
            .GetProperty("responses").GetProperty(status).GetProperty("content").GetProperty("application/problem+json")
            .GetProperty("example").GetProperty("detail").GetString()!;
        Assert.Contains("no sweep", Detail("/api/v1/sweeps/{id}", "get", "404"), StringComparison.Ordinal);
        Assert.Contains("no dataset", Detail("/api/v1/datasets/{name}", "get", "404"), StringComparison.Ordinal);
        Assert.NotEqual(Detail("/api/v1/jobs/{id}/retry", "post", "409"), Detail("/api/v1/sweeps/{id}/extend", "post", "409"));
        var names = document.GetProperty("paths").GetProperty("/api/v1/datasets/{name}/preview").GetProperty("get")
            .GetProperty("parameters").EnumerateArray().Single(p => p.GetProperty("name").GetString() == "name").GetProperty("examples");
        foreach (var name in names.EnumerateObject())
            Assert.Equal(200, (await api.Http.GetAnswer($"/api/v1/datasets/{name.Value.GetProperty("value").GetString()}")).Status);
    }

    private static string Copy([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../deploy/openapi/v1.json"));
}

/// <summary>Which activation, initialiser, optimiser or layer has a parameter.</summary>
public sealed class Owners(Answer activations, Answer initializers)
{
    public string Of(string component, string parameter) => component switch
    {
        "ActivationSpec" => Named(activations, parameter),
        "InitializerSpec" => Named(initializers, parameter),
        "OptimizerSpec" => parameter is "beta1" or "beta2" or "epsilon" ? "adam" : parameter == "alpha" ? "rmsprop" : "sgd",
        "ScheduleSpec" => parameter switch
        {
            "warmupSteps" => "constant",
            "stepSize" or "gamma" => "step",
            "tMax" or "etaMin" => "cosine",
            _ => "one_cycle",
        },
        "LayerSpec" => parameter switch
        {
            "units" => "dense",
            "rate" => "dropout",
            _ => "batch_norm",
        },
        // With classes, each must have a row.
        _ => parameter == "maxTrainExamples" ? "friedman1" : "digits",
    };

    private static string Named(Answer list, string parameter) => list["items"].EnumerateArray()
        .Where(item => item.GetProperty("parameters").EnumerateArray().Any(p => p.GetProperty("name").GetString() == parameter))
        .OrderByDescending(item => item.GetProperty("name").GetString() == "variance_scaling")
        .Select(item => item.GetProperty("name").GetString()!).FirstOrDefault("relu");
}

/// <summary>A job's body with one field at or beyond a bound.</summary>
public sealed record Trial(string Pointer, string Body, bool Allowed);

public sealed class BoundTrials(Document document, Owners owners)
{
    public IEnumerable<Trial> All() => Walk("JobSpec", "", field => $$"""{"dataset": "digits", {{field}}}""");

    private IEnumerable<Trial> Walk(string component, string pointer, Func<string, string> body)
    {
        foreach (var property in document.Schema(component).GetProperty("properties").EnumerateObject())
        {
            var place = $"{pointer}/{property.Name}";
            string Field(string value) => property.Name switch
            {
                "dataset" => $$"""{"dataset": {{value}}}""",
                "huberDelta" => body($"\"loss\": \"huber\", \"huberDelta\": {value}"),
                _ => body($"\"{property.Name}\": {value}"),
            };
            var (schema, name) = Target(property.Value);
            if (name is not null && property.Value.ToString().Contains($"see {NameOf(name)}.", StringComparison.Ordinal))
            {
                var inner = name;
                foreach (var field in document.Schema(inner).GetProperty("properties").EnumerateObject().Where(f => f.Name != "name"))
                    foreach (var trial in Values(document.Schemas.Resolve(field.Value), $"{place}/{field.Name}",
                        value => Field($$"""{"name": "{{owners.Of(inner, field.Name)}}", "{{field.Name}}": {{value}}}""")))
                        yield return trial;
                foreach (var trial in Values(document.Schema(NameOf(name)), place, Field))
                    if (!place.EndsWith("biasInitializer", StringComparison.Ordinal) || !trial.Allowed)
                        yield return trial;
            }
            else if (name is not null && name.EndsWith("Spec", StringComparison.Ordinal))
            {
                foreach (var trial in Walk(name, place, field => Field($"{{{field}}}")))
                    yield return trial;
            }
            else if (place == "/model/layers")
            {
                foreach (var field in document.Schema("LayerSpec").GetProperty("properties").EnumerateObject())
                {
                    if (field.Name is not ("units" or "rate" or "epsilon" or "momentum"))
                        continue;
                    var type = owners.Of("LayerSpec", field.Name);
                    foreach (var trial in Values(field.Value, $"{place}/0/{field.Name}",
                        value => Field($$"""[{"type": "{{type}}", "{{field.Name}}": {{value}}}, {"type": "dense", "units": 1}]""")))
                        yield return trial;
                }
            }
            else
            {
                foreach (var trial in Values(schema, place, Field))
                    yield return trial;
            }
        }
    }

    /// <summary>The component that stands beside an object for its plain name.</summary>
    private static string NameOf(string component) => component.Replace("Spec", "Name", StringComparison.Ordinal);

    private (JsonElement Schema, string? Name) Target(JsonElement schema)
    {
        var reference = schema.TryGetProperty("oneOf", out var choices)
            ? choices.EnumerateArray().FirstOrDefault(c => c.TryGetProperty("$ref", out _)) : schema;
        return reference.ValueKind == JsonValueKind.Object && reference.TryGetProperty("$ref", out var name)
            ? (document.Schemas.Resolve(reference), name.GetString()!.Split('/')[^1]) : (schema, null);
    }

    private IEnumerable<Trial> Values(JsonElement schema, string pointer, Func<string, string> body)
    {
        Trial Allowed(string value) => new(pointer, body(value), true);
        Trial Refused(string value) => new(pointer, body(value), false);
        var integer = schema.TryGetProperty("type", out var type) && type.ToString().Contains("integer", StringComparison.Ordinal);
        // Smallest differences that the type can tell, in JSON.
        string Next(JsonElement bound, int direction) => integer ? $"{bound.GetInt64() + direction}"
            : (direction < 0 ? Math.BitDecrement(bound.GetDouble()) : Math.BitIncrement(bound.GetDouble()))
                .ToString("R", CultureInfo.InvariantCulture);

        if (schema.TryGetProperty("minimum", out var min))
        {
            yield return Allowed(min.ToString());
            yield return Refused(Next(min, -1));
        }
        if (schema.TryGetProperty("maximum", out var max))
        {
            yield return Allowed(max.ToString());
            yield return Refused(Next(max, 1));
        }
        if (schema.TryGetProperty("exclusiveMinimum", out var above))
        {
            yield return Allowed("1e-30");
            yield return Refused(above.ToString());
        }
        if (schema.TryGetProperty("exclusiveMaximum", out var below))
        {
            yield return Allowed("0.999999");
            yield return Refused(below.ToString());
        }
        if (schema.TryGetProperty("enum", out var names))
        {
            foreach (var name in names.EnumerateArray()
                .Where(n => n.ValueKind == JsonValueKind.String && n.GetString() is not ("binary_cross_entropy" or "rmse" or "r2")))
                yield return Allowed(name.GetRawText());
            yield return Refused("\"nothing of the kind\"");
        }
        if (schema.TryGetProperty("maxLength", out var longest))
        {
            // a hash must be that of a version
            if (!pointer.EndsWith("/sha256", StringComparison.Ordinal))
                yield return Allowed($"\"{new string('x', longest.GetInt32())}\"");
            yield return Refused($"\"{new string('x', longest.GetInt32() + 1)}\"");
        }
        if (schema.TryGetProperty("minItems", out _))
            yield return Refused("[]");
        if (schema.TryGetProperty("maxItems", out var most))
        {
            yield return Allowed($"[{string.Join(", ", Enumerable.Repeat("1", most.GetInt32()))}]");
            yield return Refused($"[{string.Join(", ", Enumerable.Repeat("1", most.GetInt32() + 1))}]");
        }
        if (schema.TryGetProperty("maxProperties", out var fields))
            yield return Refused($"{{{string.Join(", ", Enumerable.Range(0, fields.GetInt32() + 1).Select(i => $"\"f{i}\": \"x\""))}}}");
        if (schema.TryGetProperty("items", out var items))
            foreach (var trial in Values(items, $"{pointer}/0", value => body($"[{value}]")))
                yield return trial;
    }
}
