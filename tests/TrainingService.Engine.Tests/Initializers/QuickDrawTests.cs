using System.Runtime.Intrinsics;
using TrainingService.Engine.Initializers;
using Xunit;

namespace TrainingService.Engine.Tests.Initializers;

/// <summary>Quick numbers have the distributions of the slow ones.</summary>
public class QuickDrawTests
{
    private const int Rows = 400, Columns = 250;

    [Fact]
    public void Distributions_are_those_asked_for()
    {
        foreach (var draw in (Draw[])[Draw.Normal(0.3, 2), Draw.Uniform(-1, 3), Draw.TruncatedNormal(-1, 0.5)])
        {
            var random = new TrainingService.Engine.Randomness.RandomStream(1, TrainingService.Engine.Randomness.StreamPurpose.Weights, 0);
            var slow = new float[Rows * Columns];
            new Sampler(draw, random).Fill(slow);
            var quick = Fill(draw, key: 77);
            Array.Sort(slow);
            Array.Sort(quick);
            // Kolmogorov and Smirnov, two samples: 1.63 sqrt(2/n) is crossed by chance once in a hundred times
            double distance = 0;
            for (int i = 0, j = 0; i < slow.Length; i++)
            {
                while (j < quick.Length && quick[j] <= slow[i])
                    j++;
                distance = Math.Max(distance, Math.Abs((i + 1.0) / slow.Length - (double)j / quick.Length));
            }
            Assert.InRange(distance, 0, 1.63 * Math.Sqrt(2.0 / slow.Length));
            var (mean, variance) = draw.Moments;
            Assert.Equal(mean, quick.Average(x => (double)x), 0.02);
            Assert.Equal(1, quick.Average(x => (x - mean) * (x - mean)) / variance, 0.02);
            Assert.Equal(Math.Sign(slow[0]), Math.Sign(quick[0]));
        }
        Assert.All(Fill(Draw.Constant(0.25), 1), x => Assert.Equal(0.25f, x));
    }

    [Fact]
    public void Numbers_of_neighbours_and_of_other_keys_are_independent()
    {
        float[] one = Fill(Draw.Normal(0, 1), 5), two = Fill(Draw.Normal(0, 1), 6);
        foreach (var correlation in (double[])[Mean(one, two, 0), Mean(one, one, 1), Mean(one, one, Columns), Mean(one, one, Columns + 1)])
            Assert.InRange(correlation, -0.015, 0.015);

        static double Mean(float[] a, float[] b, int shift)
        {
            double sum = 0;
            for (var i = 0; i + shift < a.Length; i++)
                sum += a[i] * (double)b[i + shift];
            return sum / (a.Length - shift);
        }
    }

    /// <summary>In float32 the middle of the last of 2^24 parts would be 1, where a normal number is anything.</summary>
    [Fact]
    public void The_least_and_the_largest_bits_give_numbers_of_the_tails()
    {
        foreach (var (draw, most) in ((Draw, double)[])
            [(Draw.Normal(0, 1), 5.4), (Draw.TruncatedNormal(0, 1), 2), (Draw.Uniform(-1, 1), 1)])
        {
            var least = QuickDraw.Numbers(draw, Vector512<uint>.Zero)[0];
            var largest = QuickDraw.Numbers(draw, Vector512<uint>.AllBitsSet)[0];
            Assert.InRange(largest, 0.95 * most, most);
            Assert.Equal(-largest, least, 1e-3);
        }
    }

    private static unsafe float[] Fill(Draw draw, ulong key)
    {
        var numbers = new float[Rows * Columns];
        fixed (float* values = numbers)
            QuickDraw.Fill(draw, new(values, Rows, Columns, panels: false), key, CancellationToken.None);
        return numbers;
    }
}
