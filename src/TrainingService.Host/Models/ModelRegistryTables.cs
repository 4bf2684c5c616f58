using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>A row of <c>model_versions</c>: a name pointed to this job from then on. The latest counts.</summary>
public sealed class ModelVersion
{
    public required string Name { get; init; }

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
            row.ToTable("model_versions").HasKey(v => new { v.Name, v.Version });
            row.HasOne<Job>().WithMany().HasForeignKey(v => v.JobId).OnDelete(DeleteBehavior.SetNull);
        }
    }
}
