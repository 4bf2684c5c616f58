using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace TrainingService.Host.Telemetry;

/// <summary>
/// Writes each event as one line, whatever is in it, with the time and the job, sweep and trace it belongs to. Of scopes nothing else is
/// told: ASP.NET's repeat what the caller sent.
/// </summary>
public abstract class LogLines(string name) : ConsoleFormatter(name)
{
    private const string Own = "TrainingService.Host.", Format = "{OriginalFormat}";

    /// <summary>What of scopes is told, and under which name.</summary>
    private static readonly (string Key, string Name)[] Told = [("Job", "job"), ("Sweep", "sweep"), ("TraceId", "trace")];

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var message = logEntry.Formatter(logEntry.State, logEntry.Exception);
        var about = new object?[Told.Length];
        scopeProvider?.ForEachScope(static (scope, about) =>
        {
            if (scope is IEnumerable<KeyValuePair<string, object?>> values)
                foreach (var (key, value) in values)
                    if (Array.FindIndex(Told, told => told.Key == key) is >= 0 and var at)
                        about[at] = value;
        }, about);
        var category = logEntry.Category.StartsWith(Own, StringComparison.Ordinal) ? logEntry.Category[Own.Length..] : logEntry.Category;
        var values = (logEntry.State as IEnumerable<KeyValuePair<string, object?>> ?? []).Where(value => value.Key != Format);
        // Not by the database's clock, by which what happens without it could not be told.
        Write(textWriter, TimeProvider.System.GetUtcNow(), Level(logEntry.LogLevel), category, message, [.. values],
            Told.Index().Where(told => about[told.Index] is not null).Select(told => (told.Item.Name, about[told.Index]!)),
            logEntry.Exception?.ToString());
        textWriter.Write('\n');
    }

    protected abstract void Write(TextWriter line, DateTimeOffset time, string level, string category, string message,
        IReadOnlyList<KeyValuePair<string, object?>> values, IEnumerable<(string Name, object Value)> about, string? exception);

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Trace => "trace",
        LogLevel.Debug => "debug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    /// <summary>For people: time, level, where it is from, what it is, and what of it the message doesn't say.</summary>
    public sealed class Text() : LogLines("training.text")
    {
        protected override void Write(TextWriter line, DateTimeOffset time, string level, string category, string message,
            IReadOnlyList<KeyValuePair<string, object?>> values, IEnumerable<(string Name, object Value)> about, string? exception)
        {
            line.Write(time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
            line.Write($" {level,-5} {category}: ");
            WriteOnOneLine(line, message);
            foreach (var (name, value) in about)
                if (!values.Any(said => said.Key.Equals(name, StringComparison.OrdinalIgnoreCase)))
                {
                    line.Write($" {name}=");
                    WriteOnOneLine(line, Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
                }
            if (exception is null)
                return;
            line.Write(" | ");
            WriteOnOneLine(line, exception);
        }

        private static void WriteOnOneLine(TextWriter line, string text)
        {
            foreach (var c in text)
                if (!char.IsControl(c))
                    line.Write(c);
                else if (c == '\n')
                    line.Write(@"\n");
                else if (c != '\r')
                    line.Write($@"\u{(int)c:x4}");
        }
    }

    /// <summary>For machines: a JSON object an event.</summary>
    public sealed class JsonObject() : LogLines("training.json")
    {
        protected override void Write(TextWriter line, DateTimeOffset time, string level, string category, string message,
            IReadOnlyList<KeyValuePair<string, object?>> values, IEnumerable<(string Name, object Value)> about, string? exception)
        {
            var bytes = new ArrayBufferWriter<byte>(512);
            using (var json = new Utf8JsonWriter(bytes))
            {
                json.WriteStartObject();
                json.WriteString("time", time);
                json.WriteString("level", level);
                json.WriteString("category", category);
                json.WriteString("message", message);
                var told = new HashSet<string> { "time", "level", "category", "message", "exception" };
                foreach (var (key, value) in values)
                    if (JsonNamingPolicy.CamelCase.ConvertName(key) is var name && told.Add(name))
                        WriteValue(json, name, value);
                foreach (var (name, value) in about.Where(each => told.Add(each.Name)))
                    WriteValue(json, name, value);
                if (exception is not null)
                    json.WriteString("exception", exception);
                json.WriteEndObject();
            }
            line.Write(Encoding.UTF8.GetString(bytes.WrittenSpan));
        }

        private static void WriteValue(Utf8JsonWriter json, string name, object? value)
        {
            json.WritePropertyName(name);
            switch (value)
            {
                case null:
                    json.WriteNullValue();
                    break;
                case bool truth:
                    json.WriteBooleanValue(truth);
                    break;
                case int or long or short or byte or uint:
                    json.WriteNumberValue(Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumberValue(number);
                    break;
                default:
                    json.WriteStringValue(Convert.ToString(value, CultureInfo.InvariantCulture));
                    break;
            }
        }
    }
}
