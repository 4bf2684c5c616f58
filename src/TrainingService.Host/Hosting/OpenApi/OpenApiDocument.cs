using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using TrainingService.Host.Access;

namespace TrainingService.Host.Hosting.OpenApi;

/// <summary>
/// The document at <c>/openapi/v1.json</c> and the page at <c>/swagger</c> that shows it. ASP.NET derives it from routes, types and XML
/// comments; what those can't say (ranges, names, headers, examples) is added by the files beside this one.
/// </summary>
public static partial class OpenApiDocumentation
{
    private const string Description = """
        Trains dense neural networks on a SIMD engine of its own and measures what happens inside them: sparsity, dead and
        saturated units, gradient flow.

        [Pages for people](/) show and do the same in a browser. Below, operations stand in the order in which one needs them: data, what
        nets are made of, a training, what it measured, its net, many trainings compared, questions that are asked often.

        **In three requests**

        1. `GET /api/v1/datasets` tells what data there is, `GET /api/v1/activations` and `GET /api/v1/initializers` what a
           network can be made of, `GET /api/v1/fields` all that a job may say.
        2. `POST /api/v1/jobs` with `{"dataset": "digits"}` trains a network with defaults. It answers 202 at once; `Location` is the job.
        3. `GET` the job until its `status` is `succeeded`; then `result` has the accuracies, `/metrics` the curves and `/layers` what
           each layer did.

        **Conventions**

        - JSON in camelCase, times in ISO 8601 UTC, ids are UUIDv7. Unknown fields and unknown query parameters are refused with the
          nearest known name.
        - A plain name stands for an object with only a name: `"activation": "relu"` is `"activation": {"name": "relu"}`.
        - A measured number that is not finite is one of the strings `"NaN"`, `"Infinity"`, `"-Infinity"`. Requests take finite
          numbers only.
        - Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problem details; branch on `type`. `errors` maps places in the
          request (JSON pointers) to messages.
        - `Idempotency-Key` makes a creating POST safe to repeat. ETags save reading what has not changed (`If-None-Match`) and guard
          against changes unseen (`If-Match`).
        - Where the service has access keys, each request needs one: `Authorization: Bearer KEY` or `X-Api-Key: KEY`; or, where it takes
          those, a token of a login service (JWT) as `Authorization: Bearer TOKEN`. 401 says that there is none that is valid, 403 that it
          does not allow this.
        - Lists come in pages: pass `nextCursor` as `cursor` until it is null.
        """;

    private const string Bearer = "bearer", ApiKey = "apiKey";

    public static void AddOpenApiDocument(this WebApplicationBuilder builder) => builder.Services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddSchemaTransformer(OpenApiSchemas.Describe);
        options.AddOperationTransformer(OpenApiOperations.Describe);
        options.AddDocumentTransformer(Describe);
    });

    public static void MapOpenApiDocument(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        app.UseSwaggerUI(page =>
        {
            page.RoutePrefix = "swagger";
            page.DocumentTitle = "TrainingService";
            page.EnableDeepLinking();
            page.EnableTryItOutByDefault();
            // as wide as the phone, and with room for long addresses
            page.HeadContent = """
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <style>@media (max-width: 44rem) { .swagger-ui .wrapper { padding: 0 .6rem; }
                .swagger-ui .opblock .opblock-summary { flex-wrap: wrap; } .swagger-ui .opblock-summary-path { max-width: 100%; }
                .swagger-ui .opblock-summary-path, .swagger-ui .opblock-summary-description { overflow-wrap: anywhere; }
                .swagger-ui table.parameters, .swagger-ui .parameters > tbody > tr { display: block; }
                .swagger-ui .parameters-col_name, .swagger-ui .parameters-col_description { display: block; width: 100%; }
                .swagger-ui .topbar .download-url-wrapper { display: none; } }</style>
                """;
            page.SwaggerEndpoint("../openapi/v1.json", "TrainingService v1");
        });
    }

    private static Task Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellation)
    {
        document.Info = new()
        {
            Title = "TrainingService",
            Version = typeof(OpenApiDocumentation).Assembly.GetName().Version?.ToString(3),
            Summary = "Training of neural networks as a service, with a view inside every layer.",
            Description = Description,
            Contact = new() { Name = "Whoever runs this service" },
            License = new() { Name = "MIT", Identifier = "MIT" },
        };
        document.Servers = [new() { Url = "/", Description = "This service" }];
        document.AddComponent(Bearer, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = "bearer",
            Description = "An access key, or a token (JWT) where the service takes those of a login service.",
        });
        document.AddComponent(ApiKey, new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.ApiKey,
            In = ParameterLocation.Header,
            Name = KeyAuthentication.Header,
            Description = "An access key.",
        });
        // The empty requirement is for services that have no keys: access is open there.
        document.Security =
        [
            new() { [new(Bearer, document)] = [] },
            new() { [new(ApiKey, document)] = [] },
            [],
        ];
        // as one goes: from data to an answer
        document.Tags = new HashSet<OpenApiTag>
        {
            new() { Name = "Datasets", Description = "First: what there is to train on, and data of one's own." },
            new()
            {
                Name = "Catalogue",
                Description = "What networks are made of: activations and initialisers, with formulas, parameters and gains.",
            },
            new() { Name = "Jobs", Description = "Submit a training, follow it, cancel it, delete it." },
            new() { Name = "Metrics", Description = "What a job measured: losses and accuracies, and the state of every layer over time." },
            new() { Name = "Models", Description = "Trained nets: ask them, explain them, download them, give them names." },
            new()
            {
                Name = "Sweeps",
                Description = "Compare variants of a job over seeds: which differences are real, and how sure that is.",
            },
            new()
            {
                Name = "Studies",
                Description =
                    "Built-in sweeps that test claims about activations and initialisers which are often repeated, on data of one's own.",
            },
            new() { Name = "Webhooks", Description = "Who is told when something ends." },
            new() { Name = "Keys", Description = "Who may do what, where access is not open." },
            new() { Name = "Health", Description = "For load balancers and orchestrators." },
        };
        OpenApiOperations.AddHealth(document);
        OpenApiOperations.ShareExamples(document);
        OpenApiSchemas.Finish(document);
        foreach (var schema in OpenApiSchemas.Of(document).Values.OfType<OpenApiSchema>())
            Readable(schema);
        foreach (var parameter in document.Paths.Values.SelectMany(path => (path.Operations ?? []).Values)
            .SelectMany(operation => operation.Parameters ?? []))
            parameter.Description = Readable(parameter.Description);
        return Task.CompletedTask;
    }

    private static void Readable(OpenApiSchema schema)
    {
        schema.Description = Readable(schema.Description);
        foreach (var property in schema.Properties?.Values ?? [])
        {
            property.Description = Readable(property.Description);
            // What says something about the field stands at its optional type, not at the field.
            if (property is OpenApiSchema { OneOf: { } choices, Description: null } choice)
            {
                choice.Description = Readable(choices.Select(c => c.Description).FirstOrDefault(d => d is not null));
                foreach (var reference in choices.OfType<OpenApiSchemaReference>())
                    reference.Description = null;
            }
        }
    }

    /// <summary>Comments arrive with XML's escapes, and with C#'s names where they refer to a member.</summary>
    private static string? Readable(string? description) => description is null ? null : Member().Replace(
        Indent().Replace(WebUtility.HtmlDecode(description), "\n"),
        member => $"`{JsonNamingPolicy.CamelCase.ConvertName(member.Groups["member"].Value)}`");

    [GeneratedRegex(@"(?:[\w<>?]+ )?\b[A-Z]\w+(?:Spec|Shape|Response)\.(?<member>\w+)")]
    private static partial Regex Member();

    [GeneratedRegex(@"\n +(?=\w|`)")]
    private static partial Regex Indent();
}
