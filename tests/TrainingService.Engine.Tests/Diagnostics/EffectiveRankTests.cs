using TrainingService.Engine.Diagnostics;
using TrainingService.Engine.Tests.Golden;
using TrainingService.Engine.Tests.Training;
using Xunit;

namespace TrainingService.Engine.Tests.Diagnostics;

public class EffectiveRankTests
{
    [Theory, InlineData(1), InlineData(2), InlineData(5), InlineData(33), InlineData(120)]
    public void Eigenvalues_are_those_that_a_matrix_was_made_of(int n)
    {
        // Q diag(e) Q', Q a product of random reflections: nothing that the solver does itself
        var random = new SplitMix64(5);
        double[] expected = [.. Enumerable.Range(0, n).Select(i => i % 4 == 3 ? 0 : i % 4 == 2 ? 1e-9 * i : 3.0 * i - 20)];
        var a = expected.Select((e, i) => expected.Select((_, j) => i == j ? e : 0).ToArray()).ToArray();
        for (var reflection = 0; reflection < 3 * n; reflection++)
        {
            var v = random.Symmetric(n, 1);
            var length = v.Sum(x => x * x);
            foreach (var transposed in new[] { false, true })
                for (var i = 0; i < n; i++)
                {
                    var product = Enumerable.Range(0, n).Sum(j => v[j] * (transposed ? a[j][i] : a[i][j]));
                    for (var j = 0; j < n; j++)
                        (transposed ? ref a[j][i] : ref a[i][j]) -= 2 * product * v[j] / length;
                }
        }
        Close.Assert([.. expected.Order()], [.. SymmetricEigenvalues.Of(a, TestContext.Current.CancellationToken).Order()], 1e-11 * n);
    }

    [Fact]
    public void Trivial_matrices_have_their_eigenvalues()
    {
        Assert.Equal([0, 0, 0], Of([[0], [0, 0], [0, 0, 0]]));
        Assert.Equal([2, 5, 7], Of([[5], [0, 2], [0, 0, 7]]).Order());
        Close.Assert([-1, 3], [.. Of([[1], [2, 1]]).Order()], 1e-15);
        Assert.Empty(SymmetricEigenvalues.Of([], TestContext.Current.CancellationToken));
        static double[] Of(double[][] lower) => SymmetricEigenvalues.Of(lower, TestContext.Current.CancellationToken);
    }

    [Theory, InlineData(4, 4), InlineData(7, 40), InlineData(40, 10)]
    public void Rows_along_the_axes_use_as_many_directions_as_there_are(int units, int rows)
    {
        // each row activates one unit, each unit equally often
        var h = Enumerable.Range(0, rows).Select(r => Enumerable.Range(0, units).Select(u => u == r % units ? 2f : 0).ToArray()).ToArray();
        var used = Math.Min(units, rows);
        var shares = Enumerable.Range(0, used).Select(u => Math.Sqrt(Enumerable.Range(0, rows).Count(r => r % units == u))).ToArray();
        var expected = Math.Exp(-shares.Sum(s => s / shares.Sum() * Math.Log(s / shares.Sum())));
        Assert.Equal(expected, Rank(h), 1e-5);
    }

    [Fact]
    public void Rows_on_one_line_use_one_direction() =>
        Assert.Equal(1, Rank([.. Enumerable.Range(1, 50).Select(r => Enumerable.Range(1, 30).Select(u => (float)r * u).ToArray())]), 1e-4);

    [Fact]
    public void Nothing_and_not_a_number()
    {
        Assert.Equal(0, Rank([[0, 0], [0, 0]]));
        Assert.Equal(float.NaN, Rank([[0, float.NaN], [0, 0]]));
    }

    [Fact]
    public void A_run_has_it_at_its_ends_if_it_was_asked_for()
    {
        var data = Runs.Blobs();
        var asked = Runs.Train(data, training: new() { Epochs = 2, BatchSize = 20 },
            diagnostics: new() { EverySteps = 5, EffectiveRank = true });
        Assert.Equal([0, 20], asked.Points.Where(p => p.All(l => l.EffectiveRank is not null)).Select(p => (int)p[0].Step));
        Assert.Equal(2, asked.Points.Count(p => p.Any(l => l.EffectiveRank is not null)));
        Assert.All(asked.Points[0], p => Assert.InRange(p.EffectiveRank!.Value, 1, asked.Layers[p.Layer].Units));
        Assert.All(Runs.Train(data).Points.SelectMany(p => p), p => Assert.Null(p.EffectiveRank));
    }

    private static unsafe float Rank(float[][] h)
    {
        int rows = h.Length, units = h[0].Length, batch = 32;
        using var rank = new EffectiveRank(units, rows);
        for (var first = 0; first < rows; first += batch)
        {
            var count = Math.Min(batch, rows - first);
            var block = new float[units * 32];
            for (var s = 0; s < count; s++)
                for (var u = 0; u < units; u++)
                    block[u * 32 + s] = h[first + s][u];
            fixed (float* pointer = block)
                rank.Add(pointer, count);
        }
        return rank.Value(TestContext.Current.CancellationToken);
    }
}
