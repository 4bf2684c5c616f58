namespace TrainingService.Host.Tables;

/// <summary>Numbers groups in the order in which they are met. A row without a group is one by itself.</summary>
public sealed class GroupCodes
{
    /// <summary>Each takes some 30 bytes while the file is read.</summary>
    public const int Most = 1_000_000;

    // Were two of a million groups taken for one, which happens once in ten million files, they would only stay together.
    private readonly Dictionary<ulong, int> _codes = [];
    private int _next;

    /// <exception cref="TableException">If there are too many.</exception>
    public int Of(Cell cell, Missing missing, string column)
    {
        if (missing.Has(cell))
            return _next++;
        var hash = cell.IsNumber ? TextHash.Of(cell.Number) : TextHash.Of(missing.Trim(cell.Text));
        if (_codes.TryGetValue(hash, out var code))
            return code;
        if (_codes.Count == Most)
            throw new TableException($"'{column}' has more than {Most:N0} different values, which is the most for groups", "/groupBy");
        _codes.Add(hash, _next);
        return _next++;
    }
}
