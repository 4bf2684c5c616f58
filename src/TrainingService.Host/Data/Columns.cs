using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Http;

namespace TrainingService.Host.Data;

/// <summary>How values lie in Postgres that it has no type of its own for.</summary>
internal static class Columns
{
    /// <summary>An enum by its name, as in JSON.</summary>
    public static void Named<T>(this PropertyBuilder<T> property) where T : struct, Enum =>
        property.HasConversion(value => Json.NameOf(value), text => Enum.Parse<T>(text, true));

    /// <summary>The values are never changed in place, so EF need not look inside them.</summary>
    public static void Jsonb<T>(this PropertyBuilder<T> property) => property.Jsonb(Json.Options);

    /// <summary>The same of what was measured: see <see cref="Json.Measured"/>.</summary>
    public static void Measured<T>(this PropertyBuilder<T> property) => property.Jsonb(Json.Measured);

    private static void Jsonb<T>(this PropertyBuilder<T> property, JsonSerializerOptions read) =>
        property.HasColumnType("jsonb").HasConversion(
            value => JsonSerializer.Serialize(value, Json.Options),
            text => Parse<T>(text, read),
            new ValueComparer<T>((a, b) => Equals(a, b), value => HashCode.Combine(value)));

    private static T Parse<T>(string text, JsonSerializerOptions read) =>
        JsonSerializer.Deserialize<T>(text, read) ?? throw new JsonException("A column holds JSON's null in place of SQL's.");
}
