using System.IO.Compression;
using System.Text;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Tests.Tables;

/// <summary>Text tables as people have them.</summary>
public sealed class CsvTests
{
    private const string Rest = "1,a\n2,b\n3,a\n4,b\n";

    [Theory]
    [InlineData("x,y\n1.5,a\n2.5,b\n3,a\n4,b\n")]
    [InlineData("x,y\r\n1.5,a\r\n2.5,b\r\n3,a\r\n4,b\r\n")]
    [InlineData("x,y\r1.5,a\r2.5,b\r3,a\r4,b")]
    [InlineData("x;y\n1,5;a\n2,5;b\n3;a\n4;b\n")]
    [InlineData("x\ty\n1.5\ta\n2.5\tb\n3\ta\n4\tb\n")]
    [InlineData("x|y\n1.5|a\n2.5|b\n3|a\n4|b\n")]
    [InlineData("x,y\n\"1,5\",a\n\"2,5\",b\n3,a\n4,b\n")]
    [InlineData("\uFEFFx,y\n1.5,a\n2.5,b\n3,a\n4,b\n")]
    [InlineData(" x , y \n 1.5, a\n 2.5, b\n 3, a\n\n 4, b\n\n")]
    [InlineData("\"x\",\"y\"\n\"1.5\",\"a\"\n2.5,b\n3,a\n4,b")]
    [InlineData("# by hand\n# on a day, in May\n\nx,y\n1.5,a\n2.5,b\n3,a\n# a line\n4,b\n")]
    [InlineData("#x,y\n1.5,a\n2.5,b\n3,a\n4,b\n")]
    [InlineData("# x y\n1.5 a\n2.5 b\n3 a\n4 b\n")]
    [InlineData("sep=;\r\nx;y\r\n1,5;a\r\n2,5;b\r\n3;a\r\n4;b\r\n")]
    [InlineData("\"sep=^\"\nx^y\n1.5^a\n2.5^b\n3^a\n4^b\n")]
    [InlineData("'x' 'y'\n1.5 a\n2.5 'b'\n3 a\n4 b\n")]
    public void The_same_table_is_read_however_it_is_written(string csv)
    {
        using var made = Made.Of(csv);
        Assert.Empty(made.Plan.Problems);
        Assert.Equal((ColumnKind.Number, 4L), (made["x"].Kind, made.Plan.Profile.Rows));
        Assert.Equal([[1.5, 0], [2.5, 1], [3, 0], [4, 1]], made.Rows());
        Assert.Equal(["a", "b"], made.Plan.Target?.Categories);
    }

    [Theory]
    [InlineData("Report of the year\nfor all\nx,z,y\n1,2,a\n2,3,b\n3,4,a\n4,5,b\n", 2, "x,z,y")]
    [InlineData("Report;;\nx;z;y\n1;2;a\n2;3;b\n3;4;a\n4;5;b\n", 1, "x,z,y")]
    [InlineData("4,2,ab,cd\n1,2,3,4,0,0\n2,3,4,5,1,1\n3,4,5,6,0,0\n4,5,6,7,1,1\n", 1, "column1,column2,column3,column4,column5,column6")]
    [InlineData("506,2,,,\n\"x\",\"z\",\"u\",\"v\",\"y\"\n1,2,3,4,0\n2,3,4,5,1\n3,4,5,6,0\n4,5,6,7,1\n", 1, "x,z,u,v,y")]
    [InlineData("x,y,\n1,a,\n2,b,\n3,a,\n4,b,\n", 0, "x,y,column3")]
    [InlineData("x,y\n1,a,\n2,b,\n3,a,\n4,b,\n", 0, "x,y,column3")]
    [InlineData("x,y\nr1,1,a\nr2,2,b\nr3,3,a\n", 0, "row,x,y")]
    public void What_stands_above_or_behind_a_table_is_left_out(string csv, int above, string names)
    {
        using var made = Made.Of(csv, new());
        Assert.Equal((names, above), (string.Join(',', made.Plan.Profile.Names), made.File.Dialect?.LinesAbove));
        Assert.Equal(names[0] == 'r' ? 3 : 4, made.Plan.Profile.Rows);
    }

    [Fact]
    public void Lines_are_counted_from_the_beginning_of_the_file()
    {
        Assert.Contains("row 2 (line 5) has 3 fields instead of 2", Made.Refusal("# one\n# two\nx,y\n1,a\n2,b,c\n3,a\n4,b\n"),
            StringComparison.Ordinal);
        // Too few names are a fault, not a title.
        Assert.Contains("row 1 (line 2) has 4 fields instead of 2", Made.Refusal("x,y\n1,2,3,a\n2,3,4,b\n3,4,5,a\n4,5,6,b\n"),
            StringComparison.Ordinal);
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        using var wide = Made.Of([.. Encoding.Unicode.Preamble,
            .. Encoding.Unicode.GetBytes("# größe\r\nx,y\r\n1,ä\r\n2,b\r\n3,ä\r\n4,b\r\n")]);
        Assert.Equal((4L, 1), (wide.Plan.Profile.Rows, wide.File.Dialect?.LinesAbove));
    }

    [Theory]
    [InlineData("utf-16", "utf-16")]
    [InlineData("utf-16BE", "utf-16be")]
    [InlineData("utf-8", "utf-8")]
    [InlineData("windows-1252", "windows-1252")]
    public void Encodings_are_found(string encoding, string found)
    {
        Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
        using var made = Made.Of(Encoding.GetEncoding(encoding).GetBytes("größe,y\n1,ä\n2,b\n3,ä\n4,b\n"));
        Assert.Equal((found, "größe"), (made.File.Dialect?.Encoding, made.Plan.Features[0].Name));
        Assert.Equal(["b", "ä"], made.Plan.Target?.Categories);
    }

    [Fact]
    public void A_character_across_the_end_of_a_block_is_no_other_encoding()
    {
        for (var shift = 0; shift < 4; shift++)
        {
            var csv = $"x,y\n{new string('1', 65536 - 6 - shift)}ä€,a\n" + Rest;
            using var made = Made.Of(csv, new() { Target = "y", Drop = ["x"] });
            Assert.Equal("utf-8", made.File.Dialect?.Encoding);
        }
    }

    [Theory]
    [InlineData("5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,2.9,virginica\n5.0,2.1,virginica\n", "column3", false)]
    [InlineData("a,b,y\np,q,r\np,q,s\np,s,r\nt,q,s\n", "y", true)]
    [InlineData("p,p,e\np,q,e\nq,p,f\nq,q,f\n", "column3", false)]
    [InlineData("2010,2011,y\n1,2,a\n2,3,b\n3,4,a\n1,2,b\n", "y", true)]
    public void Whether_there_is_a_header_is_found(string csv, string target, bool hasHeader)
    {
        using var made = Made.Of(csv, new() { Target = target });
        Assert.Equal((hasHeader, hasHeader ? 4L : csv.Count(c => c == '\n')), (made.File.Dialect?.HasHeader, made.Plan.Profile.Rows));
    }

    [Fact]
    public void Row_names_as_R_writes_them_are_a_column()
    {
        using var made = Made.Of("\"x\",\"y\"\n\"1\",1.5,\"a\"\n\"2\",2,\"b\"\n\"3\",3,\"a\"\n\"4\",4,\"b\"\n");
        Assert.Equal(["row", "x", "y"], made.Plan.Profile.Names);
    }

    [Theory]
    [InlineData("x,y\n1,a\n2\n3,b,c\n4,b\n", "row 2 (line 3) has 1 field instead of 2: '2'")]
    [InlineData("x,y\n1,a\n2\n3,b,c\n4,b\n", "row 3 (line 4) has 3 fields instead of 2: '3,b,c'")]
    [InlineData("x,n,y\n1,\"two\nlines\",a\n2,c\n3,d,b\n", "row 2 (line 4) has 2 fields instead of 3")]
    [InlineData("x,y\n1,a\n1e400,b\n" + Rest, "row 2 (line 3), column 'x': '1e400' is beyond the range of numbers")]
    [InlineData("x,y\n1,1.5\n2,-inf\n3,2.5\n4,inf\n", "row 2 (line 3), column 'y': '-inf' is infinite, as 1 more value is, and a number to "
        + "predict must be finite: correct it, or say missing=-inf, which leaves such rows out")]
    [InlineData("x,y\n1,0\n2,1\n3,0\n4,inf\n5,1\n6,0\n7,1\n8,0\n9,1\n10,0\n11,1\n12,0\n13,1\n14,0\n15,1\n",
        "row 4 (line 5), column 'y': 'inf' is infinite")]
    [InlineData("x,y\n1.5,a\nabc,b\n" + Rest, "row 2 (line 3), column 'x': 'abc' is not a number, as 5 other values of the column are")]
    [InlineData("x,y\n1.5,a\n\"2,5\",b\n" + Rest, "row 2 (line 3), column 'x': '2,5' is not a number")]
    [InlineData("x,y\n1,a\n\"1,500\",b\n" + Rest, "say decimal=comma or decimal=point")]
    [InlineData("x,y\n1,a\n2\05,b\n" + Rest, "row 2 (line 3), column 'x': '2·5' holds a NUL character")]
    [InlineData("x,y\n", "there are no rows, only the names of 2 columns")]
    [InlineData("x,y\n1,\n2,?\n", "no row has a value in the target's column 'y' (2 rows)")]
    [InlineData("", "'made.csv' is empty")]
    [InlineData("x,y\n1,a\n2,a\n", "the target 'y' is 'a' in every row: there must be at least two classes")]
    [InlineData("x,y\n1,a\n2,a\n3,b\n4,c\n5,c\n", "the class 'b' of the target 'y' has only one row ('b': row 3 (line 4)): a class needs "
        + "at least two, one to learn from and one to be tested on. Leave the row out (missing=b does")]
    [InlineData("x,y\n1,a\n2,a\n3,b\n", "Without it too little is left to tell classes apart: choose another target, merge the class with")]
    [InlineData("x,y\n1,a\n2,a\n3,b\n4,b\n5,c\n6,d\n7,e\n8,f\n9,g\n", "Without them too little is left to tell classes apart")]
    [InlineData("wide\n1\n2\n", "there is no column 'y'; the file was read as one column, 'wide': if it is a table, say which character")]
    [InlineData("x,y\n1,a\n2,c\n3,b\n4,a\n", "the classes 'b', 'c' of the target 'y' have only one row each ('c': row 2 (line 3))")]
    [InlineData("x,x,y\n1,2,a\n", "line 1: the columns 1 and 2 are both called 'x'")]
    [InlineData("x,y\n1,a\n\"2,b\n3,a\n", "line 3: a quote is opened in the record that begins here and never closed")]
    [InlineData("x,z\n" + Rest, "there is no column 'y': did you mean 'x'?")]
    [InlineData("<!DOCTYPE html><html></html>", "is a web page or XML, not a table")]
    [InlineData("d,y\n03/04/2021,a\n05/06/2021,b\n03/04/2021,a\n05/06/2021,b\n",
        "say types={\"d\": \"date:dmy\"} or types={\"d\": \"date:mdy\"}")]
    public void What_is_wrong_is_named_with_its_place(string csv, string message) =>
        Assert.Contains(message, Made.Refusal(csv), StringComparison.Ordinal);

    [Fact]
    public void A_class_of_one_row_can_be_left_out_or_learned_with_test_rows_of_ones_own()
    {
        const string Csv = "x,y\n1,a\n2,a\n3,b\n4,c\n5,c\n";
        using var without = Made.Of(Csv, new() { Target = "y", Missing = ["b"] });
        Assert.Empty(without.Plan.Problems);
        Assert.Equal((4, 1), (without.Plan.Profile.Rows, without.Plan.Profile.DroppedRows));
        using var test = Made.Of("x,y\n1,a\n2,c\n");
        using var own = Made.Of(Csv);
        var both = own.File.With(test.File);
        var profile = TableProfile.Of(both.Open, both.Options, CancellationToken.None);
        var plan = TablePlan.Of(profile, both.Open, both.Options, CancellationToken.None);
        Assert.Empty(plan.Problems);
        Assert.Contains(plan.Warnings, warning => warning is { Kind: TableWarningKind.RareClass, Column: "y" });
    }

    /// <summary>All that are to be left out are named, or the advice is worth nothing.</summary>
    [Fact]
    public void However_many_classes_of_one_row_there_are_the_advice_to_leave_them_out_names_all()
    {
        var csv = "x,y\n" + string.Concat(Enumerable.Range(0, 60).Select(i => $"{i},{"abc"[i % 3]}\n"))
            + string.Concat(Enumerable.Range(0, 14).Select(i => $"{i},s{i}\n"));
        var refusal = Made.Refusal(Encoding.UTF8.GetBytes(csv));
        Assert.Contains("' and 4 more of the target", refusal, StringComparison.Ordinal);
        var missing = refusal.Split("missing=")[1].Split(" does")[0];
        using var made = Made.Of(csv, new() { Target = "y", Missing = missing.Split(',') });
        Assert.Empty(made.Plan.Problems);
        Assert.Equal(60, made.Plan.Profile.Rows);
    }

    [Theory]
    [InlineData("x,y\n1,a\n2,b\n3,a\n4,\n")]
    [InlineData("x,y\n1,a\n2,b\n3,a\n4,b\n5,a\n")]
    [InlineData("x,y\n1,a\n2,b\n3,a\n400,b\n")]
    public void A_file_that_reads_otherwise_the_second_time_is_refused(string second)
    {
        using var first = Made.Of("x,y\n1,a\n2,b\n3,a\n4,b\n");
        using var other = Made.Of(second);
        var encoder = new TableEncoder(first.Plan);
        var refused = Assert.Throws<TableException>(() => encoder.Encode(other.File.Open, pack: true, CancellationToken.None).Count());
        Assert.Equal(TableEncoder.ReadsOtherwise, refused.Message);
    }

    [Fact]
    public void At_most_so_many_columns_are_allowed()
    {
        static string Wide(int columns) =>
            string.Join(',', Enumerable.Range(1, columns - 1).Select(i => $"x{i}")) + ",y\n"
            + string.Concat(Enumerable.Range(0, 4).Select(row =>
            string.Concat(Enumerable.Range(1, columns - 1).Select(i => $"{(row * i) % 7},")) + $"{(char)('a' + row % 2)}\n"));
        Assert.Contains("line 1 has 20,000 fields; at most 16,384 columns are allowed", Made.Refusal(Wide(20_000)),
            StringComparison.Ordinal);
        using var made = Made.Of(Wide(10_000));
        Assert.Equal(9_999, made.Plan.Features.Count);
    }

    [Fact]
    public void A_record_without_end_is_refused_before_it_fills_the_memory()
    {
        var csv = new byte[40 << 20];
        Array.Fill(csv, (byte)'x');
        "x,y\n1,a\n\""u8.CopyTo(csv);
        Assert.Contains("line 3: a record of more than 16 MiB begins here", Made.Refusal(csv), StringComparison.Ordinal);
    }

    [Fact]
    public void Gzip_and_zip_are_unpacked()
    {
        var csv = Encoding.UTF8.GetBytes("x,y\n" + Rest);
        foreach (var packed in (byte[][])[Gzip(csv), Zip(("a/made.csv", csv)), Zip(("made.csv.gz", Gzip(csv)))])
        {
            using var made = Made.Of([("made.csv.gz", packed)]);
            Assert.Equal(4, made.Plan.Profile.Rows);
        }
    }

    [Fact]
    public void A_gzip_file_that_is_cut_off_anywhere_is_refused()
    {
        var packed = Gzip(Encoding.UTF8.GetBytes("x,y\n"
            + string.Concat(Enumerable.Range(0, 2000).Select(i => $"{i * 37 % 1000},{(char)('a' + i % 2)}\n"))));
        for (var length = 2; length < packed.Length; length += 97)
            Assert.Contains("is damaged or cut off", Made.Refusal([("x.csv.gz", packed[..length])]), StringComparison.Ordinal);
        Assert.Contains("is damaged or cut off", Made.Refusal([("x.csv.gz", packed[..^1])]), StringComparison.Ordinal);
    }

    [Fact]
    public void Bombs_and_heaps_are_refused()
    {
        var zeros = new byte[2 << 20];
        Assert.Contains("holds more than 1,048,576 bytes when unpacked", Made.Refusal([("b.gz", Gzip(zeros))]), StringComparison.Ordinal);
        Assert.Contains("holds more than 1,048,576 bytes when unpacked", Made.Refusal([("b.zip", Zip(("b", zeros)))]),
            StringComparison.Ordinal);
        var many = Enumerable.Range(0, 1001).Select(i => ($"{i}", (byte[])[])).ToArray();
        Assert.Contains("holds 1,001 files", Made.Refusal([("b.zip", Zip(many))]), StringComparison.Ordinal);
        Assert.Contains("packed more than", Made.Refusal([("b.gz", Gzip(Gzip(Gzip(Gzip([1])))))]), StringComparison.Ordinal);
        Assert.Contains("400 times its own size", Made.Refusal([("b.gz", Gzip(new byte[80 << 20]))], mostUnpacked: 1 << 30),
            StringComparison.Ordinal);
        Assert.Contains("there are 2 files",
            Made.Refusal([("b.zip", Zip(("a.csv", "x,y\n1,a"u8.ToArray()), ("b.csv", "x,y\n1,a"u8.ToArray())))]), StringComparison.Ordinal);
    }

    [Fact]
    public void Fields_may_be_separated_by_any_number_of_blanks()
    {
        const string Text = "18.0   8   307.0  \t\"chevrolet  malibu\"\r\n 15.0   8   ?      \t\"buick skylark\"  \r\n24.0   4   113.0  "
            + "\t\"toyota\"\r\n";
        using var made = Made.Of(Text, new() { Target = "column1" });
        Assert.DoesNotContain(made.Plan.Problems, problem => problem.Pointer != "/drop");
        Assert.Equal((' ', false, 4), (made.File.Dialect!.Separator, made.File.Dialect.HasHeader, made.Plan.Profile.Names.Count));
        Assert.Equal(["18.0", "8", "307.0", "chevrolet  malibu"], made.Plan.Profile.Preview[0]);
        Assert.Equal(1, made.Plan.Profile.Columns[2].Missing);
        Assert.Contains("row 2 (line 3) has 2 fields instead of 3",
            Made.Refusal("x z y\n1 2 a\n1 b\n", new() { Target = "y", Delimiter = ' ' }),
            StringComparison.Ordinal);
        // Texts in one column are no table of words.
        using var words = Made.Of("text\na b\nc\nd e f\n", new());
        Assert.Equal(["text"], words.Plan.Profile.Names);
    }

    internal static byte[] Gzip(byte[] content)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize))
            gzip.Write(content);
        return packed.ToArray();
    }

    internal static byte[] Zip(params (string Name, byte[] Content)[] files)
    {
        using var packed = new MemoryStream();
        using (var zip = new ZipArchive(packed, ZipArchiveMode.Create))
            foreach (var (name, content) in files)
                using (var entry = zip.CreateEntry(name).Open())
                    entry.Write(content);
        return packed.ToArray();
    }
}
