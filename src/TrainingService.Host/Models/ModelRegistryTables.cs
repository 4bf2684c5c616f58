using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>A row of <c>model_versions</c>: a name of its owner's pointed to this job from then on. The latest counts.</summary>
public sealed class ModelVersion : IShared
{
    public required string Name { get; init; }
    public string Owner { get; init; } = View.Current.Owner;

    /// <summary>That of all versions of the name. Who may read it may ask its net, though the job be private.</summary>
    public Visibility Visibility { get; init; }

    /// <summary>From 1.</summary>
    public int Version { get; init; }

    /// <summary>Null once the job was deleted.</summary>
    public Guid? JobId { get; init; }
    public string? Note { get; init; }

    /// <summary>Who said so; null where access is open.</summary>
    public string? CreatedBy { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

public static class ModelRegistryTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<ModelVersion> ModelVersions => db.Set<ModelVersion>();
    }

    internal sealed class OfVersions : IEntityTypeConfiguration<ModelVersion>
    {
        public void Configure(EntityTypeBuilder<ModelVersion> row)
        {
            row.ToTable("model_versions").HasKey(v => new { v.Name, v.Owner, v.Version });
            row.Property(v => v.Visibility).Named();
            row.HasOne<Job>().WithMany().HasForeignKey(v => v.JobId).OnDelete(DeleteBehavior.SetNull);
        }
    }
}
