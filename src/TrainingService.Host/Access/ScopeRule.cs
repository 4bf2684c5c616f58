using Microsoft.AspNetCore.Authorization;

namespace TrainingService.Host.Access;

/// <summary>What a caller needs for a request: an endpoint may say so itself, otherwise reading needs less than changing.</summary>
public sealed class ScopeRule : AuthorizationHandler<ScopeRule.Requirement>
{
    public static Scope Needed(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<NeedsScope>()?.Scope
        ?? (IsReading(http.Request) ? Scope.Read : Scope.Submit);

    public static bool IsReading(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);

    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, Requirement requirement)
    {
        if (context.Resource is HttpContext http && Caller.ScopeOf(context.User) is { } scope && scope >= Needed(http))
            context.Succeed(requirement);
        return Task.CompletedTask;
    }

    public sealed class Requirement : IAuthorizationRequirement;
}

/// <summary>Of an endpoint: what its callers need.</summary>
public sealed record NeedsScope(Scope Scope);
