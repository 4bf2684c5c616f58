namespace TrainingService.Host.Data;

/// <summary>
/// In whose eyes the database is looked at, from a request's beginning to its end: each query of the context filters by it, and each row
/// that is made meanwhile is theirs. Workers, and whatever else runs by itself, see all.
/// </summary>
/// <param name="Owner">Whose the rows are that are made; '' for nobody's, as those of a service whose access is open.</param>
/// <param name="SeesAll">Whether other people's rows are there, too.</param>
/// <param name="ReadsShared">Whether those are that others share; not where rows are changed.</param>
public sealed record View(string Owner, bool SeesAll, bool ReadsShared)
{
    public static readonly View Everything = new("", true, true);

    /// <summary>Of those who are nobody: no owner has such a name, so that nothing is theirs.</summary>
    public static readonly View Nothing = new("\u0001", false, false);

    private static readonly AsyncLocal<View?> Local = new();

    public static View Current => Local.Value ?? Everything;

    /// <summary>Whether a row is theirs, or as good as.</summary>
    public bool Owns(IOwned row) => SeesAll || row.Owner == Owner;

    /// <summary>Until it is disposed of, by the method that calls this and all that it calls.</summary>
    public static Use Enter(View view)
    {
        var before = new Use(Local.Value);
        Local.Value = view;
        return before;
    }

    /// <summary>As now, with what others share.</summary>
    public static Use EnterReading() => Enter(Current with { ReadsShared = true });

    public readonly struct Use(View? before) : IDisposable
    {
        public void Dispose() => Local.Value = before;
    }
}
