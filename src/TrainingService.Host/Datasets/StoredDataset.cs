using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using TrainingService.Host.Data;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Datasets;

/// <summary>A data set that somebody brought: a version of a name. Its rows come from the database when they are asked for.</summary>
public sealed class StoredDataset : Dataset
{
    private readonly DatasetVersion _version;
    private readonly StoredTable _schema;
    private readonly Func<int?, Task<IReadOnlyList<byte[]>>> _chunks;
    private readonly RowCache _memory;

    /// <param name="version">Under which name it is asked for.</param>
    /// <param name="schema">Of its content.</param>
    /// <param name="chunks">Reads the content's chunks, all or so many.</param>
    /// <param name="memory">Where the rows are kept.</param>
    public StoredDataset(DatasetVersion version, StoredTable schema, Func<int?, Task<IReadOnlyList<byte[]>>> chunks, RowCache memory)
        : base(CardOf(version, schema))
    {
        (_version, _schema, _chunks, _memory) = (version, schema, chunks, memory);
        Columns = [.. schema.Features.Select(f => new Column(f.Name, f.Kind == ColumnKind.Category ? f.Categories : null))];
    }

    public DatasetVersion Version => _version;
    public StoredTable Schema => _schema;

    public override object RowsKey => _version.ContentId;
    public override int RowBytes => _schema.Features.Sum(column => column.Storage.Bytes);

    public override IReadOnlyList<Column> Columns { get; }
    public override IReadOnlyList<int> ClassCounts => [.. (Card.Classes.Count > 0 ? _schema.Target.Counts ?? [] : []).Select(c => (int)c)];
    public override int TrainRows => _schema.Rows - _schema.TestRows;
    public override int TestRows => _schema.TestRows;
    public override double? TestFraction => _schema.TestFraction;
    public override bool IsStratified => _schema.Stratified;
    public override bool IsInGroups => _schema.Group is not null;
    public override bool IsInTime => _schema.Time is not null;
    public override bool HasGivenTest => _schema.Split is not SplitRule.Drawn;
    public override int DroppedRows => _schema.DroppedRows;
    public override string Sha256 => _version.Sha256;
    public override IReadOnlyList<DatasetFile> Files => _version.Facts.Files;
    public override IReadOnlyList<ColumnStatistics> Statistics =>
        [.. _schema.Features.Select(f => new ColumnStatistics((int)f.Missing, f.Min, f.Mean, f.Max))];
    public override ColumnStatistics? TargetStatistics =>
        Card.Classes.Count > 0 ? null : new(0, _schema.Target.Min, _schema.Target.Mean, _schema.Target.Max);

    public override Table Read() => Stored().Table;
    public override RowSplit Split() => Stored().Split;

    public override Table Head(int rows)
    {
        if (_memory.Find<StoredRows>(RowsKey) is { } all)
            return all.Table;
        var count = Math.Min(rows, _schema.Rows);
        var chunks = _chunks((count - 1) / _schema.ChunkRows + 1).GetAwaiter().GetResult();
        return Decode(chunks, Math.Min(_schema.Rows, chunks.Count * _schema.ChunkRows), null);
    }

    private sealed record StoredRows(Table Table, RowSplit Split);

    private StoredRows Stored() => _memory.GetOrAdd(RowsKey,
        _schema.Rows * (_schema.Columns.Sum(column => (long)column.Storage.Bytes) + 2 * sizeof(int)), Load);

    private StoredRows Load()
    {
        var chunks = _chunks(null).GetAwaiter().GetResult();
        var number = (_schema.Rows - 1) / _schema.ChunkRows + 1;
        if (chunks.Count != number + 1)
            throw new DatasetUnavailableException(
                $"the rows of '{Name}' (SHA-256 {Sha256}) are no longer stored: the data set was deleted");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var table = Decode(chunks, _schema.Rows, hash);
        var bits = new byte[(_schema.Rows + 7) / 8];
        Chunks.Unpack(chunks[number], bits);
        hash.AppendData(bits);
        if (Convert.ToHexStringLower(hash.GetHashAndReset()) != _schema.DataSha256)
            throw new InvalidDataException($"the stored rows of '{Name}' (SHA-256 {Sha256}) are damaged: upload it again");
        var (train, test) = (new int[TrainRows], new int[TestRows]);
        int trained = 0, tested = 0;
        for (var row = 0; row < _schema.Rows; row++)
            if ((bits[row / 8] & (1 << (row % 8))) != 0)
                test[tested++] = row;
            else
                train[trained++] = row;
        return new(table, new(train, test));
    }

    private Table Decode(IReadOnlyList<byte[]> chunks, int rows, IncrementalHash? hash)
    {
        var alike = _schema.Features.Index().GroupBy(feature => feature.Item.Storage.Type)
            .Select(group => group.Select(feature => feature.Index).ToArray()).ToArray();
        RowBlock[] blocks = [.. alike.Select(columns => RowBlock.Of([.. columns.Select(c => _schema.Features[c].Storage)], rows))];
        var places = alike.SelectMany((columns, block) => columns.Select((column, at) => (column, block, at)))
            .OrderBy(place => place.column).ToArray();
        var others = _schema.Columns.Skip(places.Length).Select(column => new ColumnValues(column.Storage, rows)).ToArray();
        var rowBytes = _schema.Columns.Sum(column => column.Storage.Bytes);
        var most = Math.Min(_schema.ChunkRows, rows);
        var (content, codes) = (new byte[most * rowBytes], new byte[most * sizeof(double)]);
        for (int number = 0, row = 0; row < rows; number++)
        {
            var count = Math.Min(_schema.ChunkRows, rows - row);
            Chunks.Unpack(chunks[number], content.AsSpan(0, count * rowBytes));
            var at = 0;
            foreach (var (c, column) in _schema.Columns.Index())
            {
                var size = column.Storage.Bytes;
                var part = codes.AsSpan(0, count * size);
                Chunks.Unshuffle(content.AsSpan(at, part.Length), size, part);
                hash?.AppendData(part);
                at += part.Length;
                if (c < places.Length)
                    blocks[places[c].block].Write(places[c].at, row, part);
                else
                    part.CopyTo(others[c - places.Length].Bytes[(row * size)..]);
            }
            row += count;
        }
        var (labels, values) = Card.Classes.Count > 0 ? (Whole(others[0]), []) : (Array.Empty<int>(), Numbers(others[0]));
        return new(rows, blocks, [.. alike.SelectMany(columns => columns)], labels, values)
        {
            Groups = _schema.Group is null ? [] : Whole(others[1]),
            Times = _schema.Time is null ? [] : Numbers(others[^1]),
        };

        int[] Whole(ColumnValues column) => [.. Enumerable.Range(0, rows).Select(row => (int)column[row])];
        double[] Numbers(ColumnValues column) => [.. Enumerable.Range(0, rows).Select(row => column[row])];
    }

    private static DatasetCard CardOf(DatasetVersion version, StoredTable schema) => new()
    {
        Name = version.Name,
        Description = version.Facts.Description ?? $"Uploaded from {string.Join(", ", version.Facts.Files.Select(file => file.Name))}.",
        License = version.Facts.License ?? "not stated",
        Source = version.Facts.Source ?? "uploaded",
        Citation = version.Facts.Source ?? $"{version.Name}, version {version.Version}",
        Target = schema.Target.Name,
        Classes = schema.Target.Kind == ColumnKind.Category ? schema.Target.Categories ?? [] : [],
        Image = schema.Image,
    };
}

/// <summary>Data sets in the database, by name and version.</summary>
/// <param name="databases">Where they are.</param>
/// <param name="memory">Where their rows are kept.</param>
public sealed class StoredDatasets(IDbContextFactory<TrainingDbContext> databases, RowCache memory)
{
    // What is known of them; what was asked for least recently goes first.
    private const int MostKept = 64;

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Owner, string Name, int Version, string Sha256, Visibility), (StoredDataset Dataset, long Used)>
        _kept = [];
    private long _clock;

    /// <param name="name">Of the data set.</param>
    /// <param name="sha256">Of a version; null for the latest.</param>
    /// <param name="owner">Whose; null for one's own, and else what is shared.</param>
    public StoredDataset? Find(string name, string? sha256, string? owner = null)
    {
        using var reading = View.EnterReading();
        using var db = databases.CreateDbContext();
        var found = db.DatasetVersions.AsNoTracking()
            .Where(v => v.Name == name && (sha256 == null || v.Sha256 == sha256) && (owner == null || v.Owner == owner))
            .Nearest().ThenByDescending(v => v.Version).FirstOrDefault();
        return found is null ? null : Get(db, found);
    }

    /// <summary>In the order of their bytes.</summary>
    /// <param name="owner">Whose; null for one's own, and what is shared.</param>
    public IReadOnlyList<string> Names(string? owner = null)
    {
        using var reading = View.EnterReading();
        using var db = databases.CreateDbContext();
        return [.. db.DatasetVersions.AsNoTracking().Where(v => owner == null || v.Owner == owner).Select(v => v.Name).Distinct()
            .ToList().Order(StringComparer.Ordinal)];
    }

    private StoredDataset Get(TrainingDbContext db, DatasetVersion version)
    {
        var key = (version.Owner, version.Name, version.Version, version.Sha256, version.Visibility);
        lock (_lock)
        {
            if (_kept.TryGetValue(key, out var kept))
            {
                _kept[key] = (kept.Dataset, ++_clock);
                return kept.Dataset;
            }
        }
        var schema = db.DatasetContents.AsNoTracking().Where(c => c.Id == version.ContentId).Select(c => c.Schema).Single();
        var dataset = new StoredDataset(version, schema, most => ReadAsync(version.ContentId, most), memory);
        lock (_lock)
        {
            if (_kept.TryGetValue(key, out var other))
                return other.Dataset;
            _kept[key] = (dataset, ++_clock);
            if (_kept.Count > MostKept)
                _kept.Remove(_kept.MinBy(k => k.Value.Used).Key);
        }
        return dataset;
    }

    private async Task<IReadOnlyList<byte[]>> ReadAsync(Guid content, int? most)
    {
        await using var db = await databases.CreateDbContextAsync();
        var chunks = db.DatasetChunks.AsNoTracking().Where(c => c.ContentId == content).OrderBy(c => c.Number).Select(c => c.Packed);
        return await (most is { } count ? chunks.Take(count) : chunks).ToListAsync();
    }
}
