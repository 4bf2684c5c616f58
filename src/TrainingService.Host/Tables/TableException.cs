using TrainingService.Engine.Specs;

namespace TrainingService.Host.Tables;

/// <summary>A file is not what it should be; each message names the place, what was found and what is allowed.</summary>
public sealed class TableException(IReadOnlyList<SpecError> errors) : Exception(errors[0].Message)
{
    /// <summary>Where most faults are.</summary>
    public const string File = "/file";

    public TableException(string message, string pointer = File) : this([new(pointer, message)]) { }

    public IReadOnlyList<SpecError> Errors => errors;

    /// <summary>Text of a file in quotes, short and in one line.</summary>
    public static string Show(ReadOnlySpan<byte> text)
    {
        const int Longest = 60;
        var shown = System.Text.Encoding.UTF8.GetString(text[..Math.Min(text.Length, 4 * Longest)]);
        shown = string.Concat(shown.Select(c => char.IsControl(c) ? '\u00B7' : c));
        return shown.Length <= Longest && text.Length <= 4 * Longest ? $"'{shown}'" : $"'{shown[..Math.Min(Longest, shown.Length)]}...'";
    }
}
