using Microsoft.OpenApi;

namespace TrainingService.Host.Http;

/// <summary>Names of headers that answers of a status carry, as endpoint metadata.</summary>
public sealed record ResponseHeaders(int Status, string[] Names);

/// <summary>What a route answers beside what its handler's signature says.</summary>
public static class RouteAnswers
{
    public static RouteHandlerBuilder AnswersWith(this RouteHandlerBuilder route, int status, params string[] headers) =>
        route.WithMetadata(new ResponseHeaders(status, headers));

    /// <summary>Other media types of a 200: <c>Produces</c> knows one schema for all of a status.</summary>
    public static RouteHandlerBuilder AlsoAs(this RouteHandlerBuilder route, params string[] mediaTypes) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            if (operation.Responses?["200"].Content is not { } content)
                throw new InvalidOperationException("A route that answers in other media types answers 200 with a body.");
            foreach (var mediaType in mediaTypes)
                content[mediaType] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
            return Task.CompletedTask;
        });

    /// <summary>A query parameter that only callers from before use.</summary>
    public static RouteHandlerBuilder Undocumented(this RouteHandlerBuilder route, string parameter) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters = [.. (operation.Parameters ?? []).Where(known => known.Name != parameter)];
            return Task.CompletedTask;
        });

    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params int[] statuses) =>
        statuses.Aggregate(route, (builder, status) => builder.ProducesProblem(status));
}
