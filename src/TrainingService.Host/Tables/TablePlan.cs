using System.Globalization;
using System.Text;
using TrainingService.Engine.Specs;

namespace TrainingService.Host.Tables;

/// <summary>What a table becomes: features and a target, or why it can't.</summary>
public sealed class TablePlan
{
    /// <summary>Values that a text may have to be taken for a category without being told.</summary>
    public const int MostCategories = 255;
    public const int MostDeclaredCategories = 1_000, MostOrdinals = 65_000, MostClasses = 1_000;

    /// <summary>Whole numbers with at most so many values are classes.</summary>
    private const int FewNumbers = 20;

    /// <summary>Inputs of a network.</summary>
    private const int MostInputs = 100_000;

    private readonly TableProfile _profile;
    private readonly TableOptions _options;
    private readonly List<SpecError> _problems = [];
    private readonly List<TableWarning> _warnings = [];
    private readonly List<PlannedColumn> _features = [];
    private readonly List<string> _unfit = [];

    // Columns of numbers that hold texts, too; of so many it is told which.
    private const int MostMixed = 3;
    private readonly List<string> _mixed = [];

    private TablePlan(TableProfile profile, TableOptions options) => (_profile, _options) = (profile, options);

    public IReadOnlyList<PlannedColumn> Features => _features;
    public PlannedColumn? Target { get; private set; }

    /// <summary>Equal in rows that stay on one side of each split.</summary>
    public PlannedColumn? Group { get; private set; }

    /// <summary>When each row was.</summary>
    public PlannedColumn? Time { get; private set; }

    /// <summary>What stands in the way of using the table; each message says what to ask for instead.</summary>
    public IReadOnlyList<SpecError> Problems => _problems;
    public IReadOnlyList<TableWarning> Warnings => _warnings;

    /// <summary>Columns that would have to be left out for the table to be usable.</summary>
    public IReadOnlyList<string> Unfit => _unfit;

    public TableProfile Profile => _profile;
    public TableOptions Options => _options;

    public int Inputs => _features.Sum(column => column.Width);

    /// <param name="profile">Of the file.</param>
    /// <param name="open">Opens the file: parts of dates need another reading.</param>
    /// <param name="options">What was asked for.</param>
    /// <param name="cancellation">Ends it.</param>
    public static TablePlan Of(TableProfile profile, Func<RowSource> open, TableOptions options, CancellationToken cancellation)
    {
        var plan = new TablePlan(profile, options);
        plan.CheckNames();
        for (var i = 0; i < profile.Names.Count; i++)
            plan.Add(i);
        plan.AddDates(open, cancellation);
        plan.TellSingles(open, cancellation);
        plan.Finish();
        return plan;
    }

    private void CheckNames()
    {
        // nobody reads more, and each unknown name is compared with all
        const int Most = 50;
        void Check(string field, string name)
        {
            if (_problems.Count >= Most)
                return;
            if (!_profile.Names.Contains(name))
                _problems.Add(new(field, TableProfile.UnknownColumn(name, _profile.Names)));
            else if (name == _options.Target)
                _problems.Add(new(field, $"'{name}' is the target"));
        }

        foreach (var name in _options.Drop)
            Check("/drop", name);
        foreach (var name in _options.Types.Keys.Where(name => name != _options.Target))
            Check($"/types/{Http.JsonShape.Escape(name)}", name);
        if (_options.GroupBy is { } group)
            Check("/groupBy", group);
        if (_options.TimeBy is { } time)
            Check("/timeBy", time);
        if (_options.Target is null)
            _problems.Add(new("/target", $"say which column is to be predicted: {string.Join(", ", _profile.Names.Take(20))}"
                + (_profile.Names.Count > 20 ? $" or one of {_profile.Names.Count - 20:N0} more" : "")));
    }

    private void Add(int source)
    {
        var (name, column) = (_profile.Names[source], _profile.Columns[source]);
        var isDropped = _options.Drop.Contains(name);
        if (name == _options.Target)
            Target = isDropped ? null : PlanTarget(source, name, column);
        else if (name == _options.GroupBy)
            Group = PlanGroup(source, name, column);
        else if ((!isDropped || name == _options.TimeBy) && PlanFeature(source, name, column) is var planned)
        {
            if (name == _options.TimeBy)
                Time = PlanTime(name, planned);
            if (planned is not null && !isDropped)
                _features.Add(planned);
        }
    }

    /// <summary>Its codes are given out as values are met.</summary>
    private PlannedColumn? PlanGroup(int source, string name, ColumnProfile column)
    {
        if (column.Missing == 0 && column.Distinct <= 1)
        {
            Problem($"'{name}' has the same value in all rows, so no rows can be held out without dividing that group: group by another "
                + $"column", "/groupBy");
            return null;
        }
        return new()
        {
            Name = name,
            Source = source,
            Kind = ColumnKind.Category,
            Storage = new(StorageType.UInt),
            Missing =
            column.Missing
        };
    }

    private PlannedColumn? PlanTime(string name, PlannedColumn? planned)
    {
        if (planned is not { Kind: ColumnKind.Date or ColumnKind.Number })
            Problem($"'{name}' must hold dates or numbers by which the rows can be put in order", "/timeBy");
        else if (planned.Missing > 0)
            Problem($"'{name}' lacks a value in {planned.Missing:N0} of {_profile.Rows:N0} rows, so it can't be told when they were: "
                + "fill it in or leave these rows out of the file", "/timeBy");
        else
            return planned with { Storage = new(StorageType.Double) };
        return null;
    }

    private PlannedColumn? PlanFeature(int source, string name, ColumnProfile column)
    {
        var declared = _options.Types.GetValueOrDefault(name);
        var present = column.Rows - column.Missing;
        if (present == 0)
        {
            Warn(TableWarningKind.Empty, name, "has no value in any row and is left out");
            return null;
        }
        if (2 * present < column.Rows)
            Warn(TableWarningKind.ManyMissing, name, $"lacks a value in {column.Missing:N0} of {column.Rows:N0} rows");
        if (declared is null && LooksLikeIdentifier(name, column))
            Warn(TableWarningKind.Identifier, name,
                $"seems to number or name the rows; leave it out with drop={name} unless it tells something");
        var kind = declared?.Kind ?? KindOf(name, column);
        return kind switch
        {
            null => null,
            ColumnKind.Number => AsNumber(source, name, column),
            ColumnKind.Boolean => AsBoolean(source, name, column),
            ColumnKind.Date => AsDate(source, name, column, declared?.Order ?? DateOrders.None),
            ColumnKind.Ordinal => AsList(source, name, column, ColumnKind.Ordinal, MostOrdinals),
            _ => AsList(source, name, column, ColumnKind.Category, declared is null ? MostCategories : MostDeclaredCategories),
        };
    }

    /// <summary>What a column is by its values; null and a problem if nothing that can be learned from.</summary>
    private ColumnKind? KindOf(string name, ColumnProfile column)
    {
        var present = column.Rows - column.Missing;
        var texts = column.Texts - column.PerhapsMissing;
        if (texts == 0 && column.Numbers.Count + column.TooLarge + column.Infinite > 0)
            return ColumnKind.Number;
        if (column.Numbers.Count == 0 && column.TooLarge + column.Infinite == 0)
        {
            if (Booleans(column) is not null)
                return ColumnKind.Boolean;
            if (texts > 0 && column.Dates != DateOrders.None)
                return ColumnKind.Date;
        }
        // Numbers with a few other texts are numbers with mistakes, unless they are labels such as 0, 1, 2, 3+.
        if (2 * column.Numbers.Count >= present && (column.Numbers.Digits > 0 || column.Distinct > FewNumbers || column.TooLarge > 0))
            return ColumnKind.Number;
        if (column.Distinct <= MostCategories && column.Values.Counts is not null
            && (column.Distinct <= FewNumbers || 2 * column.Distinct <= present))
            return ColumnKind.Category;
        _unfit.Add(name);
        return null;
    }

    private PlannedColumn? AsNumber(int source, string name, ColumnProfile column)
    {
        if (column.FirstTooLarge is { } large)
        {
            Problem($"{large.Place}, column '{name}': {large.Text} is beyond the range of numbers (up to 1.8e308): correct it, "
                + $"leave it empty if the value is missing, or say missing={large.Text.Trim('\'')}");
            return null;
        }
        if (column.FirstText is { } text)
        {
            var count = column.Texts - column.PerhapsMissing;
            _mixed.Add(name);
            if (_mixed.Count > MostMixed)
                return null;
            Problem($"{text.Place}, column '{name}': {text.Text} is not a number, as {column.Numbers.Count:N0} other values of the column "
                + $"are"
                + $"{(count > 1 ? $" ({count:N0} are not)" : "")}: correct it, "
                + (column.WithCommas > 0 ? "say decimal=comma or decimal=point, " : "")
                + $"say missing={text.Text.Trim('\'')} if it means a missing value, or types={{\"{name}\": \"category\"}}, or drop={name}");
            return null;
        }
        if (column.FirstInfinite is { } infinite && name == _options.Target)
        {
            Problem($"{infinite.Place}, column '{name}': {infinite.Text} is infinite{(column.Infinite > 1
                ? $", as {column.Infinite - 1:N0} more {(column.Infinite == 2 ? "value is" : "values are")}" : "")}, and a number to "
                + $"predict must be finite: correct it, or say missing={infinite.Text.Trim('\'')}, which leaves such rows out");
            return null;
        }
        if (column.FirstInfinite is { } first)
            Warn(TableWarningKind.Infinite, name, $"has {column.Infinite:N0} infinite {(column.Infinite == 1 ? "value" : "values")} "
                + $"({(column.Infinite == 1 ? "" : "the first: ")}{first.Place}, {first.Text}), which are taken for missing ones");
        if (column.Numbers.Count == 0 && name == _options.Target)
        {
            Problem($"the target '{name}' has no number in any row", "/target");
            return null;
        }
        if (column.Numbers.Count == 0)
        {
            Warn(TableWarningKind.Empty, name, "has no finite value in any row and is left out");
            return null;
        }
        return new()
        {
            Name = name,
            Source = source,
            Kind = ColumnKind.Number,
            Storage = Storage.Of(column.Numbers),
            Missing = column.Missing + column.PerhapsMissing + column.Infinite,
            Numbers = column.Numbers,
        };
    }

    private PlannedColumn? AsBoolean(int source, string name, ColumnProfile column)
    {
        if (Booleans(column) is not { } codes)
        {
            Problem($"column '{name}' is to be boolean and has {Values(column)}: exactly two different values are needed, such as yes and "
                + $"no",
                $"/types/{Http.JsonShape.Escape(name)}");
            return null;
        }
        return new()
        {
            Name = name,
            Source = source,
            Kind = ColumnKind.Boolean,
            Storage = Storage.OfCodes(2),
            Codes = codes,
            Missing = column.Missing,
        };
    }

    private PlannedColumn? AsDate(int source, string name, ColumnProfile column, DateOrders order)
    {
        var pointer = $"/types/{Http.JsonShape.Escape(name)}";
        var orders = order == DateOrders.None ? column.Dates : column.Dates & order;
        if (column.Numbers.Count > 0 || orders == DateOrders.None)
        {
            Problem((column.FirstNoDate ?? column.FirstText) is { } text
                ? $"{text.Place}, column '{name}': {text.Text} is not a date such as 2021-12-31, 31.12.2021 or 12/31/2021, or not in the "
                + $"order of the others"
                : $"column '{name}' is to hold dates and holds numbers: a date is written as 2021-12-31, 31.12.2021 or 12/31/2021",
                pointer);
            return null;
        }
        if (orders == (DateOrders.DayMonthYear | DateOrders.MonthDayYear))
        {
            Problem($"column '{name}': the dates, as {column.FirstText?.Text}, can be read with the day or the month first: "
                + $"say types={{\"{name}\": \"date:dmy\"}} or types={{\"{name}\": \"date:mdy\"}}", pointer);
            return null;
        }
        // Its parts take its place.
        return new()
        {
            Name = name,
            Source = source,
            Kind = ColumnKind.Date,
            Storage = new(StorageType.Double),
            Order = orders.HasFlag(DateOrders.YearMonthDay) ? DateOrders.YearMonthDay : orders,
            Missing = column.Missing + column.PerhapsMissing,
        };
    }

    private PlannedColumn? AsList(int source, string name, ColumnProfile column, ColumnKind kind, int most)
    {
        if (column.Values.Counts is not { } counts || counts.Count > most)
        {
            var what = kind is ColumnKind.Ordinal ? "an ordinal" : "a category";
            Problem($"column '{name}' has {Values(column)}; {what} may have {most:N0}",
                $"/types/{Http.JsonShape.Escape(name)}");
            return null;
        }
        var (names, codes, rows) = Listed(counts);
        if (names.GroupBy(n => n, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } alike)
            Warn(TableWarningKind.Spelling, name, $"has categories that differ in case only: {string.Join(", ", alike)}");
        return new()
        {
            Name = name,
            Source = source,
            Kind = kind,
            Storage = Storage.OfCodes(names.Length),
            Categories = names,
            Counts = rows,
            Codes = codes,
            Missing = column.Missing,
        };
    }

    private PlannedColumn? PlanTarget(int source, string name, ColumnProfile column)
    {
        var declared = _options.Types.GetValueOrDefault(name)?.Kind;
        if (declared is ColumnKind.Date)
        {
            Problem($"the target '{name}' can't be a date: predict a number of days instead", "/target");
            return null;
        }
        var task = _options.Task ?? declared switch
        {
            ColumnKind.Number or ColumnKind.Ordinal => TableTask.Regression,
            not null => TableTask.Classification,
            null => TaskOf(column),
        };
        if (task == TableTask.Regression)
        {
            var number = declared is ColumnKind.Ordinal ? AsList(source, name, column, ColumnKind.Ordinal, MostOrdinals)
                : AsNumber(source, name, column);
            if (number?.Numbers is { } numbers && numbers.Min == numbers.Max)
                Problem($"the target '{name}' is {Text(numbers.Min)} in every row, so there is nothing to learn", "/target");
            return number;
        }
        if (column.FirstTooLarge is { } large)
        {
            Problem($"{large.Place}, column '{name}': {large.Text} is beyond the range of numbers (up to 1.8e308)");
            return null;
        }
        // Among texts it is one of them.
        if (column.Numbers.Count > 0 && column.Texts == column.PerhapsMissing && column.FirstInfinite is { } infinite)
        {
            Problem($"{infinite.Place}, column '{name}': {infinite.Text} is infinite, which is no class among numbers: correct it, or say "
                + $"missing={infinite.Text.Trim('\'')}, which leaves such rows out");
            return null;
        }
        if (column.Values.Counts is not { } counts || counts.Count > MostClasses)
        {
            Problem($"the target '{name}' has {Values(column)}; at most {MostClasses:N0} can be told apart as classes"
                + (column.Texts == 0 ? ": say task=regression to predict the number" : ": choose another target"), "/target");
            return null;
        }
        var (classes, codes, rows) = Listed(counts);
        if (classes.Length < 2)
            Problem($"the target '{name}' is '{classes[0]}' in every row: there must be at least two classes", "/target");
        return new()
        {
            Name = name,
            Source = source,
            Kind = ColumnKind.Category,
            Storage = Storage.OfCodes(classes.Length),
            Categories = classes,
            Counts = rows,
            Codes = codes,
        };
    }

    /// <summary>Texts are classes; so are whole numbers if they are few and each occurs several times.</summary>
    private static TableTask TaskOf(ColumnProfile column)
    {
        var few = column.Distinct <= FewNumbers && column.Numbers.Digits == 0;
        if (column.Numbers.Count + column.TooLarge == 0 && (column.Infinite == 0 || column.Texts > 0))
            return TableTask.Classification;
        if (column.Texts > 0)
            return 2 * column.Numbers.Count >= column.Rows && !few ? TableTask.Regression : TableTask.Classification;
        return column.TooLarge + column.Infinite == 0 && (column.Distinct <= 2 || few && column.Rows >= 5 * column.Distinct)
            ? TableTask.Classification : TableTask.Regression;
    }

    /// <summary>
    /// Classes of one row, unless the test rows are in a file of their own: of each there must be one to learn from and one to be tested
    /// on.
    /// </summary>
    private void TellSingles(Func<RowSource> open, CancellationToken cancellation)
    {
        const int Shown = 10, MostText = 1000;
        if (_profile.TestRows > 0 || Target is not { Categories: { Count: > 1 } classes, Counts: { } counts } target
            || !counts.Contains(1L) || target.Kind is not ColumnKind.Category)
            return;
        string[] singles = [.. classes.Where((_, k) => counts[k] == 1)];
        var (place, missing) = ("", new Missing(_options.Missing));
        using (var source = open())
            while (place.Length == 0 && source.Read())
            {
                if (source.Row % 4096 == 0)
                    cancellation.ThrowIfCancellationRequested();
                if (target.Read(source[target.Source], _profile.Decimals, missing) is var code && !double.IsNaN(code)
                    && counts[(int)code] == 1)
                    place = $" ('{classes[(int)code]}': {source.Place})";
            }
        var isOne = singles.Length == 1;
        // left out, they would leave nothing to tell apart, or too little to be meant
        var isMost = classes.Count - singles.Length < 2 || singles.Length > _profile.Rows / 2;
        var leave = singles.Sum(name => name.Length + 1) is var length && length > MostText
            ? $"Leave {(isOne ? "the row" : "these rows")} out (in the file itself, since they are many)"
            : $"Leave {(isOne ? "the row" : "these rows")} out (missing={string.Join(",", singles)} does, and takes that text for a "
                + "missing value in other columns, too)";
        Problem($"the {(isOne ? "class" : "classes")} {string.Join(", ", singles.Take(Shown).Select(name => $"'{name}'"))}"
            + $"{(singles.Length > Shown ? $" and {singles.Length - Shown:N0} more" : "")} of the target '{target.Name}' "
            + $"{(isOne ? "has" : "have")} only one row{(isOne ? "" : " each")}{place}: a class needs at least two, one to learn from and "
            + "one to be tested on. "
            + (isMost ? $"Without {(isOne ? "it" : "them")} too little is left to tell classes apart: choose another target" : leave)
            + ", merge "
            + $"{(isOne ? "the class with another one" : "classes")}, or bring a testFile"
            + (_profile.Columns[target.Source].Texts == 0 ? ", or say task=regression to predict the number" : ""), "/target");
    }

    private void AddDates(Func<RowSource> open, CancellationToken cancellation)
    {
        if (!_features.Any(column => column.Kind == ColumnKind.Date))
            return;
        var parts = _features.Select(column => column.Kind == ColumnKind.Date
            ? Enum.GetValues<DatePart>().Select(_ => new NumberSummary()).ToArray() : []).ToArray();
        var missing = new Missing(_options.Missing);
        var target = _options.Target is null ? -1 : _profile.Names.PlaceOf(_options.Target);
        using (var source = open())
        {
            while (source.Read())
            {
                if (source.Row % 4096 == 0)
                    cancellation.ThrowIfCancellationRequested();
                if (target >= 0 && missing.Has(source[target]))
                    continue;
                for (var c = 0; c < parts.Length; c++)
                    if (parts[c].Length > 0 && DateText.TryRead(missing.Trim(source[_features[c].Source].Text), _features[c].Order,
                        out var date))
                        foreach (var part in Enum.GetValues<DatePart>())
                            if (DateText.Part(date, part) is var number)
                                parts[c][(int)part].Add(number, NumberSummary.DigitsOf(number));
            }
        }
        for (var c = parts.Length - 1; c >= 0; c--)
        {
            if (parts[c].Length == 0)
                continue;
            var column = _features[c];
            var varying = Enum.GetValues<DatePart>().Where(part => parts[c][(int)part].Min != parts[c][(int)part].Max).ToList();
            if (varying.Count == 0)
                Warn(TableWarningKind.Constant, column.Name, "is the same date in all rows and is left out");
            _features.RemoveAt(c);
            _features.InsertRange(c, varying.Select(part => column with
            {
                Name = $"{column.Name}.{Http.Json.NameOf(part)}",
                Part = part,
                Storage = Storage.Of(parts[c][(int)part]),
                Numbers = parts[c][(int)part],
            }));
        }
    }

    private void Finish()
    {
        if (_unfit.Count > 0)
            _problems.Add(new("/drop", Unfitting()));
        if (_mixed.Count > MostMixed)
            Problem($"{_mixed.Count - MostMixed:N0} more columns of numbers hold texts, too, up to '{_mixed[^1]}': if the file has several "
                + "lines of names above the numbers, leave one of them");
        foreach (var same in _features.Where(f => f.Part is null && _profile.Columns[f.Source].Rows > _profile.Columns[f.Source].Missing)
            .GroupBy(f => (_profile.Columns[f.Source].Content, _profile.Columns[f.Source].Missing)).Where(g => g.Count() > 1))
            foreach (var twin in same.Skip(1))
                Warn(TableWarningKind.Duplicate, twin.Name,
                    $"holds the same as '{same.First().Name}' in every row; drop={twin.Name} loses nothing");
        if (Target is { } target)
            foreach (var twin in _features.Where(f => f.Part is null
                && _profile.Columns[f.Source].Content == _profile.Columns[target.Source].Content))
                Warn(TableWarningKind.Leak, twin.Name,
                    $"is the same as the target '{target.Name}' in every row: leave it out with drop={twin.Name}");
        PlannedColumn[] constants = [.. _features.Where(f => f.Missing == 0
            && (f.Numbers is { } n ? n.Min == n.Max : f.Categories is { Count: 1 }))];
        foreach (var constant in constants)
            Warn(TableWarningKind.Constant, constant.Name, "has the same value in all rows and tells nothing");
        if (_features.Count == 0 && _problems.Count == 0)
            Problem("no column is left to predict from", "/drop");
        else if (constants.Length == _features.Count && _problems.Count == 0)
            Problem("there is nothing to predict from: all that is left but the target has the same value in all rows", "/drop");
        if (Inputs > MostInputs)
            Problem($"the columns would become {Inputs:N0} inputs; at most {MostInputs:N0} are allowed: drop categories with many values");
        else if (_profile.Rows * Inputs > int.MaxValue)
            Problem($"{_profile.Rows:N0} rows of {Inputs:N0} inputs are {_profile.Rows * (double)Inputs:N0} numbers; at most "
                + $"{int.MaxValue:N0} are allowed");
        if (Target is { Categories: { } classes, Counts: { } counts } && counts.Count > 1)
        {
            const int Few = 10;
            var rare = classes.Zip(counts).Where(c => c.Second < Few && (c.Second > 1 || _profile.TestRows > 0)).ToList();
            if (rare.Count > 0)
                Warn(TableWarningKind.RareClass, Target.Name,
                    $"has fewer than {Few} rows of {(rare.Count == 1 ? "a class" : $"{rare.Count} classes")} "
                    + $"({string.Join(", ", rare.Take(5).Select(c => $"'{c.First}' {c.Second}"))}{(rare.Count > 5 ? ", ..." : "")}): "
                    + "what is measured on so few says little");
            if (counts.Max() > 10 * counts.Min() && counts.Min() > 1)
                Warn(TableWarningKind.Imbalance, Target.Name,
                    $"has {counts.Max():N0} rows of its largest class and {counts.Min():N0} of its smallest: "
                    + "look at balancedAccuracy, and try training.classWeights 'balanced'");
        }
    }

    private string Unfitting()
    {
        const int Shown = 20;
        var columns = _unfit.Take(Shown).Select(name => $"'{name}' ({Values(_profile.Columns[_profile.Names.PlaceOf(name)])})");
        return $"text with too many different values to be a category: {string.Join(", ", columns)}"
            + $"{(_unfit.Count > Shown ? $" and {_unfit.Count - Shown:N0} more columns" : "")}. Say drop={string.Join(",", _unfit)}, "
            + $"or types={{\"{_unfit[0]}\": \"ordinal\"}} for values with an order, or \"category\" for up to {MostDeclaredCategories:N0} "
            + $"values";
    }

    private static string Values(ColumnProfile column) =>
        $"{(column.Values.Counts is null ? "about " : "")}{Math.Round(column.Distinct):N0} different values in {column.Rows:N0} rows";

    private static bool LooksLikeIdentifier(string name, ColumnProfile column)
    {
        const int Least = 10;
        if (column.Rows < Least || column.Missing > 0)
            return false;
        if (column.IsConsecutive && column.Numbers.Count == column.Rows)
            return true;
        var lower = name.ToLowerInvariant();
        return column.Numbers.Digits == 0 && column.Distinct > 0.8 * column.Rows
            && (lower is "id" or "index" or "key" or "uuid" or "guid" || lower.EndsWith("_id", StringComparison.Ordinal)
                || lower.EndsWith(" id", StringComparison.Ordinal) || name.EndsWith("Id", StringComparison.Ordinal)
                || name.EndsWith("ID", StringComparison.Ordinal));
    }

    private static readonly (string No, string Yes)[] Pairs =
        [("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on")];

    /// <summary>1 for a text that means yes, 0 for one that means no; null for others.</summary>
    public static int? Truth(string text)
    {
        var lower = text.ToLowerInvariant();
        return Array.Exists(Pairs, pair => pair.Yes == lower) ? 1 : Array.Exists(Pairs, pair => pair.No == lower) ? 0 : null;
    }

    /// <summary>
    /// Codes of texts that mean no (0) and yes (1), or, where they are two others that were declared, the first and second.
    /// </summary>
    private static Dictionary<byte[], int>? Booleans(ColumnProfile column)
    {
        if (column.Values.Counts is not { Count: > 0 and <= 6 } counts)
            return null;
        var texts = counts.Keys.Select(key => (Key: key, Text: Encoding.UTF8.GetString(key).ToLowerInvariant())).ToList();
        foreach (var (no, yes) in Pairs)
            if (texts.All(t => t.Text == no || t.Text == yes))
                return texts.ToDictionary(t => t.Key, t => t.Text == yes ? 1 : 0, TextComparer.Instance);
        return null;
    }

    /// <summary>
    /// Names of the values, sorted; their codes; rows of each. Numbers are sorted as such, and 1 and 1.0 are one of them.
    /// </summary>
    private (string[] Names, Dictionary<byte[], int> Codes, long[] Rows) Listed(IReadOnlyDictionary<byte[], long> counts)
    {
        var names = counts.Keys.ToDictionary(text => text, text => Encoding.UTF8.GetString(text), TextComparer.Instance);
        var numbers = new Dictionary<string, double>();
        foreach (var text in counts.Keys)
        {
            // A zero in front is part of a label, as in 007.
            if (NumberText.Read(text, _profile.Decimals, out var number, out _) is not NumberForm.Number
                || text.Length > 1 && text[0] == '0' && text[1] is >= (byte)'0' and <= (byte)'9')
            {
                numbers.Clear();
                break;
            }
            numbers[Text(number)] = number;
        }
        if (numbers.Count > 0)
            foreach (var text in counts.Keys)
                names[text] = NumberText.Read(text, _profile.Decimals, out var number, out _) is NumberForm.Number ? Text(number) : "";
        var sorted = names.Values.Distinct().OrderBy(name => numbers.GetValueOrDefault(name))
            .ThenBy(name => name, StringComparer.Ordinal).ToArray();
        var places = sorted.Index().ToDictionary(p => p.Item, p => p.Index);
        var rows = new long[sorted.Length];
        foreach (var (text, count) in counts)
            rows[places[names[text]]] += count;
        return (sorted, names.ToDictionary(n => n.Key, n => places[n.Value], TextComparer.Instance), rows);
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private void Problem(string message, string pointer = TableException.File) => _problems.Add(new(pointer, message));

    private void Warn(TableWarningKind kind, string column, string message) =>
        _warnings.Add(new(kind, column, $"column '{column}' {message}"));
}
