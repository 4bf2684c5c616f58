using Microsoft.EntityFrameworkCore;
using TrainingService.Engine.Specs;
using TrainingService.Host.Http;

namespace TrainingService.Host.Data;

/// <summary>Who reads a row beside its owner and those who see all.</summary>
public enum Visibility
{
    /// <summary>Nobody.</summary>
    Private,

    /// <summary>Everyone who has a key.</summary>
    Everyone,
}

/// <summary>A row that is somebody's; '' for nobody's. What hangs on it and is reached through it alone has no owner itself.</summary>
public interface IOwned
{
    string Owner { get; }
}

/// <summary>A row that its owner may share.</summary>
public interface IShared : IOwned
{
    Visibility Visibility { get; }
}

public static class Owned
{
    /// <summary>In a list's <c>owner</c>: what is nobody's, as from before there were keys. Nobody is called so.</summary>
    public const string Nobodys = "none";

    /// <summary>Whose rows a list's <c>owner</c> asks for.</summary>
    public static string? Asked(string? owner) => owner is Nobodys ? "" : owner;

    /// <summary>As clients see it: null for nobody.</summary>
    public static string? Named(string owner) => owner.Length == 0 ? null : owner;

    /// <summary>
    /// What a list holds: all of an owner, or all that is shared or isn't; else, of those who don't see all, their own. Each is found by
    /// an index, newest first, but for nobody's.
    /// </summary>
    public static IQueryable<T> Listed<T>(this IQueryable<T> rows, string? owner, Visibility? visibility) where T : class, IShared
    {
        owner = Asked(owner) ?? (visibility is null && View.Current is { SeesAll: false } view ? view.Owner : null);
        if (owner is "")
            rows = rows.Where(row => EF.Property<string>(row, nameof(IOwned.Owner)) == "");
        else if (owner is not null)
            // the second says what the index says
            rows = rows.Where(row => EF.Property<string>(row, nameof(IOwned.Owner)) == owner
                && EF.Property<string>(row, nameof(IOwned.Owner)) != "");
        return visibility switch
        {
            null => rows,
            Visibility.Everyone => rows.Where(row => EF.Property<Visibility>(row, nameof(IShared.Visibility)) == Visibility.Everyone),
            _ => rows.Where(row => EF.Property<Visibility>(row, nameof(IShared.Visibility)) == Visibility.Private),
        };
    }

    /// <summary>Of rows with one name: one's own first, then what is shared.</summary>
    public static IOrderedQueryable<T> Nearest<T>(this IQueryable<T> rows) where T : class, IShared
    {
        var own = View.Current.Owner;
        return rows.OrderByDescending(row => EF.Property<string>(row, nameof(IOwned.Owner)) == own)
            .ThenByDescending(row => EF.Property<Visibility>(row, nameof(IShared.Visibility)) == Visibility.Everyone)
            .ThenBy(row => EF.Property<string>(row, nameof(IOwned.Owner)));
    }

    /// <summary>In an address.</summary>
    public const string VisibilityPattern = "^(private|everyone)$";

    public static Visibility? Read(string? visibility, ICollection<SpecError> errors)
    {
        if (visibility is not (null or "private" or "everyone"))
            errors.Add(new("/visibility", $"must be private or everyone, not '{Characters.Shorten(visibility, 100)}'"));
        return visibility switch
        {
            "private" => Visibility.Private,
            "everyone" => Visibility.Everyone,
            _ => null,
        };
    }
}
