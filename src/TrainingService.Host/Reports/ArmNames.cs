using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using TrainingService.Host.Http;

namespace TrainingService.Host.Reports;

/// <summary>Arms as people call them: by what sets them apart.</summary>
public static partial class ArmNames
{
    private static readonly Dictionary<string, string> Fields = new()
    {
        ["learningRate"] = "lr",
        ["negativeSlope"] = "slope",
        ["activityL1"] = "l1",
        ["batchSize"] = "batch",
        ["weightDecay"] = "decay",
        ["hiddenLayers"] = "layers",
        ["labelSmoothing"] = "smoothing",
        ["clipNorm"] = "clip",
    };

    /// <summary>A field's last name in short: "lr" for a learning rate.</summary>
    public static string Field(string pointer) => pointer.Split('/')[^1] is var name ? Fields.GetValueOrDefault(name, name) : name;

    /// <summary>What a grid calls "leaky_relu(negativeSlope=0.1), learningRate=0.03": "leaky_relu slope 0.1, lr 0.03".</summary>
    public static string Shown(string arm) => Setting().Replace(
        Parameters().Replace(arm, match => $"{match.Groups["name"].Value} {match.Groups["fields"].Value}"),
        match => $"{Field(match.Groups["field"].Value)} {match.Groups["value"].Value}");

    /// <summary>Both of a comparison, with what they share told once: "at 0.5: leaky_relu against relu".</summary>
    public static string Pair(string arm, string baseline)
    {
        string[] one = Shown(arm).Split(' '), other = Shown(baseline).Split(' ');
        string[] shared = [.. one.Intersect(other)];
        string[] own = [.. one.Except(shared)], others = [.. other.Except(shared)];
        // a comma belongs to what stands before it
        return shared.Length == 0 || own.Length == 0 || others.Length == 0 || one.Length != one.Distinct().Count()
            || (arm + baseline).Contains(',', StringComparison.Ordinal) ? $"{Shown(arm)} against {Shown(baseline)}"
            : $"{string.Join(' ', shared)}: {string.Join(' ', own)} against {string.Join(' ', others)}";
    }

    /// <summary>Values by JSON pointer: "lr 0.03, l1 0".</summary>
    public static string Values(IReadOnlyDictionary<string, object?> values) => string.Join(", ", values.Select(value =>
        JsonSerializer.SerializeToElement(value.Value, Json.Options) is var json && json.ValueKind == JsonValueKind.String
            ? $"{Field(value.Key)} {json.GetString()}"
            : json.ValueKind == JsonValueKind.Number ? $"{Field(value.Key)} {Plain(json.GetDouble())}" : $"{Field(value.Key)} {json}"));

    /// <summary>A number that somebody chose, with all its digits.</summary>
    public static string Plain(double value) => value.ToString("0.##########", CultureInfo.InvariantCulture).Replace('-', '−');

    [GeneratedRegex(@"\b(?<name>\w+)\((?<fields>\w+=[^()]*)\)")]
    private static partial Regex Parameters();

    [GeneratedRegex(@"\b(?<field>\w+)=(?<value>[^,]+)")]
    private static partial Regex Setting();
}
