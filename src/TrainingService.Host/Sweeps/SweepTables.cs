using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Sweeps;

public static class SweepTables
{
    /// <summary>A sweep, held until the transaction ends; null if there is none.</summary>
    // The condition has EF name the columns, as it does of jobs: a prepared SELECT * fails once there is another.
    public static Task<Sweep?> LockSweepAsync(this TrainingDbContext db, Guid id, CancellationToken cancellation) =>
        db.Sweeps.FromSql($"SELECT *, xmin FROM sweeps WHERE id = {id} FOR UPDATE")
            .SingleOrDefaultAsync(sweep => sweep.Id == id, cancellation);

    extension(TrainingDbContext db)
    {
        public DbSet<Sweep> Sweeps => db.Set<Sweep>();

        public DbSet<SweepCell> SweepCells => db.Set<SweepCell>();
    }

    internal sealed class OfSweeps : IEntityTypeConfiguration<Sweep>
    {
        public void Configure(EntityTypeBuilder<Sweep> sweep)
        {
            sweep.ToTable("sweeps").HasKey(s => s.Id);
            sweep.Property(s => s.Id).ValueGeneratedNever();
            sweep.Property(s => s.Status).Named();
            sweep.Property(s => s.Visibility).Named();
            sweep.Property(s => s.Spec).Jsonb();
            sweep.Property(s => s.Measured).HasColumnType("jsonb");
            sweep.Property(s => s.Version).IsRowVersion();
            sweep.HasIndex(s => s.Id).HasFilter("finished_at IS NULL").HasDatabaseName("ix_sweeps_unfinished");
            sweep.HasIndex(s => new { s.Owner, s.Id }).HasFilter("owner <> ''");
            sweep.HasOne<Job>().WithMany().HasForeignKey(s => s.BestJobId).OnDelete(DeleteBehavior.SetNull)
                .HasConstraintName("fk_sweeps_jobs_best_job_id");
            sweep.HasMany<JobTemplate>().WithOne().HasForeignKey(t => t.SweepId).OnDelete(DeleteBehavior.Cascade);
            sweep.HasMany<Job>().WithOne().HasForeignKey(j => j.SweepId).OnDelete(DeleteBehavior.Cascade);
        }
    }

    internal sealed class OfCells : IEntityTypeConfiguration<SweepCell>
    {
        public void Configure(EntityTypeBuilder<SweepCell> cell)
        {
            cell.ToTable("sweep_cells").HasKey(c => new { c.SweepId, c.Arm, c.Candidate, c.Seed });
            // named, since the other table's own name may not be known yet
            cell.HasOne<Sweep>().WithMany().HasForeignKey(c => c.SweepId).OnDelete(DeleteBehavior.Cascade)
                .HasConstraintName("fk_sweep_cells_sweeps_sweep_id");
            cell.HasOne<Job>().WithMany().HasForeignKey(c => c.JobId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
