using System.Buffers;
using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>In which order a date's parts stand.</summary>
[Flags]
public enum DateOrders
{
    None = 0,

    /// <summary>2021-12-31, also with / or .</summary>
    YearMonthDay = 1,

    /// <summary>31.12.2021, also with / or -, and 31 Dec 2021</summary>
    DayMonthYear = 2,

    /// <summary>12/31/2021, also with . or -, and December 31, 2021</summary>
    MonthDayYear = 4,

    All = YearMonthDay | DayMonthYear | MonthDayYear,
}

/// <summary>A number that is read from a date.</summary>
public enum DatePart
{
    Year,

    /// <summary>1 to 12.</summary>
    Month,

    /// <summary>Of the month, from 1.</summary>
    Day,

    /// <summary>1 Monday to 7 Sunday.</summary>
    Weekday,

    /// <summary>Of the day, from 0 up to 24, with minutes and seconds as its fraction.</summary>
    Hour,
}

/// <summary>Dates as text, alone or with a time behind a blank or T; an offset from UTC is taken away.</summary>
public static class DateText
{
    /// <summary>Orders in which the text is a date, of those that are asked for.</summary>
    public static DateOrders Orders(ReadOnlySpan<byte> text, DateOrders asked)
    {
        var found = DateOrders.None;
        foreach (var order in (ReadOnlySpan<DateOrders>)[DateOrders.YearMonthDay, DateOrders.DayMonthYear, DateOrders.MonthDayYear])
            if (asked.HasFlag(order) && TryRead(text, order, out _))
                found |= order;
        return found;
    }

    public static bool TryRead(ReadOnlySpan<byte> text, DateOrders order, out DateTime date)
    {
        date = default;
        if (!NumberOrMonth(ref text, out var a, out var aDigits, out var aIsName) || !Gap(ref text, out var separator)
            || !NumberOrMonth(ref text, out var b, out var bDigits, out var bIsName) || !Gap(ref text, out var second)
            || second != separator
            || !Number(ref text, out var c, out var cDigits) || bDigits > 2)
            return false;
        // Only the month has a name, and only beside one may a blank stand.
        var monthIsFirst = order == DateOrders.MonthDayYear;
        if ((aIsName || bIsName || separator == ' ') && (aIsName, bIsName) != (monthIsFirst, !monthIsFirst))
            return false;
        var (year, month, day, yearDigits, other) = order switch
        {
            DateOrders.YearMonthDay => (a, b, c, aDigits, cDigits),
            DateOrders.DayMonthYear => (c, b, a, cDigits, aDigits),
            _ => (c, a, b, cDigits, aDigits),
        };
        if (yearDigits != 4 || other > 2 || year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month))
            return false;
        date = new(year, month, day, 0, 0, 0, DateTimeKind.Utc);
        return text.IsEmpty || TryTime(text, ref date);
    }

    public static double Part(DateTime date, DatePart part) => part switch
    {
        DatePart.Year => date.Year,
        DatePart.Month => date.Month,
        DatePart.Day => date.Day,
        DatePart.Weekday => date.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)date.DayOfWeek,
        _ => date.TimeOfDay.TotalHours,
    };

    private static bool TryTime(ReadOnlySpan<byte> text, ref DateTime date)
    {
        if (text[0] is not ((byte)' ' or (byte)'T'))
            return false;
        text = text[1..];
        double seconds = 0;
        if (!Number(ref text, out var hour, out var digits) || digits > 2 || hour > 23 || !Next(ref text, (byte)':')
            || !Number(ref text, out var minute, out digits) || digits != 2 || minute > 59)
            return false;
        if (Next(ref text, (byte)':'))
        {
            if (!Number(ref text, out var second, out digits) || digits != 2 || second > 60)
                return false;
            seconds = second;
            if (Next(ref text, (byte)'.'))
            {
                if (!Number(ref text, out var fraction, out digits))
                    return false;
                seconds += fraction / Math.Pow(10, digits);
            }
        }
        var offset = 0;
        if (!text.IsEmpty && text[0] is (byte)'+' or (byte)'-')
        {
            var sign = text[0] == '+' ? 1 : -1;
            text = text[1..];
            if (!Number(ref text, out var hours, out digits) || digits is not (2 or 4) || !text.IsEmpty && !Next(ref text, (byte)':'))
                return false;
            var minutes = 0;
            if (digits == 4)
                (hours, minutes) = (hours / 100, hours % 100);
            else if (!text.IsEmpty && (!Number(ref text, out minutes, out digits) || digits != 2))
                return false;
            offset = sign * (60 * hours + minutes);
        }
        else
        {
            Next(ref text, (byte)'Z');
        }
        if (!text.IsEmpty)
            return false;
        var ticks = date.Ticks + (long)((hour * 3600 + (minute - offset) * 60 + seconds) * TimeSpan.TicksPerSecond);
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks)
            return false;
        date = new(ticks, DateTimeKind.Utc);
        return true;
    }

    private static bool Next(ref ReadOnlySpan<byte> text, byte wanted)
    {
        if (text.IsEmpty || text[0] != wanted)
            return false;
        text = text[1..];
        return true;
    }

    /// <summary>Jan, january: a month in English has two digits.</summary>
    private static bool NumberOrMonth(ref ReadOnlySpan<byte> text, out int number, out int digits, out bool isName)
    {
        isName = false;
        if (Number(ref text, out number, out digits))
            return true;
        var length = text.IndexOfAnyExcept(Letters);
        if (length < 3)
            return false;
        for (var month = 0; month < Months.Length; month++)
            if (length <= Months[month].Length && Ascii.EqualsIgnoreCase(text[..length], Months[month].AsSpan(0, length)))
            {
                (number, digits, isName) = (month + 1, 2, true);
                text = text[length..];
                return true;
            }
        return false;
    }

    private static bool Gap(ref ReadOnlySpan<byte> text, out byte separator)
    {
        separator = 0;
        if (text.IsEmpty || text[0] is not ((byte)'-' or (byte)'/' or (byte)'.' or (byte)' ' or (byte)','))
            return false;
        // "Jan 1, 2021"
        var isComma = text[0] == ',';
        separator = isComma ? (byte)' ' : text[0];
        text = isComma ? text[1..].TrimStart((byte)' ') : text[1..];
        return true;
    }

    private static readonly SearchValues<byte> Letters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    private static readonly byte[][] Months = [.. ((string[])["january", "february", "march", "april", "may", "june", "july", "august",
        "september", "october", "november", "december"]).Select(Encoding.ASCII.GetBytes)];

    private static bool Number(ref ReadOnlySpan<byte> text, out int number, out int digits)
    {
        (number, digits) = (0, 0);
        while (digits < text.Length && digits < 9 && text[digits] is >= (byte)'0' and <= (byte)'9')
            number = number * 10 + (text[digits++] - '0');
        text = text[digits..];
        return digits > 0;
    }
}
