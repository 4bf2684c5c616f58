using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

public static class JobTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<Job> Jobs => db.Set<Job>();

        public DbSet<IdempotencyRecord> IdempotencyKeys => db.Set<IdempotencyRecord>();
    }

    internal sealed class OfJobs : IEntityTypeConfiguration<Job>
    {
        public void Configure(EntityTypeBuilder<Job> job)
        {
            job.ToTable("jobs").HasKey(j => j.Id);
            job.Property(j => j.Id).ValueGeneratedNever();
            job.Property(j => j.Status).Named();
            job.Property(j => j.Spec).Jsonb();
            job.Property(j => j.Request).Jsonb();
            job.Property(j => j.Findings).Jsonb();
            job.Property(j => j.Labels).Jsonb();
            job.Property(j => j.Layers).Jsonb();
            job.Property(j => j.Result).Jsonb();
            job.Property(j => j.Preflight).Jsonb();
            job.Property(j => j.Version).IsRowVersion();
            job.HasIndex(j => new { j.Status, j.Priority, j.Id });
            // A sweep asks after each of its jobs whether others are still to end.
            job.HasIndex(j => new { j.SweepId, j.FinishedAt });
        }
    }

    internal sealed class OfIdempotencyKeys : IEntityTypeConfiguration<IdempotencyRecord>
    {
        public void Configure(EntityTypeBuilder<IdempotencyRecord> record) => record.ToTable("idempotency_keys").HasKey(r => r.Key);
    }
}
