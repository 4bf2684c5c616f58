using System.Text.Json;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using TrainingService.Host.Http;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>What routes can't derive from their handlers: problems, headers, examples.</summary>
public static class OpenApiOperations
{
    private static readonly Dictionary<string, string> Statuses = new()
    {
        ["204"] = "Done; there is nothing to say.",
        ["304"] = "Unchanged since the ETag in If-None-Match.",
        ["400"] = "The request breaks a rule; `errors` says where and which.",
        ["401"] = "The service has access keys, and there was none, or none that is valid.",
        ["403"] = "The access key does not allow this, or a page of another site asks for a change.",
        ["404"] = "There is no such thing.",
        ["406"] = "None of the media types in Accept is available.",
        ["409"] = "Not possible in this state.",
        ["410"] = "It was there and is no longer kept; `detail` says why.",
        ["412"] = "It has changed since the ETag in If-Match.",
        ["413"] = "The body is larger than is allowed here; `detail` says how large it may be.",
        ["415"] = "The body is of a media type that is not taken here, or not in UTF-8.",
        ["421"] = "The request names the service otherwise than it is known.",
        ["422"] = "The Idempotency-Key was used for another request.",
        ["429"] = "Too many, of requests or of what they ask for; `detail` says which limit that is. Try again after Retry-After.",
        ["500"] = "The service failed; its log has the reason under `traceId`.",
        ["503"] = "The database is unavailable; try again after Retry-After.",
    };

    private static readonly Dictionary<string, OpenApiHeader> Headers = new()
    {
        ["ETag"] = Text("Version of what was answered, for If-None-Match and If-Match."),
        ["Location"] = Text("Address of what was created.", "uri-reference"),
        ["Retry-After"] = new()
        {
            Description = "Seconds after which asking again makes sense.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "0" },
        },
        ["RateLimit"] = Text(
            "Requests that are left (r), and seconds until all are there again (t); on every answer where there is a limit."),
        ["RateLimit-Policy"] = Text("Requests (q) that are allowed in so many seconds (w); on every answer where there is a limit."),
        ["Cache-Control"] = Text("How long the answer may be kept."),
        [Idempotency.ReplayedHeader] = new()
        {
            Description = "Present where an earlier request with the same Idempotency-Key got this answer.",
            Schema = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["true"] },
        },
    };

    private static readonly Dictionary<string, string> RequestHeaders = new()
    {
        ["If-Match"] = "Do it only if the resource is still as it was under this ETag (or one of these).",
        ["If-None-Match"] = "ETags of answers that the client has; if one is still right, the answer is 304 without a body.",
        [Idempotency.Header] = "Makes the request safe to repeat for 24 hours: a repetition creates nothing and gets the first answer, "
            + "marked Idempotency-Replayed. Best a random UUID. Requests that fail are not remembered; an empty key is none.",
    };

    public static Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        operation.Responses ??= [];
        foreach (var status in (string[])["400", "401", "403", "421", "429", "500", "503"])
            operation.Responses.TryAdd(status, Problem(status, context.Document));
        if (operation.Responses.ContainsKey("304") && operation.Parameters?.Any(p => p.Name == "If-None-Match") != true)
            (operation.Parameters ??= []).Add(
                new OpenApiParameter { Name = "If-None-Match", In = ParameterLocation.Header, Schema = String() });

        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            var name = parameter.Name ?? "";
            if (parameter.In == ParameterLocation.Query)
                parameter.Name = name = JsonNamingPolicy.CamelCase.ConvertName(name);
            else if (parameter.In == ParameterLocation.Header)
                parameter.Description = RequestHeaders.GetValueOrDefault(name) ?? parameter.Description;
            else if (parameter.In == ParameterLocation.Path)
                parameter.Description ??= "Name or alias.";
            if (parameter.Schema is OpenApiSchema schema && ParameterSchemas.ByName.TryGetValue(name, out var rule))
                rule(schema);
            if (ParameterSchemas.ComponentOf(operation.OperationId ?? "", name) is { } component)
                parameter.Schema = new OpenApiSchemaReference(component, context.Document);
            else if ((name == "name" && operation.Tags?.FirstOrDefault()?.Name == "Datasets" && context.Description.HttpMethod == "GET")
                || name == "dataset")
                parameter.Examples = OpenApiExamples.Datasets();
        }
        foreach (var (status, answer) in operation.Responses)
            if (answer is OpenApiResponse response)
            {
                if (response.Description == ReasonPhrase(status))
                    response.Description = Statuses.GetValueOrDefault(status, response.Description);
                if (status == "503")
                    response.Headers = Named("Retry-After");
                else if (status == "429")
                    response.Headers = Named("Retry-After", "RateLimit", "RateLimit-Policy");
                else if (status is "200" or "304" && operation.Responses.ContainsKey("304"))
                    response.Headers = Named("ETag", "Cache-Control");
            }
        foreach (var (status, names) in context.Description.ActionDescriptor.EndpointMetadata.OfType<ResponseHeaders>())
            ((OpenApiResponse)operation.Responses[$"{status}"]).Headers =
                Named([.. (operation.Responses[$"{status}"].Headers?.Keys ?? []).Union(names)]);
        operation.Responses = Sorted(operation.Responses);
        foreach (var (status, answer) in operation.Responses)
            foreach (var (mediaType, body) in answer.Content ?? new Dictionary<string, OpenApiMediaType>())
            {
                if (mediaType is MediaTypes.Parquet or "application/octet-stream" && body.Schema is OpenApiSchema bytes)
                    bytes.Format = "binary";
                body.Example = mediaType switch
                {
                    Problems.MediaType => OpenApiExamples.Problem(int.Parse(status, null), operation.Tags?.FirstOrDefault()?.Name ?? "",
                        answer.Description),
                    MediaTypes.Json => OpenApiExamples.Answer(operation.OperationId ?? "", status),
                    _ => null,
                };
            }

        if (OpenApiExamples.ByOperation.TryGetValue(operation.OperationId ?? "", out var examples)
            && operation.RequestBody?.Content is { } content)
            foreach (var body in content.Values)
                body.Examples = examples();
        return Task.CompletedTask;
    }

    /// <summary>Health checks have no handler that ASP.NET could describe.</summary>
    public static void AddHealth(OpenApiDocument document)
    {
        document.AddComponent("Health", new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "What was checked, and what is wrong.",
            Required = new HashSet<string> { "status", "checks" },
            Properties = new Dictionary<string, IOpenApiSchema>
            {
                ["status"] = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["healthy", "degraded", "unhealthy"] },
                ["checks"] = new OpenApiSchema
                {
                    Type = JsonSchemaType.Object,
                    AdditionalProperties = String(),
                    Description = "`ok` or a sentence for each check.",
                },
            },
        });
        Add("/health/live", "getLiveness", "Is the process alive?", "Restart it if not.");
        Add("/health/ready", "getReadiness", "Can the service do its work?",
            "Database reachable and migrated; worker running where this process has one.");

        void Add(string path, string id, string summary, string description)
        {
            OpenApiResponse Answer(string status, string meaning) => new()
            {
                Description = meaning,
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/json"] = new()
                    {
                        Schema = new OpenApiSchemaReference("Health", document),
                        Example = OpenApiExamples.Answer(id, status),
                    },
                },
            };
            document.Paths.Add(path, new OpenApiPathItem
            {
                Operations = new()
                {
                    [HttpMethod.Get] = new()
                    {
                        OperationId = id,
                        Summary = summary,
                        Description = description,
                        Tags = new HashSet<OpenApiTagReference> { new("Health", document) },
                        Responses = new() { ["200"] = Answer("200", "Yes."), ["503"] = Answer("503", "No.") },
                    },
                },
            });
        }
    }

    /// <summary>What answers with the same as another operation has that one's example, where it has none of its own.</summary>
    public static void ShareExamples(OpenApiDocument document)
    {
        var answers = document.Paths.Values.SelectMany(path => (path.Operations ?? []).Values)
            .SelectMany(operation => operation.Responses?.Values ?? Enumerable.Empty<IOpenApiResponse>())
            .Select(answer => answer.Content?.TryGetValue(MediaTypes.Json, out var body) == true ? body : null).OfType<OpenApiMediaType>()
            .Where(body => body.Schema is OpenApiSchemaReference).ToLookup(body => ((OpenApiSchemaReference)body.Schema!).Reference.Id);
        foreach (var alike in answers)
            if (alike.Select(body => body.Example).FirstOrDefault(example => example is not null) is { } example)
                foreach (var body in alike.Where(body => body.Example is null))
                    body.Example = example.DeepClone();
    }

    private static OpenApiResponse Problem(string status, OpenApiDocument? document) => new()
    {
        Description = Statuses[status],
        Content = new Dictionary<string, OpenApiMediaType>
        {
            [Problems.MediaType] = new() { Schema = new OpenApiSchemaReference(OpenApiSchemas.Problem, document) },
        },
    };

    private static string ReasonPhrase(string status) =>
        Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(int.Parse(status, null));

    private static OpenApiResponses Sorted(OpenApiResponses responses)
    {
        var sorted = new OpenApiResponses();
        foreach (var (status, response) in responses.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            sorted[status] = response;
        return sorted;
    }

    private static Dictionary<string, IOpenApiHeader> Named(params string[] names) =>
        names.ToDictionary(name => name, name => (IOpenApiHeader)Headers[name]);

    private static OpenApiHeader Text(string description, string? format = null) =>
        new() { Description = description, Schema = String(format) };

    private static OpenApiSchema String(string? format = null) => new() { Type = JsonSchemaType.String, Format = format };
}
