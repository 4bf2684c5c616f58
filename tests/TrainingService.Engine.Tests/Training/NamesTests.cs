using TrainingService.Engine.Specs;
using Xunit;

namespace TrainingService.Engine.Tests.Training;

public sealed class NamesTests
{
    [Fact]
    public void The_nearest_name_is_that_of_the_smallest_distance_within_a_third()
    {
        var random = new Random(1);
        string Word() => string.Concat(Enumerable.Range(0, random.Next(1, 14)).Select(_ => (char)('a' + random.Next(3))));
        for (var i = 0; i < 2_000; i++)
        {
            var (name, candidates) = (Word(), Enumerable.Range(0, 20).Select(_ => Word()).ToList());
            var nearest = candidates.MinBy(candidate => Distance(name, candidate))!;
            Assert.Equal(Distance(name, nearest) <= Math.Max(1, name.Length / 3) ? nearest : null, Names.Nearest(name, candidates));
        }
    }

    [Fact]
    public void Only_so_many_names_get_a_hint()
    {
        var hints = new Hints();
        Assert.Equal(20, Enumerable.Range(0, 100).Count(_ => hints.DidYouMean("tahn", ["relu", "tanh"]) == ": did you mean 'tanh'?"));
    }

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours, by their recursive definition.</summary>
    private static int Distance(string a, string b)
    {
        var known = new Dictionary<(int, int), int>();
        return Of(a.Length, b.Length);

        int Of(int i, int j)
        {
            if (i == 0 || j == 0)
                return i + j;
            if (known.TryGetValue((i, j), out var distance))
                return distance;
            distance = Math.Min(Math.Min(Of(i - 1, j), Of(i, j - 1)) + 1, Of(i - 1, j - 1) + (a[i - 1] == b[j - 1] ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                distance = Math.Min(distance, Of(i - 2, j - 2) + 1);
            return known[(i, j)] = distance;
        }
    }
}
