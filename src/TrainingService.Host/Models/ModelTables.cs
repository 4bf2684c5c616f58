using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Models;

/// <summary>A row of <c>job_models</c>: what is kept of a job's net. It goes with its job.</summary>
public sealed class JobModel
{
    public Guid JobId { get; init; }

    /// <summary>Of its weights; null once they were retired.</summary>
    public string? Sha256 { get; set; }
    public required ModelCard Card { get; init; }
    public DateTimeOffset StoredAt { get; init; }
    public DateTimeOffset? RetiredAt { get; set; }

    /// <summary>A sentence for those who ask for it.</summary>
    public string? RetiredReason { get; set; }
}

/// <summary>A row of <c>weights</c>: they go with the last job model that refers to them, by a trigger.</summary>
public sealed class StoredWeights
{
    public required string Sha256 { get; init; }

    /// <summary>Of the numbers.</summary>
    public long Bytes { get; init; }

    /// <summary>Of the chunks.</summary>
    public long StoredBytes { get; init; }
    public DateTimeOffset StoredAt { get; init; }
}

/// <summary>A row of <c>weight_chunks</c>.</summary>
public sealed class WeightChunk
{
    public required string Sha256 { get; init; }
    public int Part { get; init; }
    public required byte[] Data { get; init; }
}

public static class ModelTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<JobModel> JobModels => db.Set<JobModel>();
    }

    internal sealed class OfModels : IEntityTypeConfiguration<JobModel>
    {
        public void Configure(EntityTypeBuilder<JobModel> row)
        {
            row.ToTable("job_models").HasKey(m => m.JobId);
            row.Property(m => m.Card).Jsonb();
            row.HasIndex(m => m.StoredAt);
            row.HasOne<Job>().WithOne().HasForeignKey<JobModel>(m => m.JobId).OnDelete(DeleteBehavior.Cascade);
            row.HasOne<StoredWeights>().WithMany().HasForeignKey(m => m.Sha256).OnDelete(DeleteBehavior.Restrict);
        }
    }

    internal sealed class OfWeights : IEntityTypeConfiguration<StoredWeights>
    {
        public void Configure(EntityTypeBuilder<StoredWeights> row) => row.ToTable("weights").HasKey(w => w.Sha256);
    }

    internal sealed class OfChunks : IEntityTypeConfiguration<WeightChunk>
    {
        public void Configure(EntityTypeBuilder<WeightChunk> row)
        {
            row.ToTable("weight_chunks").HasKey(c => new { c.Sha256, c.Part });
            row.HasOne<StoredWeights>().WithMany().HasForeignKey(c => c.Sha256).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
