using TrainingService.Host.Http;

namespace TrainingService.Host.Tests.Http;

/// <summary>Text is counted and cut in characters, never inside one.</summary>
public sealed class CharactersTests
{
    // of 1 code point and 2 UTF-16 units; of 2 code points; of 5 joined ones
    private const string Fox = "🦊", Accent = "e\u0301", Family = "👩\u200d👩\u200d👧";

    [Theory]
    [InlineData("", 0)]
    [InlineData("abc", 3)]
    [InlineData(Fox, 1)]
    [InlineData(Accent, 2)]
    [InlineData(Family, 5)]
    public void Counted_are_code_points(string text, int count)
    {
        Assert.Equal(count, Characters.Count(text));
        Assert.False(Characters.Exceeds(text, count));
        Assert.Equal(count > 0, Characters.Exceeds(text, count - 1));
    }

    [Theory]
    [InlineData("abc", 3, "abc")]
    [InlineData("abcd", 3, "abc")]
    [InlineData("ab" + Fox, 3, "ab" + Fox)]
    [InlineData("ab" + Fox + "c", 3, "ab" + Fox)]
    [InlineData("abc" + Fox, 3, "abc")]
    // whole or not at all
    [InlineData("ab" + Accent, 3, "ab")]
    [InlineData("a" + Accent + "b", 3, "a" + Accent)]
    [InlineData("a" + Family, 5, "a")]
    [InlineData(Family + "a", 5, Family)]
    // unless there is nothing else
    [InlineData("e\u0301\u0301\u0301\u0301", 3, "e\u0301\u0301")]
    [InlineData(Family, 1, "👩")]
    public void A_cut_leaves_no_half(string text, int most, string expected)
    {
        Assert.Equal(expected, Characters.Cut(text, most));
        Assert.Equal(expected == text ? text : expected + "...", Characters.Shorten(text, most));
    }
}
