using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;
using TrainingService.Host.Tables;

namespace TrainingService.Host.Datasets;

/// <summary>Rows that were brought, once for all names and versions that have the same.</summary>
public sealed class DatasetContent
{
    public Guid Id { get; init; }

    /// <summary>Of the schema and all rows.</summary>
    public required string Sha256 { get; init; }
    public required StoredTable Schema { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>Packed rows of a content.</summary>
public sealed class DatasetChunk
{
    public Guid ContentId { get; init; }

    /// <summary>From 0; the last has the bits of the test rows.</summary>
    public int Number { get; init; }
    public required byte[] Packed { get; init; }
}

/// <summary>A content under a name of its owner's. The version with the highest number is what the name means.</summary>
public sealed class DatasetVersion : IShared
{
    public required string Name { get; init; }
    public string Owner { get; init; } = View.Current.Owner;

    /// <summary>That of all versions of the name.</summary>
    public Visibility Visibility { get; init; }
    public int Version { get; init; }
    public Guid ContentId { get; init; }
    public required string Sha256 { get; init; }
    public required DatasetFacts Facts { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>What is told of a version beside its rows.</summary>
public sealed record DatasetFacts
{
    public string? Description { get; init; }
    public string? License { get; init; }
    public string? Source { get; init; }
    public required IReadOnlyList<DatasetFile> Files { get; init; }

    /// <summary>What was asked for: the next version is read alike unless it asks for something else.</summary>
    public TableOptions Options { get; init; } = new();
    public IReadOnlyList<TableWarning> Warnings { get; init; } = [];
}

public static class DatasetTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<DatasetContent> DatasetContents => db.Set<DatasetContent>();

        public DbSet<DatasetChunk> DatasetChunks => db.Set<DatasetChunk>();

        public DbSet<DatasetVersion> DatasetVersions => db.Set<DatasetVersion>();
    }

    internal sealed class OfContents : IEntityTypeConfiguration<DatasetContent>
    {
        public void Configure(EntityTypeBuilder<DatasetContent> content)
        {
            content.ToTable("dataset_contents").HasKey(c => c.Id);
            content.Property(c => c.Id).ValueGeneratedNever();
            content.Property(c => c.Schema).Jsonb();
            content.HasIndex(c => c.Sha256).IsUnique();
        }
    }

    internal sealed class OfChunks : IEntityTypeConfiguration<DatasetChunk>
    {
        public void Configure(EntityTypeBuilder<DatasetChunk> chunk)
        {
            chunk.ToTable("dataset_chunks").HasKey(c => new { c.ContentId, c.Number });
            chunk.HasOne<DatasetContent>().WithMany().HasForeignKey(c => c.ContentId).OnDelete(DeleteBehavior.Cascade);
        }
    }

    internal sealed class OfVersions : IEntityTypeConfiguration<DatasetVersion>
    {
        public void Configure(EntityTypeBuilder<DatasetVersion> version)
        {
            version.ToTable("dataset_versions").HasKey(v => new { v.Name, v.Owner, v.Version });
            version.Property(v => v.Visibility).Named();
            version.Property(v => v.Facts).Jsonb();
            version.HasOne<DatasetContent>().WithMany().HasForeignKey(v => v.ContentId).OnDelete(DeleteBehavior.Restrict);
            version.HasIndex(v => v.ContentId);
        }
    }
}
