using System.Text;

namespace TrainingService.Engine.Specs;

/// <summary>Finds what a misspelt name probably meant.</summary>
public static class Names
{
    private const int Longest = 200;

    /// <summary>Beyond, they are names that the client has given itself, and each unknown one would be compared with all.</summary>
    private const int MostCandidates = 300;

    /// <summary>
    /// The candidate with the smallest edit distance (insertions, deletions, substitutions, swaps of neighbours; case ignored), or null if
    /// none is within a third of the name's length.
    /// </summary>
    public static string? Nearest(string name, IEnumerable<string> candidates)
    {
        var best = (Distance: Math.Max(1, name.Length / 3) + 1, Name: (string?)null);
        if (name.Length > Longest)
            return null;
        var lower = name.ToLowerInvariant();
        foreach (var candidate in candidates)
        {
            // each character more or less is a step
            if (Math.Abs(candidate.Length - name.Length) >= best.Distance)
                continue;
            var distance = Distance(lower, candidate.ToLowerInvariant(), best.Distance);
            if (distance < best.Distance)
                best = (distance, candidate);
        }
        return best.Name;
    }

    /// <summary>
    /// The candidate that the name is but for case, hyphens, underscores and blanks (leaky_relu for PyTorch's LeakyReLU, adam for Adam), or
    /// null.
    /// </summary>
    public static string? Same(string name, IReadOnlyList<string> candidates)
    {
        if (candidates.Contains(name))
            return name;
        if (name.Length > Longest)
            return null;
        var letters = Letters(name);
        return candidates.FirstOrDefault(candidate => Letters(candidate).Equals(letters, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>": did you mean 'x'?" or "", to be put behind a message.</summary>
    public static string DidYouMean(string name, IEnumerable<string> candidates)
    {
        IReadOnlyList<string> known = [.. candidates];
        return (Nearest(name, known) ?? Fuller(name, known)) is { } meant ? $": did you mean '{meant}'?" : "";
    }

    /// <summary>The shortest candidate of which the name is one word or several: he_normal for "he", testAccuracy for "accuracy".</summary>
    private static string? Fuller(string name, IReadOnlyList<string> candidates)
    {
        var words = Words(name);
        return words.Trim().Length == 0 || candidates.Count > MostCandidates ? null
            : candidates.Where(candidate => Words(candidate).Contains(words, StringComparison.Ordinal))
                .OrderByDescending(candidate => Words(candidate).EndsWith(words, StringComparison.Ordinal))
                .ThenBy(candidate => candidate.Length).FirstOrDefault();
    }

    /// <summary>In lower case, with a blank before each and behind the last.</summary>
    private static string Words(string name)
    {
        var words = new StringBuilder(" ");
        foreach (var character in name)
        {
            if (!char.IsLetterOrDigit(character) || char.IsUpper(character))
                words.Append(' ');
            if (char.IsLetterOrDigit(character))
                words.Append(char.ToLowerInvariant(character));
        }
        return words.Append(' ').Replace("  ", " ").ToString();
    }

    private static string Letters(string name) => string.Concat(name.Where(character => character is not ('_' or '-' or ' ')));

    /// <summary>Exact below the limit; so only places are looked at that are no further from the diagonal (Ukkonen 1985).</summary>
    private static int Distance(string a, string b, int limit)
    {
        // a row for each of the last three characters
        var width = b.Length + 1;
        Span<int> rows = stackalloc int[3 * width];
        for (var i = 0; i <= a.Length; i++)
        {
            var row = rows.Slice(i % 3 * width, width);
            var above = rows.Slice((i + 2) % 3 * width, width);
            var higher = rows.Slice((i + 1) % 3 * width, width);
            var (first, last) = (Math.Max(0, i - limit), Math.Min(b.Length, i + limit));
            if (first > 0)
                row[first - 1] = limit;
            if (last < b.Length)
                row[last + 1] = limit;
            for (var j = first; j <= last; j++)
            {
                row[j] = i == 0 ? j : j == 0 ? i
                    : Math.Min(Math.Min(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], higher[j - 2] + 1);
            }
        }
        return rows[(a.Length % 3 * width) + b.Length];
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
