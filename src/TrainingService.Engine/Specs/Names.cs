namespace TrainingService.Engine.Specs;

/// <summary>Finds what a misspelt name probably meant.</summary>
public static class Names
{
    /// <summary>
    /// The candidate with the smallest edit distance (insertions, deletions, substitutions, swaps of neighbours; case ignored), or null if
    /// none is within a third of the name's length.
    /// </summary>
    public static string? Nearest(string name, IEnumerable<string> candidates)
    {
        var best = (Distance: Math.Max(1, name.Length / 3) + 1, Name: (string?)null);
        foreach (var candidate in candidates)
        {
            // each character more or less is a step
            if (Math.Abs(candidate.Length - name.Length) >= best.Distance)
                continue;
            var distance = Distance(name.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance < best.Distance)
                best = (distance, candidate);
        }
        return best.Name;
    }

    /// <summary>": did you mean 'x'?" or "", to be put behind a message.</summary>
    public static string DidYouMean(string name, IEnumerable<string> candidates) =>
        Nearest(name, candidates) is { } nearest ? $": did you mean '{nearest}'?" : "";

    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > 20 || a.Length > 200)
            return int.MaxValue;
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
            for (var j = 1; j <= b.Length; j++)
            {
                d[i, j] = Math.Min(Math.Min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        return d[a.Length, b.Length];
    }
}

/// <summary>
/// Guesses for many names of one request: for the first ones, since each is compared with all candidates, and who has misspelt so many has
/// made one mistake.
/// </summary>
public sealed class Hints
{
    private const int Most = 20;

    private int _given;

    /// <summary>As <see cref="Names.DidYouMean"/>, and "" once there were enough.</summary>
    public string DidYouMean(string name, IEnumerable<string> candidates) =>
        _given++ < Most ? Names.DidYouMean(name, candidates) : "";
}
