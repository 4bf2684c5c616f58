using System.Buffers.Binary;
using System.Text;
using Parquet;
using Parquet.Schema;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Tests.Tables;

/// <summary>Tables that aren't text with separators.</summary>
public sealed class FormatTests
{
    [Theory]
    [InlineData("{\"x\": 1.5, \"y\": \"a\"}\n{\"x\": 2.5, \"y\": \"b\"}\n{\"y\": \"a\", \"x\": 3}\n\n{\"x\": null, \"y\": \"b\"}")]
    [InlineData("[{\"x\": 1.5, \"y\": \"a\"}, {\"x\": 2.5, \"y\": \"b\"},\n {\"y\": \"\\u0061\", \"x\": 3}, {\"y\": \"b\"}]")]
    public void Json_objects_are_rows(string json)
    {
        using var made = Made.Of(json);
        Assert.Empty(made.Plan.Problems);
        Assert.Equal(FileFormat.Json, made.File.Format);
        Assert.Equal([[1.5, 0], [2.5, 1], [3, 0], [double.NaN, 1]], made.Rows());
    }

    [Theory]
    [InlineData("[[1.5, \"a\"], [2.5, \"b\"],\n [3, \"\\u0061\"], [null, \"b\"]]", "column1", "column2")]
    [InlineData("[ 1.5, \"a\" ]\n[2.5, \"b\"]\n[3, \"a\"]\n\n[NaN, \"b\"]", "column1", "column2")]
    [InlineData("\n[\n  [\"x\", \"y]\"],\n  [\"1.5\", \"a\"], [\"2.5\", \"b\"], [3, \"a\"], [null, \"b\"]\n]\n", "x", "y]")]
    public void Json_lists_are_rows_too(string json, string x, string y)
    {
        using var made = Made.Of(json, new() { Target = y });
        Assert.Equal(FileFormat.Json, made.File.Format);
        Assert.Empty(made.Plan.Problems);
        Assert.Equal([x, y], made.Plan.Profile.Names);
        Assert.Equal([[1.5, 0], [2.5, 1], [3, 0], [double.NaN, 1]], made.Rows());
    }

    [Fact]
    public void Json_objects_in_objects_are_columns_of_their_own()
    {
        using var made = Made.Of(string.Concat(Enumerable.Range(0, 8).Select(i =>
            $"{{\"at\": {{\"x\": {i}, \"ok\": {(i % 2 == 0 ? "true" : "false")}}}, \"y\": {i % 2}}}\n")));
        Assert.Equal(["at.x", "at.ok", "y"], made.Plan.Profile.Names);
        Assert.Equal(ColumnKind.Boolean, made["at.ok"].Kind);
    }

    [Theory]
    [InlineData("{\"x\": 1, \"y\": 1}\n{\"x\": [1], \"y\": 2}\n", "line 2, field 'x': a list is no value of a table")]
    [InlineData("{\"x\": 1, \"y\": 1}\n{\"x\": 1,, \"y\": 2}\n", "line 2: ")]
    [InlineData("{\"x\": 1, \"y\": 1}\n{\"x\": 1, \"y\": \"2", "line 2: the object that begins here is cut off")]
    [InlineData("[[1, 2], [3, 4],\n [5]]", "line 2: the list has 1 value instead of 2")]
    [InlineData("[[1, 2], {\"x\": 4}]", "line 1: the rows must be all objects or all lists")]
    [InlineData("[[1, [2]], [3, 4]]", "field 'column2': a list is no value of a table")]
    [InlineData("{\"data\": [{\"x\": 1, \"y\": 2}]}", "or send the list alone if they are the rows")]
    [InlineData("{\"x\": {\"0\": 1, \"1\": 2}, \"y\": {\"0\": 1, \"1\": 2}}", "write an object a row (pandas: ")]
    [InlineData("{\"x\": [1, 2], \"y\": [1, 2]}", "write an object a row (pandas: ")]
    [InlineData("+1 1:0.7 2:1 5:-0.2 \n-1 1:0.5 3:-1 \n", "is in the sparse format of LIBSVM")]
    [InlineData("{\"x\": 1, \"y\": 1}\n5\n", "line 2: '5' is found where an object begins")]
    public void Json_that_is_no_table_is_refused_with_its_line(string json, string message) =>
        Assert.Contains(message, Made.Refusal(json), StringComparison.Ordinal);

    [Fact]
    public void Arff_says_what_its_columns_are()
    {
        const string Arff = """
            % Weather
            @RELATION weather
            @attribute 'how hot' numeric
            @attribute windy {TRUE, FALSE}
            @attribute level {1,2,3}
            @attribute class {yes,no}

            @DATA
            85, FALSE, 1, no
            % a comment
            80.5, TRUE, 2, no
            ?, 'FALSE', 3, yes
            70, FALSE, 1, yes
            """;
        using var made = Made.Of([("weather.arff", Encoding.UTF8.GetBytes(Arff))], new());
        Assert.Empty(made.Plan.Problems);
        Assert.Equal([("how hot", ColumnKind.Number), ("windy", ColumnKind.Category), ("level", ColumnKind.Category)],
            made.Plan.Features.Select(f => (f.Name, f.Kind)));
        Assert.Equal(["no", "yes"], made.Plan.Target?.Categories);
        Assert.Equal([80.5, 1, 1, 0], made.Rows()[1]);
        Assert.Contains("row 2 (line 11), column 'how hot': 'hot' is not a number",
            Made.Refusal([("w.arff", Encoding.UTF8.GetBytes(Arff.Replace("80.5", "hot", StringComparison.Ordinal)))], new()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Arff_texts_have_backslashes_before_their_quotes()
    {
        const string Arff = """
            @relation 'it\'s'
            @attribute 'the farmer\'s word' {'don\'t, he said', "say \"so\"", plain, 'back\\slash'}
            @attribute x REAL [0, 10]
            @attribute class {'a\'b',c}
            @data
            'don\'t, he said',1,'a\'b'
            "say \"so\"",2,c
            plain,3,'a\'b'
            'back\\slash',4,"c"
            "don't, he said" , 5 , c
            """;
        using var made = Made.Of([("reuters.arff", Encoding.UTF8.GetBytes(Arff))], new());
        Assert.Empty(made.Plan.Problems);
        Assert.Equal(["back\\slash", "don't, he said", "plain", "say \"so\""], made["the farmer's word"].Categories);
        Assert.Equal(["a'b", "c"], made.Plan.Target?.Categories);
        Assert.Equal([[1, 1, 0], [3, 2, 1], [2, 3, 0], [0, 4, 1], [1, 5, 1]], made.Rows());
        Assert.Contains("row 2 (line 7)", Made.Refusal([("r.arff", Encoding.UTF8.GetBytes(
            Arff.Replace(",2,", ",", StringComparison.Ordinal)))], new()), StringComparison.Ordinal);
    }

    [Fact]
    public void Arff_rows_may_be_sparse()
    {
        const string Arff = """
            @relation words
            @attribute 0 numeric
            @attribute 1 {no,'y\'es'}
            @attribute 2 numeric
            @attribute class {a,b}
            @data
            {0 7, 2 1.5}
            {1 'y\'es', 3 b}
            % none
            { }
            {2 ?,3 b}
            """;
        using var made = Made.Of([("sparse.arff", Encoding.UTF8.GetBytes(Arff))], new());
        Assert.Empty(made.Plan.Problems);
        Assert.Equal([[7, 0, 1.5, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, double.NaN, 1]], made.Rows());
        Assert.Contains("row 1 (line 7) has 2 fields instead of 4",
            Made.Refusal([("s.arff", Encoding.UTF8.GetBytes(Arff.Replace("{0 7", "{9 7", StringComparison.Ordinal)))], new()),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infinite_values_are_missing_ones_in_every_format()
    {
        double[] x = [1.5, double.PositiveInfinity, 2.5, double.NegativeInfinity, 3.5, 4.5, double.NaN, 5.5];
        string[] words = ["1.5", "inf", "2.5", "-Infinity", "3.5", "4.5", "NaN", "5.5"];
        var csv = "x,n,y\n" + string.Concat(words.Select((word, i) => $"{word},{i},{"ab"[i % 2]}\n"));
        // As Python writes it.
        var json = string.Concat(words.Select((word, i) =>
            $"{{\"x\": {word.Replace("inf", "Infinity", StringComparison.Ordinal)}, \"n\": {i}, \"y\": \"{"ab"[i % 2]}\"}}\n"));
        var numbers = Npy("<f8", "(8, 2)", x.SelectMany((value, i) => (byte[])[.. BitConverter.GetBytes(value),
            .. BitConverter.GetBytes((double)i)]));
        var labels = Npy("<i8", "(8,)", Enumerable.Range(0, 8).SelectMany(i => Element("<i8", 8, i % 2)));
        foreach (var files in ((string, byte[])[][])[[("x.csv", Encoding.UTF8.GetBytes(csv))],
            [("x.json", Encoding.UTF8.GetBytes(json))], [("X.npy", numbers), ("y.npy", labels)], [("x.parquet", await InfiniteParquet(x))]])
        {
            using var made = Made.Of(files, files.Length > 1 ? new() : new() { Target = "y" });
            Assert.Empty(made.Plan.Problems);
            var column = made.Plan.Features[0];
            var warning = Assert.Single(made.Plan.Warnings, warning => warning.Kind == TableWarningKind.Infinite);
            Assert.Equal(column.Name, warning.Column);
            Assert.Contains("has 2 infinite values (the first: row 2", warning.Message, StringComparison.Ordinal);
            Assert.Equal(3, column.Missing);
            Assert.Equal(x.Select(value => double.IsFinite(value) ? value : double.NaN), made.Rows().Select(row => row[0]));
        }

        // To be predicted, rows without a finite number can be left out.
        Assert.Contains("row 2, column 'x': 'Infinity' is infinite, as 1 more value is",
            Made.Refusal([("x.parquet", await InfiniteParquet(x))], new() { Target = "x" }), StringComparison.Ordinal);
        using var left = Made.Of([("x.parquet", await InfiniteParquet(x))], new() { Target = "x", Missing = ["Infinity", "-inf"] });
        Assert.Empty(left.Plan.Problems);
        Assert.Equal((5, 3), (left.Plan.Profile.Rows, left.Plan.Profile.DroppedRows));
    }

    private static async Task<byte[]> InfiniteParquet(double[] x)
    {
        var schema = new ParquetSchema(new DataField<double>("x"), new DataField<int>("n"), new DataField<string>("y"));
        using var file = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: TestContext.Current.CancellationToken))
        {
            using var group = writer.CreateRowGroup();
            await group.WriteAsync<double>(schema.DataFields[0], x.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
            await group.WriteAsync<int>(schema.DataFields[1], Enumerable.Range(0, x.Length).ToArray().AsMemory(),
                cancellationToken: TestContext.Current.CancellationToken);
            await group.WriteAsync(schema.DataFields[2], [.. x.Select((_, i) => i % 2 == 0 ? "a" : "b")]);
        }
        return file.ToArray();
    }

    [Theory]
    [InlineData("<f4", 4)]
    [InlineData("<f8", 8)]
    [InlineData(">i4", 4)]
    [InlineData("|u1", 1)]
    [InlineData("<i8", 8)]
    public void Numpy_arrays_of_features_and_labels_make_a_table(string type, int size)
    {
        var x = Npy(type, "(6, 2)", Enumerable.Range(0, 12).SelectMany(i => Element(type, size, i)));
        var y = Npy("<i8", "(6,)", Enumerable.Range(0, 6).SelectMany(i => Element("<i8", 8, i % 2)));
        foreach (var files in ((string, byte[])[][])[[("data.npz", CsvTests.Zip(("X.npy", x), ("y.npy", y)))],
            [("y.npy", y), ("X.npy", x)]])
        {
            using var made = Made.Of(files, new() { Task = TableTask.Classification });
            Assert.Empty(made.Plan.Problems);
            Assert.Equal(["column1", "column2"], made.Plan.Features.Select(f => f.Name));
            Assert.Equal([4, 5, 0], made.Rows()[2]);
            Assert.Equal("label", made.Plan.Target?.Name);
        }
    }

    [Fact]
    public void Numpy_texts_are_classes_and_a_column_can_be_the_target()
    {
        var x = Npy("<f4", "(4, 2)", Enumerable.Range(0, 8).SelectMany(i => Element("<f4", 4, i % 4)));
        var y = Npy("<U3", "(4,)", new[] { "no", "yes", "no", "yes" }.SelectMany(text => Encoding.UTF32.GetBytes(text.PadRight(3, '\0'))));
        using var named = Made.Of([("X.npy", x), ("y.npy", y)], new());
        Assert.Equal(["no", "yes"], named.Plan.Target?.Categories);
        using var alone = Made.Of([("x.npy", x)], new() { Target = "column2" });
        Assert.Equal(["column1"], alone.Plan.Features.Select(f => f.Name));
    }

    [Fact]
    public void Idx_images_stay_images_and_test_files_are_test_rows()
    {
        var files = new[]
        {
            ("train-images-idx3-ubyte.gz", CsvTests.Gzip(Idx([4, 2, 3], Enumerable.Range(0, 24).Select(i => (byte)(i * 10))))),
            ("train-labels-idx1-ubyte", Idx([4], [0, 1, 0, 1])),
            ("t10k-images-idx3-ubyte", Idx([2, 2, 3], new byte[12])),
            ("t10k-labels-idx1-ubyte", Idx([2], [1, 0])),
        };
        using var made = Made.Of(files, new() { Task = TableTask.Classification });
        Assert.Empty(made.Plan.Problems);
        Assert.Equal((new ImageShape(2, 3, 255), 6L, 2L), (made.File.Image, made.Plan.Profile.Rows, made.Plan.Profile.TestRows));
        Assert.Equal(["pixel_0_0", "pixel_0_1", "pixel_0_2", "pixel_1_0", "pixel_1_1", "pixel_1_2"],
            made.Plan.Features.Select(f => f.Name));
        Assert.Equal([60, 70, 80, 90, 100, 110, 1], made.Rows()[1]);
    }

    [Fact]
    public void Of_many_columns_the_last_are_told_too_since_they_may_be_the_target()
    {
        var header = string.Join(",", Enumerable.Range(0, 25).Select(i => $"pixel_{i}")) + ",label\n";
        Assert.EndsWith("pixel_16, pixel_17, 6 more, pixel_24, label",
            Made.Refusal(Encoding.UTF8.GetBytes(header + string.Join(",", Enumerable.Range(0, 26)) + "\n")), StringComparison.Ordinal);
    }

    [Fact]
    public void Arrays_that_are_not_what_they_claim_are_refused()
    {
        var y = Npy("<i8", "(6,)", new byte[48]);
        Assert.Contains("96 bytes in all, and holds 95", Made.Refusal([("x.npy", Npy("<f8", "(6, 2)", new byte[95]))]),
            StringComparison.Ordinal);
        Assert.Contains("more than any file has", Made.Refusal([("x.npy", Npy("<f8", "(999999999999, 999999999)", []))]),
            StringComparison.Ordinal);
        Assert.Contains("must have as many", Made.Refusal([("x.npy", Npy("|u1", "(5, 2)", new byte[10])), ("y.npy", y)]),
            StringComparison.Ordinal);
        Assert.Contains("none of a plain array", Made.Refusal([("x.npy", Npy("[('a', '<f8')]", "(6,)", new byte[48]))]),
            StringComparison.Ordinal);
        Assert.Contains("numpy's type 'O8'", Made.Refusal([("x.npy", Npy("|O8", "(6,)", new byte[48]))]), StringComparison.Ordinal);
        Assert.Contains("cut off", Made.Refusal([("x.npy", y[..60])]), StringComparison.Ordinal);
        Assert.Contains("cut off", Made.Refusal([("i", Idx([4, 2], new byte[7]))]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parquet_is_read_group_by_group()
    {
        var schema = new ParquetSchema(new DataField<double?>("x"), new DataField<int>("n"), new DataField<string>("name"),
            new DataField<bool>("ok"),
            new DataField<DateTime>("at"), new DataField<decimal>("price"));
        using var file = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, file, cancellationToken: TestContext.Current.CancellationToken))
            for (var g = 0; g < 3; g++)
            {
                using var group = writer.CreateRowGroup();
                double?[] x = [1.5, null, 2.5, g];
                int[] n = [1, 2, 3, g];
                string?[] name = ["a", "b", null, "a"];
                bool[] ok = [true, false, true, true];
                DateTime[] at = [.. Enumerable.Range(0, 4).Select(i => new DateTime(2021, 1 + i, 1, 0, 0, 0, DateTimeKind.Utc))];
                decimal[] price = [1.25m, 2.5m, 3m, g];
                await group.WriteAsync<double>(schema.DataFields[0], x.AsMemory(),
                    cancellationToken: TestContext.Current.CancellationToken);
                await group.WriteAsync<int>(schema.DataFields[1], n.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
                await group.WriteAsync(schema.DataFields[2], [.. name]);
                await group.WriteAsync<bool>(schema.DataFields[3], ok.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
                await group.WriteAsync<DateTime>(schema.DataFields[4], at.AsMemory(),
                    cancellationToken: TestContext.Current.CancellationToken);
                await group.WriteAsync<decimal>(schema.DataFields[5], price.AsMemory(),
                    cancellationToken: TestContext.Current.CancellationToken);
            }
        var content = file.ToArray();
        using var made = Made.Of([("t.parquet", content)], new() { Target = "ok" });
        Assert.Empty(made.Plan.Problems);
        Assert.Equal([("x", ColumnKind.Number, 3L), ("n", ColumnKind.Number, 0), ("name", ColumnKind.Category, 3),
            ("at.month", ColumnKind.Date, 0),
            ("at.weekday", ColumnKind.Date, 0), ("price", ColumnKind.Number, 0)],
            made.Plan.Features.Select(f => (f.Name, f.Kind, f.Missing)));
        var rows = made.Rows();
        Assert.Equal(12, rows.Count);
        Assert.Equal([double.NaN, 2, 1, 2, 1, 2.5, 0], rows[5]);
        for (var cut = 4; cut < content.Length; cut += 61)
            Assert.NotEmpty(Made.Refusal([("t.parquet", content[..cut])], new() { Target = "ok" }));
    }

    internal static byte[] Npy(string type, string shape, IEnumerable<byte> content)
    {
        var descr = type.StartsWith('[') ? type : $"'{type}'";
        var header = Encoding.ASCII.GetBytes($"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        return [0x93, .. "NUMPY"u8, 1, 0, (byte)header.Length, (byte)(header.Length >> 8), .. header, .. content];
    }

    internal static byte[] Idx(int[] shape, byte[] content) => Idx(shape, (IEnumerable<byte>)content);

    private static byte[] Idx(int[] shape, IEnumerable<byte> content) =>
        [0, 0, 8, (byte)shape.Length, .. shape.SelectMany(length => (byte[])[0, 0, (byte)(length >> 8), (byte)length]), .. content];

    internal static byte[] Element(string type, int size, int value)
    {
        var bytes = new byte[size];
        switch (type)
        {
            case "<f4":
                BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
                break;
            case "<f8":
                BinaryPrimitives.WriteDoubleLittleEndian(bytes, value);
                break;
            case ">i4":
                BinaryPrimitives.WriteInt32BigEndian(bytes, value);
                break;
            case "<i8":
                BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
                break;
            default:
                bytes[0] = (byte)value;
                break;
        }
        return bytes;
    }
}
