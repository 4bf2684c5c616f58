using System.Diagnostics;
using System.Globalization;
using System.Text;
using Parquet;
using Parquet.Schema;
using TrainingService.Host.Tables;
using TrainingService.Host.Tests.Uploads;

namespace TrainingService.Host.Tests.Tables;

/// <summary>
/// Valid files with random damage, read to the end: each is a table, or refused in a sentence, within bounded memory. Nothing else may come
/// out.
/// </summary>
public sealed class MutationTests(ITestOutputHelper output)
{
    private const int Few = 200;

    /// <summary>Of one file; the largest of the readers' own limits is that of a Parquet row group.</summary>
    private const long MostAllocated = 1_000_000_000;

    // To be well above what a loaded machine takes for a file of a few kilobytes, and below for ever.
    private static readonly TimeSpan Hung = TimeSpan.FromMinutes(2);

    public static TheoryData<string> Readers => ["csv", "utf-16", "parquet", "npy", "npz", "idx", "json", "arff", "sparse", "gzip", "zip"];

    [Theory]
    [MemberData(nameof(Readers))]
    public async Task A_damaged_file_is_a_table_or_refused(string reader) => await Run(reader, i => i < Few);

    /// <summary>
    /// As long as <c>MUTATION_SECONDS</c> says, or 20 for each reader; only those that <c>MUTATION_READERS</c> names, with commas between
    /// them, if it is set.
    /// </summary>
    [Theory, Trait("Category", "Simulation")]
    [MemberData(nameof(Readers))]
    public async Task A_damaged_file_is_a_table_or_refused_for_long(string reader)
    {
        if (Environment.GetEnvironmentVariable("MUTATION_READERS") is { Length: > 0 } chosen)
            Assert.SkipUnless(chosen.Split(',').Contains(reader), "not among MUTATION_READERS");
        var seconds = int.Parse(Environment.GetEnvironmentVariable("MUTATION_SECONDS") ?? "20", CultureInfo.InvariantCulture);
        var time = Stopwatch.StartNew();
        await Run(reader, _ => time.Elapsed.TotalSeconds < seconds);
    }

    private async Task Run(string reader, Func<int, bool> goesOn)
    {
        var seeds = await Seeds(reader);
        foreach (var seed in seeds)
            Assert.Equal("", Outcome(seed));
        var refusals = new HashSet<string>();
        var (count, most) = (0, 0L);
        for (; goesOn(count); count++)
        {
            var random = new Random(count + 1);
            var files = seeds[random.Next(seeds.Count)].ToArray();
            var at = random.Next(files.Length);
            files[at] = (files[at].Name, Damaged(files[at].Content, seeds[random.Next(seeds.Count)][0].Content, random));
            long allocated = 0;
            var reading = Task.Run(() =>
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                try
                {
                    return Outcome(files);
                }
                finally
                {
                    allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                }
            }, TestContext.Current.CancellationToken);
            if (await Task.WhenAny(reading, Task.Delay(Hung, TestContext.Current.CancellationToken)) != reading)
                Assert.Fail($"{reader}, {count}: reads for ever: {Convert.ToBase64String(files[at].Content)}");
            try
            {
                refusals.Add(new([.. (await reading).Where(c => !char.IsDigit(c)).Take(30)]));
            }
            catch (Exception e)
            {
                Assert.Fail($"{reader}, {count}: {e}\n{files[at].Name}: {Convert.ToBase64String(files[at].Content)}");
            }
            most = Math.Max(most, allocated);
            Assert.True(allocated < MostAllocated,
                $"{reader}, {count}: {allocated:N0} bytes for {Convert.ToBase64String(files[at].Content)}");
        }
        output.WriteLine($"{reader}: {count:N0} files, {refusals.Count:N0} kinds of answers, at most {most:N0} bytes allocated");
    }

    /// <summary>Reads all as an upload does; what it is refused with, or nothing.</summary>
    private static string Outcome((string Name, byte[] Content)[] files)
    {
        var options = new TableOptions { Target = files[0].Name.StartsWith("own", StringComparison.Ordinal) ? "kind" : null };
        try
        {
            using var made = Made.Of(files, options, mostUnpacked: 8 << 20);
            if (made.Plan.Problems.Count > 0)
                return string.Join('\n', made.Plan.Problems.Select(problem => problem.Message));
            var encoder = new TableEncoder(made.Plan);
            var rows = encoder.Encode(made.File.Open, pack: true, CancellationToken.None).Sum(chunk => chunk.Packed.Length);
            Assert.True(rows > 0);
            return "";
        }
        catch (TableException e)
        {
            return string.Join('\n', e.Errors.Select(error => error.Message));
        }
    }

    private static byte[] Damaged(byte[] content, byte[] other, Random random)
    {
        var bytes = content.ToList();
        for (var times = 1 + random.Next(4); times > 0 && bytes.Count > 0; times--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(bytes.Count - at, 1 + random.Next(random.Next(8) == 0 ? 2000 : 8));
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes.RemoveRange(at, length);
                    break;
                case 2:
                    bytes.InsertRange(at, bytes.GetRange(at, length));
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 4:
                    byte[] extreme = [0, 1, 0x7F, 0x80, 0xFF, (byte)'"', (byte)'\n', (byte)'9'];
                    for (var i = 0; i < length; i++)
                        bytes[at + i] = extreme[times % 2 == 0 ? random.Next(extreme.Length) : 4];
                    break;
                case 5:
                    var noise = new byte[length];
                    random.NextBytes(noise);
                    bytes.InsertRange(at, noise);
                    break;
                case 6:
                    var from = random.Next(other.Length);
                    bytes.InsertRange(at, other.AsSpan(from, Math.Min(length, other.Length - from)));
                    break;
                case 7:
                    string[] words = ["\"", ",", "\r\n", "1e999", "-1", "NaN", "-Infinity", "inf", "\\'", "\0", "{", "]", "@data",
                        "9999999999", "\uFEFF", "\\ud800", "''"];
                    bytes.InsertRange(at, Encoding.UTF8.GetBytes(words[random.Next(words.Length)]));
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }
        return [.. bytes];
    }

    private static async Task<List<(string Name, byte[] Content)[]>> Seeds(string reader)
    {
        var csv = Encoding.UTF8.GetBytes(UploadClient.Flowers(30));
        var quoted = Encoding.UTF8.GetBytes("\uFEFFname;x;kind\n"
            + string.Concat(Enumerable.Range(0, 30).Select(i => $"\"a \"\"{i % 3}\"\";\n\";{i},5;{"ab"[i % 2]}\n")));
        var npy = FormatTests.Npy("<f4", "(30, 3)", Enumerable.Range(0, 90).SelectMany(i => FormatTests.Element("<f4", 4, i * i % 31)));
        var labels = FormatTests.Npy("<i8", "(30,)", Enumerable.Range(0, 30).SelectMany(i => FormatTests.Element("<i8", 8, i % 3)));
        return reader switch
        {
            "csv" => [[("own.csv", csv)], [("own2.csv", quoted)]],
            "utf-16" => [[("own.csv", [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes(UploadClient.Flowers(30))])]],
            "parquet" => [[("own.parquet", await Parquet(CompressionMethod.Snappy))],
                [("own.parquet", await Parquet(CompressionMethod.None))],
                [("own.parquet", await Parquet(CompressionMethod.Zstd))]],
            "npy" => [[("X.npy", npy), ("y.npy", labels)]],
            "npz" => [[("data.npz", CsvTests.Zip(("X.npy", npy), ("y.npy", labels)))]],
            "idx" => [[("train-images-idx3-ubyte", FormatTests.Idx([30, 2, 3], [.. Enumerable.Range(0, 180).Select(i => (byte)(i * 7))])),
                ("train-labels-idx1-ubyte", FormatTests.Idx([30], [.. Enumerable.Range(0, 30).Select(i => (byte)(i % 2))]))]],
            "json" => [[("own.json", Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 30).Select(i =>
                $"{{\"x\": {i}.5, \"in\": {{\"b\": true, \"t\": \"\\u00e9\"}}, \"n\": null, \"kind\": \"{"ab"[i % 2]}\"}}\n"))))]],
            "arff" => [[("own.arff", Encoding.UTF8.GetBytes("@relation r\n@attribute x numeric\n@attribute 'b c' {p,q}\n@attribute kind "
                + "{a,b}\n@data\n"
                + string.Concat(Enumerable.Range(0, 30).Select(i => $"{i},{(i % 3 == 0 ? "?" : "q")},{"ab"[i % 2]}\n"))))]],
            "sparse" => [[("own.arff", Encoding.UTF8.GetBytes("@relation 'r\\'s'\n@attribute x numeric\n@attribute 'b \\'c' {p,'q\\'s'}\n"
                + "@attribute kind {a,b}\n@data\n" + string.Concat(Enumerable.Range(0, 30).Select(i =>
                    i % 2 == 0 ? $"{{0 {i}, 1 'q\\'s'}}\n" : $"{i},\"p\",'b'\n"))))]],
            "gzip" => [[("own.csv.gz", CsvTests.Gzip(csv))]],
            _ => [[("own.zip", CsvTests.Zip(("own.csv", csv)))]],
        };
    }

    private static async Task<byte[]> Parquet(CompressionMethod compression)
    {
        var cancellation = TestContext.Current.CancellationToken;
        var schema = new ParquetSchema(new DataField<double?>("x"), new DataField<int>("n"), new DataField<string>("kind"),
            new DataField<DateTime>("at"));
        using var file = new MemoryStream();
        await using (var writer = await ParquetWriter.CreateAsync(schema, file, new() { CompressionMethod = compression },
            cancellationToken: cancellation))
            for (var g = 0; g < 2; g++)
            {
                using var group = writer.CreateRowGroup();
                double?[] x = [.. Enumerable.Range(0, 20).Select(i => i % 5 == 0 ? null : (double?)i / 3)];
                int[] n = [.. Enumerable.Range(0, 20)];
                DateTime[] at = [.. Enumerable.Range(0, 20).Select(i => new DateTime(2021, 1 + i % 12, 1, 0, 0, 0, DateTimeKind.Utc))];
                await group.WriteAsync<double>(schema.DataFields[0], x.AsMemory(), cancellationToken: cancellation);
                await group.WriteAsync<int>(schema.DataFields[1], n.AsMemory(), cancellationToken: cancellation);
                await group.WriteAsync(schema.DataFields[2], [.. Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? "a" : "b")]);
                await group.WriteAsync<DateTime>(schema.DataFields[3], at.AsMemory(), cancellationToken: cancellation);
            }
        return file.ToArray();
    }
}
