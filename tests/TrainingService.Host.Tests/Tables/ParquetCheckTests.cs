using Parquet;
using Parquet.Schema;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Tests.Tables;

/// <summary>Lengths that a Parquet file may claim, before anything makes room for them.</summary>
public sealed class ParquetCheckTests
{
    private static readonly byte[] Content = new byte[20];

    [Fact]
    public void Pages_tell_how_much_they_unpack_to()
    {
        using var file = File(Page(0, 20, 20, 5), Content, Page(0, 30, 20, 7), Content);
        Assert.Equal(50, ParquetCheck.Pages(file, 4, file.Length - 4, 12, isSnappy: false));
    }

    [Theory]
    [InlineData(0, 3_000_000_000, 20, 5, "a length that it can't have")]
    [InlineData(0, -1, 20, 5, "a length that it can't have")]
    [InlineData(0, 20, 21, 5, "a length that it can't have")]
    [InlineData(0, 20, 20, 6, "more values than there are")]
    [InlineData(0, 20, 20, -1, "more values than there are")]
    [InlineData(2, 20, 20, 2_000_000_000, "more values than there are")]
    [InlineData(0, 20, 20, 4, "fewer values than it claims")]
    public void A_page_that_lies_is_refused(int type, long unpacked, long packed, long values, string message)
    {
        using var file = File(Page(type, unpacked, packed, values), Content);
        var refused = Assert.Throws<InvalidDataException>(() => ParquetCheck.Pages(file, 4, file.Length - 4, 5, isSnappy: false));
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_page_says_the_same_twice()
    {
        byte[] content = [.. Varint(20), .. new byte[18]];
        using var file = File(Page(0, 20, content.Length, 5), content);
        Assert.Equal(20, ParquetCheck.Pages(file, 4, file.Length - 4, 5, isSnappy: true));
        byte[] bomb = [.. Varint(4_000_000_000), .. new byte[18]];
        using var other = File(Page(0, 20, bomb.Length, 5), bomb);
        Assert.Throws<InvalidDataException>(() => ParquetCheck.Pages(other, 4, other.Length - 4, 5, isSnappy: true));
    }

    [Fact]
    public void A_list_of_contents_that_claims_more_than_it_has_is_refused()
    {
        // A list (field 2) of a million million structs, a text (field 4) of as many bytes, a struct in a struct in a struct ...
        foreach (var footer in (byte[][])[[0x29, 0xFC, .. Varint(1_000_000_000_000), 0], [0x48, .. Varint(1_000_000_000_000), 0],
            [.. Enumerable.Repeat((byte)0x1C, 100)], [0x15], [0x1D, 0]])
        {
            using var file = File(footer, [(byte)footer.Length, 0, 0, 0], "PAR1"u8.ToArray());
            Assert.Throws<InvalidDataException>(() => ParquetCheck.Footer(file));
        }
        using var sound = File([0x15, 0x02, 0x19, 0x1C, 0, 0], [6, 0, 0, 0], "PAR1"u8.ToArray());
        ParquetCheck.Footer(sound);
    }

    [Fact]
    public async Task A_column_that_leads_past_its_end_is_refused()
    {
        var schema = new ParquetSchema(new DataField<double?>("x"));
        using var written = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, written, new() { CompressionMethod = CompressionMethod.None },
            cancellationToken: TestContext.Current.CancellationToken))
        {
            using var group = writer.CreateRowGroup();
            double?[] x = [.. Enumerable.Range(0, 20).Select(i => (double?)i)];
            await group.WriteAsync<double>(schema.DataFields[0], x.AsMemory(), cancellationToken: TestContext.Current.CancellationToken);
        }
        // Definition levels: 20 times 1. Told to be one of them, the page has a value, and 19 are looked for behind it.
        var bytes = written.ToArray();
        var levels = bytes.AsSpan().IndexOf((byte[])[2, 0, 0, 0, 20 << 1, 1]);
        Assert.True(levels > 0);
        bytes[levels + 4] = 1 << 1;
        var refused = Assert.Throws<TableException>(() =>
        {
            using var source = new ParquetSource(new MemoryStream(bytes), []);
            source.Read();
        });
        Assert.Contains("a column claims to be longer than it is", refused.Errors.Single().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Columns_that_claim_more_bytes_than_can_be_counted_are_refused()
    {
        var cancellation = TestContext.Current.CancellationToken;
        var schema = new ParquetSchema(new DataField<int>("m"), new DataField<int>("n"));
        using var written = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, written, new() { CompressionMethod = CompressionMethod.None },
            cancellationToken: cancellation))
        {
            using var group = writer.CreateRowGroup();
            foreach (var field in schema.DataFields)
                await group.WriteAsync<int>(field, Enumerable.Range(0, 41).ToArray().AsMemory(), cancellationToken: cancellation);
        }
        // Of each column behind its 41 values (field 5) the bytes unpacked (field 6): four million million million.
        var bytes = written.ToArray().ToList();
        var from = bytes.Count - 8 - BitConverter.ToInt32([.. bytes[^8..^4]]);
        for (var (at, found) = (from, 0); found < 2; at++)
            if (bytes[at] == 0x16 && bytes[at + 1] == 2 * 41 && bytes[at + 2] == 0x16)
            {
                var old = bytes.FindIndex(at + 3, b => b < 0x80) - at - 2;
                bytes.RemoveRange(at + 3, old);
                bytes.InsertRange(at + 3, Varint(8_000_000_000_000_000_000));
                found++;
            }
        var length = BitConverter.GetBytes(bytes.Count - 8 - from);
        for (var i = 0; i < length.Length; i++)
            bytes[bytes.Count - 8 + i] = length[i];
        Assert.Contains("are allowed: write the file with smaller row groups", Refusal([.. bytes]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_contents_with_a_value_of_another_type_is_refused()
    {
        var schema = new ParquetSchema(new DataField<int>("m"), new DataField<int>("n"));
        using var written = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, written,
            cancellationToken: TestContext.Current.CancellationToken))
            for (var g = 0; g < 2; g++)
            {
                using var group = writer.CreateRowGroup();
                foreach (var field in schema.DataFields)
                    await group.WriteAsync<int>(field, new[] { 1, 2, 3 }.AsMemory(),
                        cancellationToken: TestContext.Current.CancellationToken);
            }
        // The codec (field 4) of the last column, told to be a set in field 7: of what follows, the library takes a number for a list.
        var bytes = written.ToArray();
        var codec = bytes.AsSpan().LastIndexOf((byte[])[0x19, 0x18, 1, (byte)'n', 0x15]) + 4;
        Assert.True(codec > 4);
        Assert.Equal("", Refusal(bytes));
        bytes[codec] = 0x4A;
        Assert.Contains("row group 2: column 2: field 7 of its ColumnMetaData", Refusal(bytes), StringComparison.Ordinal);
    }

    [Theory]
    // Of kinds that the format doesn't know: a structure with a field, a list of structures, of truths; known: texts for column paths.
    [InlineData(false, 0xEC, 0x15, 2, 0)]
    [InlineData(false, 0xE9, 0x1C, 0)]
    [InlineData(false, 0xE9, 0x11, 1)]
    [InlineData(false, 0x59, 0x18, 1, (int)'x')]
    [InlineData(false, 0x18, 1, (int)'x')]
    // A structure without fields, a list of numbers, a text.
    [InlineData(true, 0xEC, 0, 0x18, 1, (int)'y')]
    [InlineData(true, 0xE9, 0x25, 2, 4)]
    [InlineData(true, 0xE8, 1, (int)'x')]
    public void What_the_format_does_not_know_is_sound_only_where_it_can_be_skipped(bool isSound, params int[] field)
    {
        byte[] footer = [.. field.Select(value => (byte)value), 0];
        using var file = File(footer, [(byte)footer.Length, 0, 0, 0], "PAR1"u8.ToArray());
        var refused = Record.Exception(() => ParquetCheck.Footer(file));
        Assert.Equal(isSound, refused is null);
        Assert.True(refused is null or InvalidDataException);
    }

    [Fact]
    public void Numbers_are_numbers_at_every_depth()
    {
        // Numbers whose bytes would be headers of long texts, of a struct and of its end, were they not read as numbers.
        byte[] struct3 = [0x15, 0xC8, 0x01, 0x15, 0x98, 0x7F, 0x15, 0x8C, 0x01, 0x00];
        byte[] footer = [0x15, 0xC8, 0x01, 0x19, 0x2C, .. struct3, .. struct3, 0x16, 0x88, 0x7F, 0x00];
        using var file = File(footer, [(byte)footer.Length, 0, 0, 0], "PAR1"u8.ToArray());
        ParquetCheck.Footer(file);
    }

    private static string Refusal(byte[] bytes)
    {
        try
        {
            using var source = new ParquetSource(new MemoryStream(bytes), []);
            while (source.Read())
            {
            }
            return "";
        }
        catch (TableException e)
        {
            return e.Errors.Single().Message;
        }
    }

    private static MemoryStream File(params byte[][] parts) => new([.. "PAR1"u8, .. parts.SelectMany(part => part)]);

    /// <summary>The header of a page of values (type 0) or of a dictionary (2), as parquet.thrift has it.</summary>
    private static byte[] Page(int type, long unpacked, long packed, long values) =>
        [0x15, .. Varint(Zigzag(type)), 0x15, .. Varint(Zigzag(unpacked)), 0x15, .. Varint(Zigzag(packed)),
            (byte)(type == 2 ? 0x4C : 0x2C), 0x15, .. Varint(Zigzag(values)), 0, 0];

    private static ulong Zigzag(long value) => (ulong)((value << 1) ^ (value >> 63));

    private static List<byte> Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 128; value >>= 7)
            bytes.Add((byte)(value & 127 | 128));
        bytes.Add((byte)value);
        return bytes;
    }
}
