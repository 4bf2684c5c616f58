using TrainingService.Engine.Activations;
using TrainingService.Engine.Data;
using TrainingService.Engine.Layers;
using TrainingService.Engine.Randomness;
using TrainingService.Engine.Specs;
using TrainingService.Engine.Training;
using TrainingService.Host.Datasets;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Tests.Datasets;

/// <summary>Rows that are made when they are gathered are bit for bit those that the formula gives for each number by itself.</summary>
public sealed class EncodedRowsTests
{
    private const int RowCount = 40;

    public static TheoryData<string> Kinds => ["Byte", "UShort", "UInt", "Float", "Double"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_block_reads_what_its_columns_hold_at_any_width(string kind)
    {
        var type = Enum.Parse<StorageType>(kind);
        for (var width = 1; width <= 70; width++)
        {
            Storage[] stored = [.. Enumerable.Range(0, width).Select(c => Stored(type, c))];
            var columns = stored.Select(storage => Filled(storage, missing: width % 3 > 0)).ToArray();
            var block = RowBlock.Of(stored, RowCount);
            for (var c = 0; c < width; c++)
                block.Write(c, 0, columns[c].Bytes);
            var values = new double[width];
            for (var row = 0; row < RowCount; row++)
            {
                block.Read(row, values);
                Assert.Equal(columns.Select(column => column[row]), values);
                Assert.Equal(double.IsNaN(columns[0][row]) ? null : type is StorageType.Float ? (object)(float)columns[0][row]
                    : columns[0][row], block.Shown(row, 0));
            }
            Assert.Equal(width % 3 > 0, block.HasMissing);
        }
    }

    [Fact]
    public void Rows_beyond_a_block_s_first_piece_are_its_own()
    {
        const int Many = 40_000;
        var column = new ColumnValues(new(StorageType.UShort), Many);
        for (var row = 0; row < Many; row++)
            column[row] = row;
        var block = RowBlock.Of([column.Storage], Many);
        block.Write(0, 0, column.Bytes[..20_000]);
        block.Write(0, 10_000, column.Bytes[20_000..]);
        var value = new double[1];
        foreach (var row in new[] { 0, 9_999, 10_000, 16_383, 16_384, 32_768, Many - 1 })
        {
            block.Read(row, value);
            Assert.Equal(row, value[0]);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Mixed_columns_are_encoded_as_the_formula_says(bool standardize)
    {
        string[][] categories = [["a", "b", "c"], ["x", "y"], [.. Enumerable.Range(0, 300).Select(i => $"{i}")]];
        var types = Enum.GetValues<StorageType>();
        List<(Column Column, Storage Storage)> columns = [];
        for (var c = 0; c < 23; c++)
            columns.Add(c % 4 == 1 ? (new($"c{c}", categories[c % 3]), Storage.OfCodes(categories[c % 3].Length))
                : (new($"n{c}"), Stored(types[c * 7 % 5], c)));
        var dataset = new Made([.. columns.Select(c => c.Column)], [.. columns.Select(c => c.Storage)]);
        Assert.NotEqual(Enumerable.Range(0, 23), dataset.Read().Order);
        int[] train = [.. Enumerable.Range(5, 30)], all = [.. Enumerable.Range(0, RowCount).Reverse()];
        var rows = new EncodedRows(dataset.Read(), new(dataset, train, standardize), all);
        var expected = Naive(dataset, train, all, standardize);
        Assert.Equal(expected, rows.All());
        var some = new float[3 * rows.Columns];
        rows.Read([7, 0, 39], some);
        Assert.Equal([.. Row(7), .. Row(0), .. Row(39)], some);
        Assert.Equal(sizeof(int) * RowCount, rows.Bytes);

        float[] Row(int row) => expected[(row * rows.Columns)..((row + 1) * rows.Columns)];
    }

    [Theory]
    [InlineData(1)]
    [InlineData(31)]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(784)]
    public void Pixels_are_encoded_as_the_formula_says(int pixels)
    {
        var dataset = Pixels(pixels);
        int[] train = [.. Enumerable.Range(0, 30)], all = [.. Enumerable.Range(0, RowCount)];
        Assert.Equal(Naive(dataset, train, all, true), new EncodedRows(dataset.Read(), new(dataset, train, true), all).All());
    }

    [Theory]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(100)]
    public void A_run_on_them_ends_with_the_same_bits(int pixels)
    {
        var dataset = Pixels(pixels);
        var encoder = new FeatureEncoder(dataset, [.. Enumerable.Range(0, 30)], true);
        var labels = dataset.Read().Labels;
        DataSplit Split(int[] rows) => new(new EncodedRows(dataset.Read(), encoder, rows), [.. rows.Select(row => labels[row])], []);
        var (train, held) = (Split([.. Enumerable.Range(0, 30).Reverse()]), Split([.. Enumerable.Range(30, 10)]));
        var shape = new DataShape(pixels, TargetKind.Classes, 2, 30, 10, 0);
        var errors = new List<SpecError>();
        var plan = RunPlan.Check(new ModelSpec { HiddenLayers = [9, 7], Activation = new ActivationSpec { Name = "tanh" } },
            new() { BatchSize = 12, Epochs = 4, Seed = 3 }, new() { EverySteps = 2 }, shape, errors);
        Assert.Empty(errors);
        var made = Run(new(shape, train, held, null));
        var given = Run(new(shape, Floats(train), Floats(held), null));
        Assert.Equal(given.WeightsSha256, made.WeightsSha256);
        Assert.Equal((given.TrainLoss, given.ValidationLoss), (made.TrainLoss, made.ValidationLoss));

        static DataSplit Floats(DataSplit split) => new(split.Rows, split.Features.All(), split.Labels, []);
        TrainingResult Run(TrainingData data)
        {
            using var trainer = new Trainer(plan!, data, cancellation: TestContext.Current.CancellationToken);
            return trainer.Run(TestContext.Current.CancellationToken);
        }
    }

    /// <summary>((x - shift) * scale), where x is a number in its unit, the median for a missing one, or 0 and 1 for a category.</summary>
    private static float[] Naive(Dataset dataset, int[] train, int[] rows, bool standardize)
    {
        var unit = 1.0 / (dataset.Card.Image?.MaxValue ?? 1);
        var table = dataset.Read();
        var cells = Enumerable.Range(0, RowCount).Select(row =>
        {
            var read = new double[table.Columns];
            table.ReadRow(row, read);
            return read;
        }).ToArray();
        double[] medians = [.. dataset.Columns.Select((_, c) =>
        {
            double[] present = [.. train.Select(row => cells[row][c]).Where(x => !double.IsNaN(x)).Order()];
            return present.Length == 0 ? 0 : (present[(present.Length - 1) / 2] + present[present.Length / 2]) / 2;
        })];
        double[][] inputs = [.. cells.Select(row => dataset.Columns.SelectMany((column, c) =>
            column.Categories is { } categories ? categories.Select((_, code) => row[c] == code ? 1.0 : 0)
                : [(double.IsNaN(row[c]) ? medians[c] : row[c]) * unit]).ToArray())];
        double[][] trained = [.. train.Select(row => inputs[row])];
        var encoded = rows.Select(_ => new float[trained[0].Length]).ToArray();
        bool[] ofCategory = [.. dataset.Columns.SelectMany(column =>
            Enumerable.Repeat(column.Categories is not null, column.EncodedWidth))];
        for (var i = 0; i < trained[0].Length; i++)
        {
            double[] values = [.. trained.Select(row => row[i])];
            double shift = 0, scale = ofCategory[i] && values.Sum() == 0 ? 0 : 1;
            if (standardize)
            {
                shift = values.Sum() / values.Length;
                var variance = values.Sum(x => (x - shift) * (x - shift)) / values.Length;
                // what differs from the commonest value
                var others = 1 - (double)values.CountBy(x => x).Max(count => count.Value) / values.Length;
                if (others < 0.05 && dataset.Card.Image is null)
                    variance = variance * (0.05 * 0.95) / (others * (1 - others));
                scale = others == 0 ? 0 : 1 / Math.Sqrt(variance);
            }
            for (var r = 0; r < rows.Length; r++)
                encoded[r][i] = (float)((inputs[rows[r]][i] - shift) * scale);
        }
        return [.. encoded.SelectMany(row => row)];
    }

    private static Storage Stored(StorageType type, int column) => type is StorageType.Float or StorageType.Double ? new(type)
        : new(type, column % 3 == 0 ? 0 : -1_000_000_007L * column, (long)Math.Pow(10, column % 4));

    private static ColumnValues Filled(Storage storage, bool missing, int codes = 250)
    {
        var (column, random) = (new ColumnValues(storage, RowCount), new SplitMix64(storage.Offset * 31 + (long)storage.Type));
        for (var row = 0; row < RowCount; row++)
            column[row] = missing && row % 7 == 3 ? double.NaN
                : storage.Type is StorageType.Float or StorageType.Double ? random.NextDouble() * 100 - 30
                : ((long)(random.NextDouble() * codes) + storage.Offset) / (double)storage.Divisor;
        return column;
    }

    private static Made Pixels(int pixels)
    {
        var random = new SplitMix64(pixels);
        byte[] bytes = [.. Enumerable.Range(0, RowCount * pixels).Select(_ => (byte)(random.NextDouble() * 256))];
        return new([.. Enumerable.Range(0, pixels).Select(c => new Column($"p{c}"))],
            new Table(pixels, bytes, [.. Enumerable.Range(0, RowCount).Select(row => row % 2)]), new(1, pixels, 255));
    }

    private sealed class Made(IReadOnlyList<Column> columns, Table table, ImageShape? image = null) : Dataset(new()
    {
        Name = "made",
        Description = "Made for a test.",
        License = "MIT",
        Source = "A test",
        Citation = "A test",
        Target = "target",
        Classes = ["0", "1"],
        Image = image,
    })
    {
        public Made(IReadOnlyList<Column> columns, IReadOnlyList<Storage> storage) : this(columns, Stored(columns, storage)) { }

        public override IReadOnlyList<Column> Columns => columns;
        public override IReadOnlyList<int> ClassCounts => [RowCount / 2, RowCount / 2];
        public override int TrainRows => RowCount;
        public override int TestRows => 0;
        public override double? TestFraction => null;
        public override int DroppedRows => 0;
        public override string Sha256 => "made";
        public override Table Read() => table;
        public override RowSplit Split() => new([.. Enumerable.Range(0, RowCount)], []);

        private static Table Stored(IReadOnlyList<Column> columns, IReadOnlyList<Storage> storage)
        {
            var alike = storage.Index().GroupBy(column => column.Item.Type).Select(group => group.ToArray()).ToArray();
            var blocks = alike.Select(group =>
            {
                var block = RowBlock.Of([.. group.Select(column => column.Item)], RowCount);
                foreach (var (at, (c, stored)) in group.Index())
                    block.Write(at, 0, Filled(stored, missing: c % 2 == 1, columns[c].Categories?.Count ?? 250).Bytes);
                return block;
            });
            return new(RowCount, [.. blocks], [.. alike.SelectMany(group => group.Select(column => column.Index))],
                [.. Enumerable.Range(0, RowCount).Select(row => row % 2)], []);
        }
    }
}
