using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using TrainingService.Engine.Specs;
using TrainingService.Host.Data;
using TrainingService.Host.Http;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Uploads;

/// <summary>The fields of an upload, as a form. Only <c>file</c> and <c>target</c> are required; the rest is found out.</summary>
[Description("A file and what is to be made of it.")]
public sealed record UploadRequest : VersionRequest
{
    /// <summary>
    /// What jobs call the data set: 1 to 100 letters, digits, <c>.</c>, <c>_</c> and <c>-</c>. Default: from the file's name.
    /// </summary>
    public string? Name { get; init; }
}

/// <summary>The same of a new version, whose name stands in the address.</summary>
[Description("A file and what is to be made of it; what is left out is as it was for the version before.")]
public record VersionRequest
{
    /// <summary>
    /// The table: CSV, Parquet, npy or npz, IDX, JSON Lines or ARFF, alone or in gzip or zip. Arrays of features and of labels may be two
    /// files of this name.
    /// </summary>
    public required IFormFile File { get; init; }

    /// <summary>
    /// Name of the column to predict. Needed unless labels come as an array of their own, or it is only looked at.
    /// </summary>
    public string? Target { get; init; }

    /// <summary>Whether only to look; for callers from before that had a path of its own.</summary>
    [JsonIgnore]
    public bool? DryRun { get; init; }

    /// <summary>The file's form. Default: found from its content.</summary>
    public FileFormat? Format { get; init; }

    /// <summary>Whether classes or a number are predicted. Default: found from the target's values.</summary>
    public TableTask? Task { get; init; }

    /// <summary>
    /// Kinds of columns that are not what they seem: a JSON object such as <c>{"zip": "category", "size": "ordinal"}</c>, or
    /// <c>zip=category,size=ordinal</c>. Kinds are number, category, ordinal, boolean and date (date:ymd, date:dmy or date:mdy).
    /// </summary>
    public string? Types { get; init; }

    /// <summary>Columns to leave out: names separated by commas, or a JSON list.</summary>
    public string? Drop { get; init; }

    /// <summary>
    /// Texts that stand for missing values beside empty ones, ?, NA, N/A, NaN and null: separated by commas, or a JSON list.
    /// </summary>
    public string? Missing { get; init; }

    /// <summary>Between a CSV file's fields: one character, or comma, semicolon, tab, bar, blank (any number of them).
    /// Default: found.</summary>
    public string? Delimiter { get; init; }

    /// <summary>Whether a CSV file's first line has the names of the columns. Default: found.</summary>
    public bool? Header { get; init; }

    /// <summary>Of the text: utf-8, utf-16, utf-16be or windows-1252. Default: found.</summary>
    public string? Encoding { get; init; }

    /// <summary>How numbers are written: with a <c>point</c> (1.5) or a <c>comma</c> (1,5). Default: found.</summary>
    public string? Decimal { get; init; }

    /// <summary>Share of the rows that jobs are only tested on, from 0.01 to 0.9. Default 0.2.</summary>
    public double? TestFraction { get; init; }

    /// <summary>Whether test rows are drawn from each class in proportion. Default true.</summary>
    public bool? Stratify { get; init; }

    /// <summary>
    /// Column whose value is the same for rows that belong together, such as a patient's: they stay on one side of every split. It is no
    /// feature. A row without a value belongs to no other.
    /// </summary>
    public string? GroupBy { get; init; }

    /// <summary>
    /// Column of dates or numbers that tells when a row was: the test rows are the latest ones, the validation rows the latest of the
    /// others. It stays a feature unless it is dropped.
    /// </summary>
    public string? TimeBy { get; init; }

    /// <summary>A file of test rows with the same columns; then all rows of <c>file</c> are for training.</summary>
    public IFormFile? TestFile { get; init; }

    /// <summary>What the data are about.</summary>
    public string? Description { get; init; }

    /// <summary>Under which the data may be used.</summary>
    public string? Licence { get; init; }

    /// <summary>Where the data come from.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// Who may use all versions beside their owner and admins: <c>private</c> or <c>everyone</c> who has a key. Default: as it was, at
    /// first private.
    /// </summary>
    public Visibility? Visibility { get; init; }
}

/// <summary>The fields of an upload, checked.</summary>
public sealed record UploadFields
{
    public const double DefaultTestFraction = 0.2, LeastTestFraction = 0.01, LargestTestFraction = 0.9;
    public const int LongestName = 100;

    private static readonly string[] Known = [.. typeof(UploadRequest).GetProperties()
        .Select(property => JsonNamingPolicy.CamelCase.ConvertName(property.Name))];

    private static readonly Dictionary<string, char> Delimiters =
        new()
        {
            ["comma"] = ',',
            ["semicolon"] = ';',
            ["tab"] = '\t',
            ["\\t"] = '\t',
            ["bar"] = '|',
            ["pipe"] = '|',
            ["blank"] = ' ',
            ["space"] = ' '
        };

    public required string Name { get; init; }
    public bool DryRun { get; init; }
    public FileFormat? Format { get; init; }
    public required TableOptions Table { get; init; }
    public string? Description { get; init; }
    public string? License { get; init; }
    public string? Source { get; init; }
    public Visibility? Visibility { get; init; }

    /// <summary>Adds an error for every broken rule.</summary>
    /// <param name="form">What was sent.</param>
    /// <param name="name">From the address; null if the form has it.</param>
    /// <param name="dryRun">From the address.</param>
    /// <param name="errors">Where refusals go.</param>
    public static UploadFields Read(UploadForm form, string? name, bool? dryRun, List<SpecError> errors)
    {
        var fields = new Reader(form, errors);
        if (form.Files(UploadForm.FileField).Count == 0)
            errors.Add(new(TableException.File, "'file' is required: the table, as a part with a file name"));
        var wanted = name ?? fields.Text("name") ?? NameOf(form.Files(UploadForm.FileField).Select(file => file.Name).FirstOrDefault(""));
        CheckName(wanted, errors);
        var (groupBy, timeBy, stratify) = (fields.Text("groupBy"), fields.Text("timeBy"), fields.Flag("stratify"));
        if (groupBy is not null && timeBy is not null)
            errors.Add(new("/timeBy", "groupBy and timeBy exclude each other: the latest rows may be of groups that began earlier. Leave "
                + "one out"));
        if (timeBy is not null && stratify == true)
            errors.Add(new("/stratify", "with timeBy the test rows are the latest, whatever their class: leave stratify out"));
        return new()
        {
            Name = wanted,
            DryRun = fields.Flag("dryRun") ?? dryRun ?? false,
            Format = fields.Word<FileFormat>("format"),
            Description = fields.Text("description"),
            License = fields.Text("licence"),
            Source = fields.Text("source"),
            Visibility = fields.Word<Visibility>("visibility"),
            Table = new()
            {
                Target = fields.Text("target"),
                Task = fields.Word<TableTask>("task"),
                Types = fields.Types(),
                Drop = fields.Names("drop"),
                Missing = fields.Names("missing"),
                Delimiter = fields.Delimiter(),
                Header = fields.Flag("header"),
                Encoding = fields.Encoding(),
                Decimals = fields.Decimals(),
                TestFraction = fields.Share(),
                Stratify = stratify,
                GroupBy = groupBy,
                TimeBy = timeBy,
            },
        };
    }

    public static void CheckName(string name, List<SpecError> errors)
    {
        if (name.Length is 0 or > LongestName || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-')
            || name.Trim('.').Length == 0)
            errors.Add(new("/name", $"a data set's name has 1 to {LongestName} letters, digits, '.', '_' and '-', not "
                + $"'{Characters.Shorten(name, 100)}'"));
    }

    /// <summary>A name from that of a file: <c>My Data (2).csv.gz</c> is <c>my-data-2</c>.</summary>
    private static string NameOf(string file)
    {
        var stem = file.Split('.')[0].ToLowerInvariant();
        var clean = string.Join('-', string.Concat(stem.Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : ' '))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries));
        return clean.Length == 0 ? "data" : clean[..Math.Min(clean.Length, LongestName)];
    }

    private sealed class Reader
    {
        private readonly UploadForm _form;
        private readonly List<SpecError> _errors;

        public Reader(UploadForm form, List<SpecError> errors)
        {
            (_form, _errors) = (form, errors);
            foreach (var (field, values) in form.Fields)
                if (!Known.Contains(field))
                    Add(field, $"unknown field '{Characters.Shorten(field, 100)}'{Engine.Specs.Names.DidYouMean(field, Known)}; known are "
                        + $"{string.Join(", ", Known)}");
                else if (values.Count > 1 && field is not ("drop" or "missing"))
                    Add(field, $"is given {values.Count} times");
        }

        public string? Text(string field) => _form.Fields.GetValueOrDefault(field)?[0] is { } text && text.Trim().Length > 0 ? text.Trim()
            : null;

        public bool? Flag(string field)
        {
            if (Text(field) is not { } text)
                return null;
            if (text.ToLowerInvariant() is "true" or "1" or "yes" or "on")
                return true;
            if (text.ToLowerInvariant() is not ("false" or "0" or "no" or "off"))
                Add(field, $"must be true or false, not '{Characters.Shorten(text, 100)}'");
            return false;
        }

        public T? Word<T>(string field) where T : struct, Enum
        {
            if (Text(field) is not { } text)
                return null;
            foreach (var value in Enum.GetValues<T>())
                if (Json.NameOf(value).Equals(text, StringComparison.OrdinalIgnoreCase))
                    return value;
            var words = Enum.GetValues<T>().Select(Json.NameOf).ToList();
            Add(field, $"must be {string.Join(" or ", words)}, not "
                + $"'{Characters.Shorten(text, 100)}'{Engine.Specs.Names.DidYouMean(text, words)}");
            return null;
        }

        public double? Share()
        {
            if (Text("testFraction") is not { } text)
                return null;
            if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var share)
                || !(share is >= LeastTestFraction and <= LargestTestFraction))
                Add("testFraction", string.Create(CultureInfo.InvariantCulture,
                    $"must be a number from {LeastTestFraction} to {LargestTestFraction}, not '{Characters.Shorten(text, 100)}'"));
            return share;
        }

        public char? Delimiter()
        {
            // A tab is no blank here.
            if (_form.Fields.GetValueOrDefault("delimiter")?[0] is not { Length: > 0 } text)
                return null;
            if (Delimiters.TryGetValue(text.ToLowerInvariant(), out var named))
                return named;
            if (text.Length == 1 && text[0] < 128 && text[0] is not ('"' or '\r' or '\n' or '.' or '-')
                && !char.IsAsciiLetterOrDigit(text[0]))
                return text[0];
            Add("delimiter", $"must be one character that no value has, or comma, semicolon, tab, bar or blank, not "
                + $"'{Characters.Shorten(text, 100)}'");
            return null;
        }

        public string? Encoding()
        {
            if (Text("encoding") is not { } text)
                return null;
            if (TextEncoding.Canonical(text) is { } canonical)
                return canonical;
            Add("encoding", $"must be {string.Join(" or ", TextEncoding.Names)}, not '{Characters.Shorten(text, 100)}'");
            return null;
        }

        public Decimals? Decimals()
        {
            switch (Text("decimal")?.ToLowerInvariant())
            {
                case null:
                    return null;
                case "point" or "." or "dot":
                    return Tables.Decimals.PointAndThousands;
                case "comma" or ",":
                    return Tables.Decimals.Comma;
                case var text:
                    Add("decimal", $"must be point or comma, not '{Characters.Shorten(text, 100)}'");
                    return null;
            }
        }

        public IReadOnlyList<string> Names(string field)
        {
            var names = new List<string>();
            foreach (var text in _form.Fields.GetValueOrDefault(field) ?? [])
            {
                if (!text.TrimStart().StartsWith('['))
                {
                    names.AddRange(text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
                    continue;
                }
                try
                {
                    names.AddRange(JsonSerializer.Deserialize<string[]>(text, Json.Options) ?? []);
                }
                catch (JsonException)
                {
                    Add(field, "must be names separated by commas, or a JSON list of strings");
                }
            }
            return [.. names.Distinct()];
        }

        public Dictionary<string, DeclaredType> Types()
        {
            var types = new Dictionary<string, DeclaredType>();
            foreach (var (column, kind) in Pairs())
                if (Kind(kind) is { } type)
                    types[column] = type;
                else
                    _errors.Add(new($"/types/{JsonShape.Escape(column)}", $"must be {string.Join(", ", Kinds.Keys)}, not "
                        + $"'{Characters.Shorten(kind, 100)}'{Engine.Specs.Names.DidYouMean(kind, Kinds.Keys)}"));
            return types;
        }

        private static readonly Dictionary<string, DeclaredType> Kinds = new()
        {
            ["number"] = new(ColumnKind.Number),
            ["category"] = new(ColumnKind.Category),
            ["ordinal"] = new(ColumnKind.Ordinal),
            ["boolean"] = new(ColumnKind.Boolean),
            ["date"] = new(ColumnKind.Date),
            ["date:ymd"] = new(ColumnKind.Date, DateOrders.YearMonthDay),
            ["date:dmy"] = new(ColumnKind.Date, DateOrders.DayMonthYear),
            ["date:mdy"] = new(ColumnKind.Date, DateOrders.MonthDayYear),
        };

        private static DeclaredType? Kind(string text) => Kinds.GetValueOrDefault(text.Trim().ToLowerInvariant());

        private IEnumerable<(string, string)> Pairs()
        {
            if (Text("types") is not { } text)
                return [];
            if (!text.StartsWith('{'))
            {
                var pairs = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(pair =>
                    pair.Split('=')).ToList();
                if (pairs.TrueForAll(pair => pair.Length == 2))
                    return pairs.Select(pair => (pair[0].Trim(), pair[1]));
            }
            else
            {
                try
                {
                    return (JsonSerializer.Deserialize<Dictionary<string, string>>(text, Json.Options) ?? []).Select(p => (p.Key, p.Value));
                }
                catch (JsonException)
                {
                }
            }
            Add("types", "must be a JSON object with a kind for each name, as {\"zip\": \"category\"}, or zip=category,size=ordinal");
            return [];
        }

        private void Add(string field, string message) => _errors.Add(new($"/{JsonShape.Escape(Characters.Shorten(field, 100))}", message));
    }
}
