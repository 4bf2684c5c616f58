using System.Globalization;
using System.Text;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Tests.Tables;

/// <summary>What columns are taken for.</summary>
public sealed class TypesTests
{
    private static string Table(string header, int rows, Func<int, string> row) =>
        header + "\n" + string.Concat(Enumerable.Range(0, rows).Select(i => row(i) + "\n"));

    [Fact]
    public void Types_are_found_and_told()
    {
        using var made = Made.Of(Table("number,category,flag,day,labels,y", 40, i =>
            $"{i * 0.5:0.0},{"pqr"[i % 3]},{(i % 2 == 0 ? "yes" : "No")},2021-02-{i % 28 + 1:00}T10:30:00Z,"
                + $"{(i % 4 == 3 ? "3+" : $"{i % 4}")},{"ab"[i % 2]}"));
        Assert.Empty(made.Plan.Problems);
        Assert.Equal([("number", ColumnKind.Number), ("category", ColumnKind.Category), ("flag", ColumnKind.Boolean),
            ("day.day", ColumnKind.Date), ("day.weekday", ColumnKind.Date), ("labels", ColumnKind.Category)],
            made.Plan.Features.Select(f => (f.Name, f.Kind)));
        Assert.Equal(["p", "q", "r"], made["category"].Categories);
        Assert.Equal([14L, 13, 13], made["category"].Counts);
        Assert.Equal(["0", "1", "2", "3+"], made["labels"].Categories);
        // The second row: 2021-02-02 was a Tuesday.
        Assert.Equal([0.5, 1, 0, 2, 2, 1, 1], made.Rows()[1]);
    }

    [Theory]
    [InlineData("12.5%", 12.5)]
    [InlineData("12.5 %", 12.5)]
    [InlineData("$1,234.50", 1234.5)]
    [InlineData("-$1,234.5", -1234.5)]
    [InlineData("$-12", -12)]
    [InlineData("€ 7", 7)]
    [InlineData("7 €", 7)]
    [InlineData("£0.5", 0.5)]
    [InlineData("1 234 567.5", 1234567.5)]
    [InlineData("1\u00A0234", 1234)]
    [InlineData("-12\u202F345", -12345)]
    [InlineData("1'234.5", 1234.5)]
    [InlineData("1 234 567.5 €", 1234567.5)]
    public void Numbers_may_have_a_unit_or_groups(string text, double number)
    {
        using var made = Made.Of(Table("x,y", 40, i => i == 3 ? $"\"{text}\",a" : $"{i * 7}.5,{"ab"[i % 2]}"));
        Assert.Empty(made.Plan.Problems);
        Assert.Equal((ColumnKind.Number, number), (made["x"].Kind, made.Rows()[3][0]));
    }

    [Fact]
    public void Short_numbers_are_read_to_the_bits_of_the_parsedway()
    {
        var random = new Random(1);
        string[] edges = ["0", "-0", "5.", ".5", "-.5", "007", "1.10", "999999999999999", "0.00000000000001", "99999999999999.9"];
        foreach (var text in edges.Concat(Enumerable.Range(0, 20_000).Select(_ =>
            (random.NextDouble() * Math.Pow(10, random.Next(-6, 8))).ToString($"F{random.Next(8)}", CultureInfo.InvariantCulture))))
        {
            Assert.True(NumberText.TryShort(Encoding.UTF8.GetBytes(text), out var number, out var digits), text);
            var parsed = double.Parse(text, CultureInfo.InvariantCulture);
            Assert.Equal(BitConverter.DoubleToInt64Bits(parsed), BitConverter.DoubleToInt64Bits(number));
            Assert.Equal(text.Contains('.', StringComparison.Ordinal) ? text.Split('.')[1].TrimEnd('0').Length : 0, digits);
        }
        foreach (var text in (string[])["", "-", ".", "-.", "1.2.3", "1e5", "+1", "1,5", "9999999999999999", "1 2", "inf"])
            Assert.False(NumberText.TryShort(Encoding.UTF8.GetBytes(text), out _, out _), text);
    }

    [Theory]
    [InlineData("-$-5")]
    [InlineData("$5%")]
    [InlineData("12 34")]
    [InlineData("1 2345")]
    [InlineData("1234 567")]
    [InlineData("1 234 56")]
    [InlineData("$")]
    [InlineData("%")]
    [InlineData("-")]
    [InlineData("$abc")]
    [InlineData("1.5 234")]
    [InlineData("€€5")]
    [InlineData("1' 234")]
    [InlineData(".1,2")]
    public void Other_texts_are_no_numbers(string text) => Assert.True(
        NumberText.Read(System.Text.Encoding.UTF8.GetBytes(text), Decimals.Point, out _, out _) is NumberForm.None, text);

    [Theory]
    [InlineData("3 Feb 2021")]
    [InlineData("03-Feb-2021")]
    [InlineData("February 3, 2021")]
    [InlineData("Feb 3 2021")]
    [InlineData("2021-Feb-03 00:00")]
    public void Months_may_have_names(string text)
    {
        var isFirst = char.IsLetter(text[0]);
        var order = isFirst ? DateOrders.MonthDayYear : text[0] == '2' ? DateOrders.YearMonthDay : DateOrders.DayMonthYear;
        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        Assert.Equal(order, DateText.Orders(bytes, DateOrders.All));
        Assert.True(DateText.TryRead(bytes, order, out var date));
        Assert.Equal(new DateTime(2021, 2, 3, 0, 0, 0, DateTimeKind.Utc), date);
    }

    [Theory]
    [InlineData("3 2 2021")]
    [InlineData("3 Fe 2021")]
    [InlineData("3 Febx 2021")]
    [InlineData("30 Feb 2021")]
    [InlineData("Feb Feb 2021")]
    [InlineData("Feb-2021")]
    public void Other_texts_are_no_dates(string text) =>
        Assert.Equal(DateOrders.None, DateText.Orders(System.Text.Encoding.UTF8.GetBytes(text), DateOrders.All));

    [Fact]
    public void Missing_values_have_many_names()
    {
        using var made = Made.Of("x,z,w,y\n1.5,p,1,a\n?,NA,none,b\n,n/a,-,a\nNaN,null,2,b\nnull,q,#N/A,a\n3,\\N,.,b\n-999,none,3,a\n",
            new() { Target = "y", Missing = ["-999"] });
        Assert.Empty(made.Plan.Problems);
        Assert.Equal([5L, 4, 4], made.Plan.Features.Select(f => f.Missing));
        Assert.Equal(["none", "p", "q"], made["z"].Categories);
        Assert.Equal((ColumnKind.Number, 1.5, 3.0), (made["x"].Kind, made["x"].Numbers?.Min, made["x"].Numbers?.Max));
        Assert.Equal([double.NaN, double.NaN, double.NaN, 1], made.Rows()[1]);
    }

    [Fact]
    public void Rows_without_a_target_count_nowhere()
    {
        using var made = Made.Of("x,y\n1,a\n100,\n2,b\n200,NA\n3,a\n4,b\n");
        Assert.Equal((4L, 2L, 4.0), (made.Plan.Profile.Rows, made.Plan.Profile.DroppedRows, made["x"].Numbers?.Max));
    }

    [Fact]
    public void Text_with_too_many_values_is_refused_with_what_to_ask_for()
    {
        var csv = Table("id,name,note,x,y", 60, i => $"{i + 1},name {i},\"{new string('x', 300)}{i}\",{i % 7},{"ab"[i % 2]}");
        using var made = Made.Of(csv);
        var problem = Assert.Single(made.Plan.Problems);
        Assert.Equal("/drop", problem.Pointer);
        Assert.Contains("'name' (60 different values in 60 rows), 'note'", problem.Message, StringComparison.Ordinal);
        Assert.Contains("drop=name,note", problem.Message, StringComparison.Ordinal);
        Assert.Equal(["name", "note"], made.Plan.Unfit);
        using var mended = Made.Of(csv, new() { Target = "y", Drop = made.Plan.Unfit });
        Assert.Empty(mended.Plan.Problems);
        using var ordinal = Made.Of(csv, new() { Target = "y", Drop = ["note"], Types = Types("name", ColumnKind.Ordinal) });
        Assert.Empty(ordinal.Plan.Problems);
        Assert.Equal((1, 60), (ordinal["name"].Width, ordinal["name"].Categories?.Count));
        // "name 10" comes before "name 2", as texts do.
        Assert.Equal(2, ordinal.Rows()[10][1]);
    }

    [Fact]
    public void What_looks_odd_is_said()
    {
        using var made = Made.Of(Table("id,empty,constant,copy,x,sparse,answer,sex,y", 40, i =>
            $"{i + 7},,5,{i % 7},{i % 7},{(i < 30 ? "" : i)},{"pq"[i % 2]},"
                + $"{(i % 3 == 0 ? "Male" : i % 3 == 1 ? "male" : "female")},{"ab"[i % 2]}"));
        Assert.Equal([("answer", TableWarningKind.Leak), ("constant", TableWarningKind.Constant), ("empty", TableWarningKind.Empty),
            ("id", TableWarningKind.Identifier), ("sex", TableWarningKind.Spelling), ("sparse", TableWarningKind.ManyMissing),
            ("x", TableWarningKind.Duplicate)],
            Warnings(made).Where(w => w.Column != "y").Select(w => (w.Column, w.Kind)).Order());
        Assert.DoesNotContain(made.Plan.Features, f => f.Name == "empty");
    }

    [Theory]
    [InlineData("x", true)]
    [InlineData("3 * x + 1000000", true)]
    [InlineData("noisy", false)]
    public void A_feature_that_is_the_target_in_another_unit_is_a_leak(string feature, bool leaks)
    {
        var random = new Random(1);
        using var made = Made.Of(Table("f,y", 100, i =>
        {
            var x = random.NextDouble();
            var f = feature switch { "x" => x, "noisy" => x + 0.1 * random.NextDouble(), _ => 3 * x + 1_000_000 };
            return FormattableString.Invariant($"{f:R},{x:R}");
        }));
        Assert.Equal(leaks, Warnings(made).Exists(w => w.Kind == TableWarningKind.Leak));
    }

    [Fact]
    public void Classes_with_a_column_to_themselves_are_a_leak_and_overlapping_ones_are_not()
    {
        using var apart = Made.Of(Table("f,y", 60, i => FormattableString.Invariant($"{i % 3 * 10 + i / 60.0},{"abc"[i % 3]}")));
        Assert.Equal(TableWarningKind.Leak, Assert.Single(Warnings(apart)).Kind);
        using var near = Made.Of(Table("f,y", 60, i => FormattableString.Invariant($"{i % 3 * 0.5 + i / 60.0},{"abc"[i % 3]}")));
        Assert.Empty(Warnings(near));
    }

    [Theory]
    [InlineData(60, 3, "", TableTask.Classification)]
    [InlineData(60, 40, "", TableTask.Regression)]
    [InlineData(60, 15, "", TableTask.Regression)]
    [InlineData(200, 15, "", TableTask.Classification)]
    [InlineData(60, 3, ".5", TableTask.Regression)]
    [InlineData(60, 2, ".5", TableTask.Classification)]
    [InlineData(60, 3, "x", TableTask.Classification)]
    public void Classes_or_a_number_is_found_from_the_target(int rows, int values, string suffix, TableTask task)
    {
        using var made = Made.Of(Table("x,y", rows, i => $"{i * 31 % 17},{i % values}{suffix}"));
        Assert.Empty(made.Plan.Problems);
        Assert.Equal(task, made.Plan.Target?.Categories is null ? TableTask.Regression : TableTask.Classification);
        if (suffix == "x")
            return;
        using var other = Made.Of(Table("x,y", rows, i => $"{i * 31 % 17},{i % values}{suffix}"),
            new() { Target = "y", Task = task == TableTask.Regression ? TableTask.Classification : TableTask.Regression });
        Assert.NotEqual(task, other.Plan.Target?.Categories is null ? TableTask.Regression : TableTask.Classification);
    }

    [Fact]
    public void Classes_that_are_numbers_stand_in_their_order_and_codes_keep_their_zeros()
    {
        using var numbers = Made.Of(Table("x,y", 60, i => $"{i % 7},{(i % 3 == 0 ? "10" : i % 3 == 1 ? "9" : "9.0")}"),
            new() { Target = "y", Task = TableTask.Classification });
        Assert.Equal(["9", "10"], numbers.Plan.Target?.Categories);
        Assert.Equal([40L, 20], numbers.Plan.Target?.Counts);
        using var codes = Made.Of(Table("x,y", 60, i => $"{i % 7},{(i % 2 == 0 ? "07" : "010")}"));
        Assert.Equal(["010", "07"], codes.Plan.Target?.Categories);
    }

    [Theory]
    [InlineData("5.1,4.9,6,7.25", StorageType.Byte, 490, 100)]
    [InlineData("5.1,4.9,6,9.25", StorageType.UShort, 490, 100)]
    [InlineData("1,2,3,250", StorageType.Byte, 1, 1)]
    [InlineData("-5,0,250,300", StorageType.UShort, -5, 1)]
    [InlineData("1700000000000,1700000000001,1700000000900,1700000000400", StorageType.UShort, 1700000000000, 1)]
    [InlineData("0.123456789,0.5,3,4", StorageType.UInt, 123456789, 1000000000)]
    [InlineData("1e-3,2,3,4", StorageType.Float, 0, 1)]
    [InlineData("1e300,2,3,4", StorageType.Double, 0, 1)]
    [InlineData("1000000.0000000001,1000000.0000000002,1000000.00000001,1000001", StorageType.Double, 0, 1)]
    public void Numbers_are_stored_exactly_in_the_smallest_type(string values, StorageType type, long offset, long divisor)
    {
        var given = values.Split(',');
        using var made = Made.Of(Table("x,y", 4, i => $"{given[i]},{"ab"[i % 2]}"));
        Assert.Equal(new Storage(type, offset, divisor), made["x"].Storage);
        var column = new ColumnValues(made["x"].Storage, 5);
        for (var i = 0; i < 4; i++)
        {
            var number = double.Parse(given[i], System.Globalization.CultureInfo.InvariantCulture);
            column[i] = number;
            Assert.Equal(type == StorageType.Float ? (float)number : number, column[i]);
        }
        column[4] = double.NaN;
        Assert.True(double.IsNaN(column[4]));
    }

    private static List<TableWarning> Warnings(Made made)
    {
        var encoder = new TableEncoder(made.Plan);
        Assert.All(encoder.Encode(made.File.Open, pack: true, CancellationToken.None), chunk => Assert.NotEmpty(chunk.Packed));
        return [.. made.Plan.Warnings.Concat(encoder.Leaks.Found()).DistinctBy(w => (w.Kind, w.Column))];
    }

    private static Dictionary<string, DeclaredType> Types(string column, ColumnKind kind) => new() { [column] = new(kind) };
}
