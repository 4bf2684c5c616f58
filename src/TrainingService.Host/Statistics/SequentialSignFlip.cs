using TrainingService.Engine.Randomness;

namespace TrainingService.Host.Statistics;

/// <summary>
/// The sign-flip test of <see cref="SignFlip"/> for differences that are looked at more than once. If neither arm is better, each
/// difference could as well have had the other sign, at all looks together: given the sizes, the joint distribution of the sums at the
/// looks is known. At each look the boundary is the lowest with which at most the share alpha f of all signs has crossed at this look or
/// before (alpha spending, see <see cref="Looks"/>). The p is the least alpha at which the differences seen have crossed by now: it is
/// valid at any look.
/// </summary>
/// <remarks>
/// <para>
/// Signs are flipped by the 2^14 elements of a group: difference i changes its sign in element e if the bits that e and the generator g_i
/// have in common are odd in number. The first fourteen generators are the single bits, so that up to fourteen differences get all signs;
/// those beyond get fixed random ones, any two of them independent. Since the elements are a group which holds the signs seen, the test
/// keeps its level exactly, however many differences there are (Hemerik and Goeman, "Exact testing with random permutations", TEST 27
/// (2018)). And the sums under all elements are one Walsh-Hadamard transform of the differences.
/// </para>
/// <para>
/// Up to fourteen differences it is the exact distribution, and more seeds don't change what earlier looks have shown.
/// </para>
/// </remarks>
public static class SequentialSignFlip
{
    private const int Bits = 14;

    private const int Elements = 1 << Bits;

    /// <summary>The p that is valid at any look, and that Holm's adjustment over so many contrasts may take.</summary>
    /// <param name="scores">What each look saw, the later ones more pairs.</param>
    /// <param name="spent">Share of the risk spent by each look.</param>
    /// <param name="contrasts">Contrasts that share alpha.</param>
    public static double Test(IReadOnlyList<Scores> scores, IReadOnlyList<double> spent, int contrasts)
    {
        var generators = Generators(scores);
        var looks = scores.Select((of, look) => new Ordered(Sums(of.Signed, generators), of.Tie, spent[look])).ToArray();
        // With few pairs a larger alpha may cross less, since an early look spends it all on one sum. So first at which of the levels that
        // Holm asks for the boundary is crossed, then where between two of them.
        var (low, high) = (Tails.Alpha, 1.0);
        for (var sharing = 1; sharing <= contrasts && Crosses(looks, Tails.Alpha / sharing); sharing += 1 + sharing / 16)
            (low, high) = (sharing == contrasts ? 0 : Tails.Alpha / (sharing + 1), Tails.Alpha / sharing);
        if (high == 1 && !Crosses(looks, 1))
            return 1;
        while (high - low > 0.25 / Elements)
        {
            var middle = (low + high) / 2;
            if (Crosses(looks, middle))
                high = middle;
            else
                low = middle;
        }
        // Between two shares of the elements nothing changes.
        return looks.Where(look => look.Spent > 0)
            .Max(look => Math.Min(1, Math.Floor(high * look.Spent * Elements + 1e-6) / (look.Spent * Elements)));
    }

    /// <summary>The least p that so many differing pairs at each look can give.</summary>
    public static double LeastP(IEnumerable<int> differing, IReadOnlyList<double> spent) =>
        differing.Zip(spent, (pairs, share) => Math.Min(1, Math.Max(SignFlip.LeastP(pairs), 1.0 / Elements) / share)).Min();

    /// <summary>Whether the signs seen, element 0, cross a boundary at this alpha.</summary>
    private static bool Crosses(Ordered[] looks, double alpha)
    {
        var crossed = new bool[Elements];
        var (count, spent) = (0, 0.0);
        foreach (var look in looks)
        {
            // What few signs leave over by their number alone is not there to be spent by a look that was given nothing.
            if (look.Spent <= spent)
                continue;
            spent = look.Spent;
            var most = (int)Math.Floor(alpha * look.Spent * Elements + 1e-6);
            for (var (from, to) = (0, 0); from < Elements && count < most; from = to)
            {
                // Equal sums cross together or not at all.
                var fresh = 0;
                for (to = from; to < Elements && look.Tie(from, to); to++)
                    fresh += crossed[look.Element(to)] ? 0 : 1;
                if (count + fresh > most)
                    break;
                for (var place = from; place < to; place++)
                    crossed[look.Element(place)] = true;
                count += fresh;
            }
            if (crossed[0])
                return true;
        }
        return false;
    }

    /// <summary>For each pair its generator; pairs that tell nothing at any look need none.</summary>
    private static int[] Generators(IReadOnlyList<Scores> scores)
    {
        var generators = new int[scores[^1].Signed.Length];
        var taken = new HashSet<int> { 0 };
        var random = new SplitMix64(Bits);
        for (var pair = 0; pair < generators.Length; pair++)
        {
            if (!scores.Any(of => pair < of.Signed.Length && of.Signed[pair] != 0))
                continue;
            var next = taken.Count - 1;
            var generator = next < Bits ? 1 << next : 0;
            while (!taken.Add(generator) && taken.Count < Elements)
                generator = (int)(random.Next() & (Elements - 1));
            generators[pair] = generator;
        }
        return generators;
    }

    /// <summary>The absolute sums of the scores under all elements.</summary>
    private static double[] Sums(double[] scores, int[] generators)
    {
        var sums = new double[Elements];
        foreach (var (pair, score) in scores.Index())
            sums[generators[pair]] += generators[pair] == 0 ? 0 : score;
        for (var half = 1; half < Elements; half *= 2)
            for (var block = 0; block < Elements; block += 2 * half)
                for (var i = block; i < block + half; i++)
                    (sums[i], sums[i + half]) = (sums[i] + sums[i + half], sums[i] - sums[i + half]);
        for (var i = 0; i < sums.Length; i++)
            sums[i] = Math.Abs(sums[i]);
        return sums;
    }

    /// <summary>The elements of one look, the largest sum first.</summary>
    private sealed class Ordered
    {
        private readonly int[] _elements = new int[Elements];
        private readonly double[] _sums;
        private readonly double _tie;

        public Ordered(double[] sums, double tie, double spent)
        {
            (_sums, Spent) = (sums, spent);
            for (var i = 0; i < Elements; i++)
                (_elements[i], _sums[i]) = (i, -sums[i]);
            Array.Sort(_sums, _elements);
            _tie = Math.Max(tie, -1e-12 * _sums[0]);
        }

        public double Spent { get; }

        public int Element(int place) => _elements[place];

        /// <summary>Whether the sums at two places are one but for rounding.</summary>
        public bool Tie(int place, int later) => _sums[later] - _sums[place] <= _tie;
    }
}

/// <summary>Pairs as a sign test sees them.</summary>
/// <param name="Signed">Signed sizes in the order in which the pairs came; 0 for a pair that tells nothing.</param>
/// <param name="Tie">Sums no further apart than this are equal.</param>
public sealed record Scores(double[] Signed, double Tie);
