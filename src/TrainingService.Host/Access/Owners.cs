using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Http;

namespace TrainingService.Host.Access;

/// <summary>
/// A request looks at the database in the eyes of its caller (<see cref="View"/>). Who changes something sees their own rows alone, so that
/// what others share can't be changed by them, whatever a handler forgets; they are then told so, and not that there is nothing.
/// </summary>
public static class Owners
{
    /// <summary>Comes after the caller is known.</summary>
    public static void UseOwners(this WebApplication app) => app.Use(async (http, next) =>
    {
        using var view = View.Enter(ViewOf(http));
        await next(http);
    });

    /// <summary>What the route makes is the caller's own, though it may be made of what others share.</summary>
    public static RouteHandlerBuilder ReadsShared(this RouteHandlerBuilder route) => route.WithMetadata(new Reads());

    /// <summary>The route changes the row that its address names.</summary>
    public static RouteHandlerBuilder Changes<T>(this RouteHandlerBuilder route) where T : class, IShared =>
        route.AddEndpointFilter(async (context, next) =>
        {
            var answer = await next(context);
            return StatusOf(answer) is StatusCodes.Status404NotFound && !View.Current.SeesAll
                && await SharerAsync<T>(context.HttpContext) is { } owner
                ? Problems.Forbidden($"'{owner}' shares this with everyone to be read; only its owner and admins may change it.") : answer;
        });

    private static View ViewOf(HttpContext http) => Caller.ScopeOf(http.User) switch
    {
        null => View.Nothing,
        Scope.Admin => new(Caller.OwnerOf(http.User) ?? "", SeesAll: true, ReadsShared: true),
        _ => Caller.OwnerOf(http.User) is not { Length: > 0 } owner ? View.Nothing
            : new(owner, SeesAll: false,
                ReadsShared: ScopeRule.IsReading(http.Request) || http.GetEndpoint()?.Metadata.GetMetadata<Reads>() is not null),
    };

    private static int? StatusOf(object? answer) => answer switch
    {
        INestedHttpResult { Result: var inner } => StatusOf(inner),
        IStatusCodeHttpResult result => result.StatusCode,
        _ => null,
    };

    /// <summary>Whose it is that the caller could only read; null if it isn't there for them at all.</summary>
    private static async Task<string?> SharerAsync<T>(HttpContext http) where T : class, IShared
    {
        using var reading = View.EnterReading();
        var rows = http.RequestServices.GetRequiredService<TrainingDbContext>().Set<T>().AsNoTracking();
        var (id, name) = (http.GetRouteValue("id") as string, http.GetRouteValue("name") as string);
        rows = Guid.TryParse(id, out var key) ? rows.Where(row => EF.Property<Guid>(row, "Id") == key)
            : rows.Where(row => EF.Property<string>(row, "Name") == name);
        return await rows.Select(row => EF.Property<string>(row, nameof(IOwned.Owner))).FirstOrDefaultAsync(http.RequestAborted);
    }

    private sealed class Reads;
}
