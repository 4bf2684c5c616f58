namespace TrainingService.Host.Http;

/// <summary>What clients have already.</summary>
public static class EntityTags
{
    public static bool NoneMatch(HttpRequest request, string tag) =>
        request.GetTypedHeaders().IfNoneMatch.Any(given => given.Tag == "*" || given.Tag == tag);
}
