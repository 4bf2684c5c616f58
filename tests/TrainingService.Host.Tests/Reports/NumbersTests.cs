using System.Globalization;
using TrainingService.Engine.Randomness;
using TrainingService.Host.Statistics;

namespace TrainingService.Host.Tests.Reports;

/// <summary>One form for all numbers, whatever double it is.</summary>
public sealed class NumbersTests
{
    private static readonly double[] Special =
        [0, -0.0, 1, -1, 0.001, 0.000999, 0.0009995, 999_499, 999_500, 1e5, 1e6, 12_345, 9.995, 9.994999, double.Epsilon,
            1.5e308, -1e300];

    [Fact]
    public void Three_digits_a_true_minus_and_what_it_says_is_what_it_is()
    {
        var random = new SplitMix64(7);
        foreach (var value in Special.Concat(Enumerable.Range(0, 20_000).Select(_ => BitConverter.UInt64BitsToDouble(random.Next())))
            .Concat(Enumerable.Range(0, 20_000).Select(_ => Math.Pow(10, 12 * random.NextNormal() / 3) * random.NextNormal()))
            .Where(double.IsFinite))
        {
            var text = Numbers.Short(value);
            Assert.Matches(@"^(0|−?(\d{1,3}(,\d{3})*(\.\d+)?|\d(\.\d{1,2})?·10⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+))$", text);
            Assert.InRange(text.Split('·')[0].Where(char.IsAsciiDigit).SkipWhile(digit => digit == '0').Count(), 0,
                text.Contains('·', StringComparison.Ordinal) || Math.Abs(value) < 1000 ? 3 : 6);
            Assert.Equal(value, Parsed(text), Math.Max(Math.Abs(value) * 0.00501, double.Epsilon));
            Assert.Equal(value < 0, text[0] == '−');
            foreach (var told in new[] { Numbers.Percent(value), Numbers.Points(value), Numbers.Signed(value),
                Numbers.Ratio(Math.Abs(value)) })
                Assert.DoesNotMatch("[-eE]|NaN|Infinity", told.Replace("over a million", "", StringComparison.Ordinal)
                    .Replace(" points", "", StringComparison.Ordinal).Replace(" point", "", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(1234.5, "1,230")]
    [InlineData(-0.04149, "−0.0415")]
    [InlineData(0.000041, "4.1·10⁻⁵")]
    [InlineData(46869, "46,900")]
    [InlineData(double.NaN, "not a number")]
    [InlineData(double.NegativeInfinity, "−∞")]
    public void Examples(double value, string text) => Assert.Equal(text, Numbers.Short(value));

    [Fact]
    public void A_unit_each()
    {
        var (share, time, flow) = (Outcome.Of("testAccuracy"), Outcome.Of("secondsPerEpoch"), new Outcome("gradientFlow", null, false));
        Assert.Equal(("97.4 %", "+0.42 points", "+1 point", "−0.3 to 1.9 points", "95 to 97.4 %"), (Numbers.Value(share, 0.9742),
            Numbers.Difference(share, 0.0042), Numbers.Difference(share, 0.01), Numbers.DifferenceInterval(share, [-0.003, 0.019]),
            Numbers.Interval(share, [0.95, 0.974])));
        Assert.Equal(("6.13 ms", "+3 %", "−2 to 3 %"),
            (Numbers.Value(time, 0.00613), Numbers.Difference(time, 0.03), Numbers.DifferenceInterval(time, [-0.02, 0.03])));
        Assert.Equal(("−4.36 decades", "−4.5 to −4 decades"), (Numbers.Value(flow, -4.36), Numbers.Interval(flow, [-4.5, -4])));
        Assert.Equal(("p < 0.001", "p = 0.042", "p = 0.42"), (Numbers.P(0.0002), Numbers.P(0.0417), Numbers.P(0.4168)));
        Assert.Equal(("over a million", "1.12"), (Numbers.Ratio(double.PositiveInfinity), Numbers.Ratio(1.1199)));
    }

    private static double Parsed(string text)
    {
        var (factor, power) = text.Split("·10") is [var f, var p] ? (f, p) : (text, "");
        var exponent = string.Concat(power.Select(c =>
            c == '⁻' ? '-' : (char)('0' + "⁰¹²³⁴⁵⁶⁷⁸⁹".IndexOf(c, StringComparison.Ordinal))));
        return double.Parse($"{factor.Replace('−', '-').Replace(",", "", StringComparison.Ordinal)}e{(exponent == "" ? "0" : exponent)}",
            CultureInfo.InvariantCulture);
    }
}
