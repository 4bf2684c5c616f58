using System.Text.Json;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.OpenApi;

/// <summary>The served document, and whether an answer is one that it describes.</summary>
public sealed class Document
{
    private Document(string text)
    {
        Text = text;
        Json = JsonDocument.Parse(text).RootElement;
        Schemas = new(Json);
    }

    public string Text { get; }
    public JsonElement Json { get; }
    public JsonSchemaCheck Schemas { get; }

    public static async Task<Document> Read(HttpClient http)
    {
        var answer = await http.GetAnswer("/openapi/v1.json");
        Assert.Equal((200, "application/json"), (answer.Status, answer.MediaType));
        return new(answer.Text);
    }

    public JsonElement Schema(string name) => Json.GetProperty("components").GetProperty("schemas").GetProperty(name);

    public JsonElement Operation(string method, string path) =>
        Json.GetProperty("paths").GetProperty(path).GetProperty(method.ToLowerInvariant());

    /// <summary>Empty if status, content type and body are as described.</summary>
    public IReadOnlyList<string> Undescribed(string method, string path, Answer answer)
    {
        if (!Operation(method, path).GetProperty("responses").TryGetProperty($"{answer.Status}", out var response))
            return [$"status {answer.Status} is not described"];
        if (!response.TryGetProperty("content", out var content))
            return answer.Text.Length == 0 ? [] : [$"a body with {answer.Status} is not described"];
        if (answer.MediaType is null || !content.TryGetProperty(answer.MediaType, out var media))
            return [$"media type {answer.MediaType} with {answer.Status} is not described"];
        return answer.MediaType.EndsWith("json", StringComparison.Ordinal) ? Schemas.Errors(media.GetProperty("schema"), answer.Json) : [];
    }
}
