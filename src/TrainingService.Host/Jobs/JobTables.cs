using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;

namespace TrainingService.Host.Jobs;

public static class JobTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<Job> Jobs => db.Set<Job>();

        public DbSet<JobTemplate> JobTemplates => db.Set<JobTemplate>();

        public DbSet<Checkpoint> Checkpoints => db.Set<Checkpoint>();

        public DbSet<IdempotencyRecord> IdempotencyKeys => db.Set<IdempotencyRecord>();

        /// <summary>The caller's record of a key: another's is another key, for those who see all, too.</summary>
        public IQueryable<IdempotencyRecord> IdempotencyKey(string? key)
        {
            var own = View.Current.Owner;
            return db.IdempotencyKeys.Where(record => record.Key == key && record.Owner == own);
        }

        /// <summary>
        /// Answers how a job is after a change, and whether it was changed; no job if there is none. It is held meanwhile, so that a worker
        /// that claims or finishes it is either seen or waited for, and what is told of one that could not be changed is why. Another's is
        /// held, too, for as long as it takes to see that.
        /// </summary>
        public async Task<(Job? Job, bool Changed)> ChangeJobAsync(Guid id, Func<IQueryable<Job>, Task<int>> change,
            CancellationToken cancellation)
        {
            await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
            await db.Database.ExecuteSqlAsync($"SELECT FROM jobs WHERE id = {id} FOR UPDATE", cancellation);
            var changed = await change(db.Jobs.Where(job => job.Id == id));
            var found = await db.Jobs.AsNoTracking().SingleOrDefaultAsync(job => job.Id == id, cancellation);
            await transaction.CommitAsync(cancellation);
            return (found, changed > 0);
        }

        /// <summary>These jobs begin anew: at step 0, or at the checkpoint of another job that they were to begin with.</summary>
        public async Task ForgetCheckpointsAsync(IReadOnlyCollection<Job> jobs, CancellationToken cancellation)
        {
            foreach (var group in jobs.GroupBy(job => job.FromCheckpoint?.Step ?? -1))
            {
                Guid[] ids = [.. group.Select(job => job.Id)];
                await db.Checkpoints.Where(c => ids.Contains(c.JobId) && c.Step != group.Key).ExecuteDeleteAsync(cancellation);
            }
        }
    }

    internal sealed class OfJobs : IEntityTypeConfiguration<Job>
    {
        public void Configure(EntityTypeBuilder<Job> job)
        {
            job.ToTable("jobs").HasKey(j => j.Id);
            job.Property(j => j.Id).ValueGeneratedNever();
            job.Property(j => j.Status).Named();
            job.Property(j => j.Visibility).Named();
            job.Ignore(j => j.Spec);
            job.Ignore(j => j.Request);
            job.Ignore(j => j.StoresWeights);
            job.Property(j => j.OwnSpec).HasColumnName("spec").Jsonb();
            job.Property(j => j.OwnRequest).HasColumnName("request").Jsonb();
            job.HasOne(j => j.Template).WithMany().HasForeignKey(j => new { j.SweepId, j.TemplateNumber })
                .OnDelete(DeleteBehavior.Cascade).HasConstraintName("fk_jobs_job_templates");
            job.Navigation(j => j.Template).AutoInclude();
            job.Property(j => j.Findings).Measured();
            job.Property(j => j.Labels).Jsonb();
            job.Property(j => j.Layers).Measured();
            job.Property(j => j.Result).Measured();
            job.Property(j => j.Preflight).Measured();
            job.Property(j => j.FromCheckpoint).Jsonb();
            job.Property(j => j.RanSeconds).HasDefaultValue(0.0);
            job.Property(j => j.Version).IsRowVersion();
            job.HasIndex(j => new { j.Status, j.Priority, j.Id });
            // Of services with owners: each one's, newest first, with what they may have so much of; and what is shared.
            job.HasIndex(j => new { j.Owner, j.Id }).HasFilter("owner <> ''").IncludeProperties(j => new { j.SweepId, j.StoredBytes });
            job.HasIndex(j => j.Id).HasFilter("visibility = 'everyone'").HasDatabaseName("ix_jobs_shared");
            // A sweep asks after each of its jobs whether others are still to end.
            job.HasIndex(j => new { j.SweepId, j.FinishedAt });
        }
    }

    internal sealed class OfTemplates : IEntityTypeConfiguration<JobTemplate>
    {
        public void Configure(EntityTypeBuilder<JobTemplate> template)
        {
            template.ToTable("job_templates").HasKey(t => new { t.SweepId, t.Number });
            template.Property(t => t.Spec).Jsonb();
            template.Property(t => t.Request).Jsonb();
        }
    }

    internal sealed class OfCheckpoints : IEntityTypeConfiguration<Checkpoint>
    {
        public void Configure(EntityTypeBuilder<Checkpoint> row)
        {
            row.ToTable("checkpoints").HasKey(c => new { c.JobId, c.Step });
            row.HasOne<Job>().WithMany().HasForeignKey(c => c.JobId).OnDelete(DeleteBehavior.Cascade);
        }
    }

    internal sealed class OfCheckpointChunks : IEntityTypeConfiguration<CheckpointChunk>
    {
        public void Configure(EntityTypeBuilder<CheckpointChunk> row)
        {
            row.ToTable("checkpoint_chunks").HasKey(c => new { c.JobId, c.Step, c.Part });
            row.HasOne<Checkpoint>().WithMany().HasForeignKey(c => new { c.JobId, c.Step }).OnDelete(DeleteBehavior.Cascade);
        }
    }

    internal sealed class OfIdempotencyKeys : IEntityTypeConfiguration<IdempotencyRecord>
    {
        public void Configure(EntityTypeBuilder<IdempotencyRecord> record)
        {
            record.ToTable("idempotency_keys").HasKey(r => new { r.Key, r.Owner });
            record.HasIndex(r => r.CreatedAt);
        }
    }
}
