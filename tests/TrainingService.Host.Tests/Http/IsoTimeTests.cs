using System.Globalization;
using TrainingService.Host.Http;

namespace TrainingService.Host.Tests.Http;

public sealed class IsoTimeTests
{
    [Theory]
    [InlineData("2026-01-31T12:30:15Z")]
    [InlineData("2026-01-31t12:30:15z")]
    [InlineData("2026-01-31 12:30:15")]
    [InlineData("20260131T123015Z")]
    [InlineData("2026-01-31T13:30:15+01:00")]
    [InlineData("2026-01-31T13:30:15+0100")]
    [InlineData("2026-01-31T13:30:15 01")]
    [InlineData("2026-01-31T10:00:15-02:30")]
    [InlineData("2026-01-31T12:30,25Z")]
    [InlineData("2026-01-31T12:30:15.000Z")]
    [InlineData("2026-031T12:30:15Z")]
    [InlineData("2026-W05-6T12:30:15Z")]
    [InlineData("2026W056T123015Z")]
    public void One_moment_in_many_forms(string text) =>
        Assert.Equal(new DateTimeOffset(2026, 1, 31, 12, 30, 15, TimeSpan.Zero), IsoTime.Parse(text));

    [Theory]
    [InlineData("2026", "2026-01-01")]
    [InlineData("2026-02", "2026-02-01")]
    [InlineData("20260203", "2026-02-03")]
    [InlineData("2026-W01", "2025-12-29")]
    [InlineData("2024-366", "2024-12-31")]
    [InlineData("2026-01-31T24:00", "2026-02-01")]
    [InlineData("2026-01-31T23:59:60Z", "2026-02-01")]
    public void What_is_left_out_is_the_beginning(string text, string date) =>
        Assert.Equal(DateTimeOffset.Parse(date, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal), IsoTime.Parse(text));

    [Theory]
    [InlineData("yesterday")]
    [InlineData("01/02/2026")]
    [InlineData("2026-02-30")]
    [InlineData("2026-13-01")]
    [InlineData("2026-W54")]
    [InlineData("2026-366")]
    [InlineData("2026-01-31T25:00")]
    [InlineData("2026-01-31T12:60")]
    [InlineData("2026-01-31T12:00+15:00")]
    [InlineData("0000-01-01")]
    [InlineData("2026-01-31T")]
    [InlineData("0001-01-01T00:00+01:00")]
    [InlineData("")]
    public void Anything_else_is_none(string text) => Assert.Null(IsoTime.Parse(text));
}
