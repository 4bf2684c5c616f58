using System.Globalization;
using System.Text.RegularExpressions;

namespace TrainingService.Host.Http;

/// <summary>
/// Times as ISO 8601 writes them: with and without separators, as a date alone, of a month or year, by week or day of the year, to the
/// hour, minute or part of a second, with any offset. UTC if they have none.
/// </summary>
public static partial class IsoTime
{
    /// <summary>Null if it is no such time.</summary>
    public static DateTimeOffset? Parse(string text)
    {
        if (Form().Match(text) is not { Success: true } parts || Date(parts) is not { } date || Offset(parts) is not { } offset)
            return null;
        var (hour, minute, second) = (Number(parts, "hour") ?? 0, Number(parts, "minute") ?? 0, Number(parts, "second") ?? 0);
        var fraction = parts.Groups["fraction"] is { Success: true } digits
            ? decimal.Parse($"0.{digits}", CultureInfo.InvariantCulture) : 0;
        // 24:00 is the next day's beginning, and a leap second is the next minute's
        if (hour > 24 || minute > 59 || second > 60 || hour == 24 && (minute > 0 || second > 0 || fraction > 0))
            return null;
        var unit = parts.Groups["second"].Success ? TimeSpan.TicksPerSecond
            : parts.Groups["minute"].Success ? TimeSpan.TicksPerMinute : TimeSpan.TicksPerHour;
        try
        {
            var local = date.AddHours(hour).AddMinutes(minute).AddSeconds(second).AddTicks((long)(fraction * unit));
            return new DateTimeOffset(local, offset).ToUniversalTime();
        }
        catch (ArgumentOutOfRangeException)
        {
            return null;   // at the ends of the calendar
        }
    }

    private static DateTime? Date(Match parts)
    {
        var year = Number(parts, "year") ?? 0;
        if (year == 0)
            return null;
        if (Number(parts, "week") is { } week)
            return week >= 1 && week <= ISOWeek.GetWeeksInYear(year) && (Number(parts, "weekday") ?? 1) is >= 1 and <= 7 and var weekday
                ? ISOWeek.ToDateTime(year, week, (DayOfWeek)(weekday % 7)) : null;
        if (Number(parts, "ordinal") is { } ordinal)
            return ordinal >= 1 && ordinal <= (DateTime.IsLeapYear(year) ? 366 : 365)
                ? new DateTime(year, 1, 1).AddDays(ordinal - 1) : null;
        var (month, day) = (Number(parts, "month") ?? 1, Number(parts, "day") ?? 1);
        return month is >= 1 and <= 12 && day >= 1 && day <= DateTime.DaysInMonth(year, month) ? new(year, month, day) : null;
    }

    /// <summary>A blank is a '+' that was not escaped in an address.</summary>
    private static TimeSpan? Offset(Match parts)
    {
        if (!parts.Groups["sign"].Success)
            return TimeSpan.Zero;
        var (hours, minutes) = (Number(parts, "offsetHour") ?? 0, Number(parts, "offsetMinute") ?? 0);
        var offset = new TimeSpan(hours, minutes, 0);
        return minutes > 59 || hours > 14 ? null : parts.Groups["sign"].Value is "+" or " " ? offset : -offset;
    }

    private static int? Number(Match parts, string name) =>
        parts.Groups[name] is { Success: true } digits ? int.Parse(digits.ValueSpan, CultureInfo.InvariantCulture) : null;

    [GeneratedRegex("""
        ^(?<year>[0-9]{4})
        (?:
            -?W(?<week>[0-9]{2})(?:-?(?<weekday>[0-9]))?
            | -(?<month>[0-9]{2})(?:-(?<day>[0-9]{2}))?
            | (?<month>[0-9]{2})(?<day>[0-9]{2})
            | -?(?<ordinal>[0-9]{3})
        )?
        (?:
            [Tt\ ](?<hour>[0-9]{2})(?::?(?<minute>[0-9]{2})(?::?(?<second>[0-9]{2}))?)?(?:[.,](?<fraction>[0-9]{1,15}))?
            (?:[Zz]|(?<sign>[+\-\u2212\ ])(?<offsetHour>[0-9]{2})(?::?(?<offsetMinute>[0-9]{2}))?)?
        )?$
        """, RegexOptions.IgnorePatternWhitespace | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
