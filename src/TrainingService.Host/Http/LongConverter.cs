using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace TrainingService.Host.Http;

/// <summary>
/// Whole numbers that JavaScript would round, beyond 2^53, are written as strings, and either way is read: a seed comes back as it was.
/// </summary>
public sealed class LongConverter : JsonConverter<long>
{
    private const long Largest = (1L << 53) - 1;

    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType != JsonTokenType.String ? reader.GetInt64()
            : TryParse(reader.GetString(), out var value) ? value : throw new JsonException("not a whole number of 64 bits");

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options)
    {
        if (value is >= -Largest and <= Largest)
            writer.WriteNumberValue(value);
        else
            writer.WriteStringValue(value.ToString(CultureInfo.InvariantCulture));
    }

    public static bool TryParse(string? text, out long value) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}
