using System.Buffers;
using System.Globalization;
using System.Text;

namespace TrainingService.Host.Tables;

/// <summary>How numbers are written in a file.</summary>
public enum Decimals
{
    /// <summary>1.5, as programs write it.</summary>
    Point,

    /// <summary>1.5, and 1,234.5 with commas between thousands.</summary>
    PointAndThousands,

    /// <summary>1,5, and 1.234,5 with points between thousands.</summary>
    Comma,
}

/// <summary>What a text is, taken for a number.</summary>
public enum NumberForm
{
    None,
    Number,

    /// <summary>Beyond the range of numbers, as 1e400.</summary>
    TooLarge,

    /// <summary>inf, -Infinity.</summary>
    Infinite,

    /// <summary>1,5: one comma, and not three digits behind it.</summary>
    CommaDecimal,

    /// <summary>1,234,567 or 1,234.5: commas can only stand between thousands.</summary>
    CommaThousands,

    /// <summary>1,234: may be either.</summary>
    CommaEither,
}

/// <summary>Numbers as text.</summary>
public static class NumberText
{
    private const int Longest = 400;
    private const NumberStyles Style = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;

    /// <summary>Digits behind the point that a text has that is a number; <see cref="Many"/> with an exponent.</summary>
    public const int Many = 99;

    /// <param name="text">Without blanks around it; it may have a sign of per cent or of a currency.</param>
    /// <param name="decimals">How numbers are written.</param>
    /// <param name="number">The number, where it is one.</param>
    /// <param name="digits">Digits behind the point.</param>
    public static NumberForm Read(ReadOnlySpan<byte> text, Decimals decimals, out double number, out int digits)
    {
        (number, digits) = (double.NaN, 0);
        if (text.IsEmpty || text.Length > Longest)
            return NumberForm.None;
        if (text.IndexOfAnyExcept(Usual) < 0)
            return MayBegin(text[0]) ? Bare(text, decimals, out number, out digits) : NumberForm.None;
        var isNegative = text[0] is (byte)'-';
        var rest = WithoutUnit(isNegative ? text[1..] : text);
        if (rest.IsEmpty || isNegative && rest[0] == '-')
            return NumberForm.None;
        Span<byte> bare = stackalloc byte[rest.Length + 1];
        bare[0] = (byte)'-';
        var length = Ungrouped(rest, bare[1..]);
        return length == 0 ? NumberForm.None
            : Bare(isNegative ? bare[..(length + 1)] : bare.Slice(1, length), decimals, out number, out digits);
    }

    /// <summary>What numbers without a unit are made of, and texts that are none.</summary>
    private static readonly SearchValues<byte> Usual = SearchValues.Create(
        "0123456789.,+-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/:"u8);

    /// <summary>
    /// Copies 1 234,5 or 1'234.5 without what stands between thousands: a blank, one that doesn't break, or an apostrophe. Answers the
    /// length; 0 if anything else stands there than digits and what belongs to them.
    /// </summary>
    private static int Ungrouped(ReadOnlySpan<byte> text, Span<byte> plain)
    {
        var (length, group, isGrouped) = (0, 0, false);
        while (!text.IsEmpty)
        {
            var gap = text[0] is (byte)' ' or (byte)'\'' ? 1 : text.StartsWith("\u00A0"u8) ? 2
                : text.StartsWith("\u202F"u8) || text.StartsWith("\u2019"u8) ? 3 : 0;
            var isDigit = text[0] is >= (byte)'0' and <= (byte)'9';
            if (gap > 0)
            {
                if (isGrouped ? group != 3 : group is < 1 or > 3)
                    return 0;
                (group, isGrouped) = (0, true);
                text = text[gap..];
                continue;
            }
            if (!isDigit && (isGrouped && group != 3 || text[0] is not ((byte)'.' or (byte)',' or (byte)'-')))
                return 0;
            // Behind the point there are no groups.
            (group, isGrouped) = isDigit ? (group + 1, isGrouped) : (text[0] == '-' ? 0 : 4, false);
            plain[length++] = text[0];
            text = text[1..];
        }
        return isGrouped && group != 3 ? 0 : length;
    }

    /// <summary>$5, 5 € or 5 % without the sign.</summary>
    private static ReadOnlySpan<byte> WithoutUnit(ReadOnlySpan<byte> text)
    {
        foreach (var sign in Units)
            if (text.StartsWith(sign) && sign[0] != '%')
                return text[sign.Length..].TrimStart((byte)' ');
            else if (text.EndsWith(sign))
                return Trimmed(text[..^sign.Length]);
        return text;
    }

    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> text)
    {
        return text.EndsWith(" "u8) ? text[..^1] : text.EndsWith("\u00A0"u8) ? text[..^2] : text.EndsWith("\u202F"u8) ? text[..^3] : text;
    }

    private static readonly byte[][] Units = [.. ((string[])["%", "$", "€", "£", "¥"]).Select(Encoding.UTF8.GetBytes)];

    private static NumberForm Bare(ReadOnlySpan<byte> text, Decimals decimals, out double number, out int digits)
    {
        (number, digits) = (double.NaN, 0);
        var commas = text.Count((byte)',');
        if (decimals == Decimals.Comma)
            return ReadComma(text, commas, out number, out digits);
        if (commas == 0)
            return Plain(text, out number, out digits);
        var form = FormOf(text, commas);
        return form is NumberForm.None || decimals == Decimals.Point || form is NumberForm.CommaDecimal
            ? form : Without(text, (byte)',', out number, out digits);
    }

    private static NumberForm ReadComma(ReadOnlySpan<byte> text, int commas, out double number, out int digits)
    {
        (number, digits) = (double.NaN, 0);
        var points = text.Count((byte)'.');
        if (points > 0 && !IsGrouped(commas == 0 ? text : text[..text.IndexOf((byte)',')], (byte)'.') || commas > 1)
            return NumberForm.None;
        Span<byte> plain = stackalloc byte[text.Length];
        var length = 0;
        foreach (var c in text)
            if (c != '.')
                plain[length++] = c == ',' ? (byte)'.' : c;
        return Plain(plain[..length], out number, out digits);
    }

    private static NumberForm Without(ReadOnlySpan<byte> text, byte separator, out double number, out int digits)
    {
        Span<byte> plain = stackalloc byte[text.Length];
        var length = 0;
        foreach (var c in text)
            if (c != separator)
                plain[length++] = c;
        return Plain(plain[..length], out number, out digits);
    }

    /// <summary>
    /// The number of a text of a sign, up to 15 digits and a point, which is what nearly all are: its digits as a whole number, divided by
    /// a power of ten. Both are exact in a double, so the quotient is the nearest one (Clinger 1990, How to read floating point numbers
    /// accurately). Of any other text false.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="number">The number.</param>
    /// <param name="digits">Digits behind the point, without zeros at the end.</param>
    public static bool TryShort(ReadOnlySpan<byte> text, out double number, out int digits)
    {
        (number, digits) = (0, 0);
        var isNegative = !text.IsEmpty && text[0] == '-';
        if (isNegative)
            text = text[1..];
        if (text.Length is 0 or > 16)
            return false;
        var (whole, point) = (0L, -1);
        for (var i = 0; i < text.Length; i++)
        {
            var digit = (uint)(text[i] - '0');
            if (digit <= 9)
                whole = 10 * whole + digit;
            else if (text[i] == '.' && point < 0)
                point = i;
            else
                return false;
        }
        if (point < 0 ? text.Length > 15 : text.Length == 1)
            return false;
        if (point >= 0)
        {
            number = whole / PowersOfTen[text.Length - point - 1];
            digits = text[(point + 1)..].TrimEnd((byte)'0').Length;
        }
        else
        {
            number = whole;
        }
        number = isNegative ? -number : number;
        return true;
    }

    private static readonly double[] PowersOfTen = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

    private static NumberForm Plain(ReadOnlySpan<byte> text, out double number, out int digits)
    {
        if (TryShort(text, out number, out digits))
            return NumberForm.Number;
        (number, digits) = (double.NaN, 0);
        if (IsInfinity(text))
            return NumberForm.Infinite;
        if (!double.TryParse(text, Style, CultureInfo.InvariantCulture, out var read) || double.IsNaN(read))
            return NumberForm.None;
        if (double.IsInfinity(read))
            return NumberForm.TooLarge;
        number = read;
        if (text.IndexOfAny((byte)'e', (byte)'E') >= 0)
            digits = Many;
        else if (text.IndexOf((byte)'.') is >= 0 and var point)
            digits = text[(point + 1)..].TrimEnd((byte)'0').Length;
        return NumberForm.Number;
    }

    /// <summary>Of a text with commas, written with a decimal point or not at all.</summary>
    private static NumberForm FormOf(ReadOnlySpan<byte> text, int commas)
    {
        var point = text.IndexOf((byte)'.');
        if (IsGrouped(point < 0 ? text : text[..point], (byte)',') && (point < 0 || IsDigits(text[(point + 1)..])))
            return commas > 1 || point >= 0 ? NumberForm.CommaThousands : NumberForm.CommaEither;
        return commas == 1 && ReadComma(text, commas, out _, out _) is NumberForm.Number ? NumberForm.CommaDecimal : NumberForm.None;
    }

    /// <summary>One to three digits, then groups of three.</summary>
    private static bool IsGrouped(ReadOnlySpan<byte> text, byte separator)
    {
        if (!text.IsEmpty && text[0] is (byte)'+' or (byte)'-')
            text = text[1..];
        var first = text.IndexOf(separator);
        if (first is < 1 or > 3 || !IsDigits(text[..first]) || text[0] == '0')
            return false;
        for (text = text[first..]; !text.IsEmpty; text = text[4..])
            if (text.Length < 4 || text[0] != separator || !IsDigits(text[1..4]))
                return false;
        return true;
    }

    private static bool IsDigits(ReadOnlySpan<byte> text) => text.IndexOfAnyExceptInRange((byte)'0', (byte)'9') < 0;

    private static bool MayBegin(byte c) => c is >= (byte)'0' and <= (byte)'9' or (byte)'.' or (byte)',' or (byte)'+' or (byte)'-'
        or (byte)'i' or (byte)'I';

    private static bool IsInfinity(ReadOnlySpan<byte> text)
    {
        if (!text.IsEmpty && text[0] is (byte)'+' or (byte)'-')
            text = text[1..];
        return Ascii.EqualsIgnoreCase(text, "inf"u8) || Ascii.EqualsIgnoreCase(text, "infinity"u8);
    }
}
