namespace TrainingService.Host.Statistics;

/// <summary>Sentences that are read at a glance: none has more than forty words.</summary>
public static class Prose
{
    public const int MostWords = 40;

    public static int Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;

    /// <summary>What is said and what it rests on, as one sentence if that isn't too long, else as two; neither has its full
    /// stop.</summary>
    /// <param name="head">With its capital.</param>
    /// <param name="joint">Between both in one sentence.</param>
    /// <param name="tail">As it goes on.</param>
    /// <param name="alone">As it begins a sentence of its own; the tail, if null.</param>
    public static string Joined(string head, string joint, string tail, string? alone = null) =>
        Words(head) + Words(tail) + Words(joint) <= MostWords ? $"{head}{joint}{tail}." : $"{head}. {Capital(alone ?? tail)}.";

    /// <summary>Items under a heading, in as many sentences as it takes: "Better: a, b. Also better: c."</summary>
    public static string List(string heading, IReadOnlyList<string> items, string joint = ", ")
    {
        var sentences = new List<string>();
        var (some, words) = (new List<string>(), Words(heading));
        foreach (var item in items)
        {
            if (some.Count > 0 && words + Words(item) > MostWords - 2)
            {
                sentences.Add(Sentence());
                (some, words) = ([], Words(heading) + 1);
            }
            some.Add(item);
            words += Words(item);
        }
        if (some.Count > 0)
            sentences.Add(Sentence());
        return string.Join(" ", sentences);

        string Sentence() => $"{(sentences.Count == 0 ? heading : $"Also {char.ToLowerInvariant(heading[0])}{heading[1..]}")}: "
            + $"{string.Join(joint, some)}.";
    }

    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];
}
