namespace TrainingService.Host.Tables;

internal static class ColumnNames
{
    /// <summary>-1 if there is none of that name.</summary>
    public static int PlaceOf(this IReadOnlyList<string> names, string name)
    {
        for (var i = 0; i < names.Count; i++)
            if (names[i] == name)
                return i;
        return -1;
    }
}
