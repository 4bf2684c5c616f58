using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Findings;
using TrainingService.Host.Hosting;
using TrainingService.Host.Jobs;
using TrainingService.Host.Metrics;

namespace TrainingService.Host.Data;

/// <summary>All tables. Names in Postgres are snake_case.</summary>
public sealed class TrainingDbContext(DbContextOptions<TrainingDbContext> options) : DbContext(options)
{
    public DbSet<Job> Jobs => Set<Job>();
    public DbSet<MetricRow> Metrics => Set<MetricRow>();
    public DbSet<LayerRow> Layers => Set<LayerRow>();
    public DbSet<UnitRow> Units => Set<UnitRow>();
    public DbSet<FindingRow> Findings => Set<FindingRow>();
    public DbSet<IdempotencyRecord> IdempotencyKeys => Set<IdempotencyRecord>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Job>(job =>
        {
            job.ToTable("jobs").HasKey(j => j.Id);
            job.Property(j => j.Id).ValueGeneratedNever();
            job.Property(j => j.Status).HasConversion(s => JsonNamingPolicy.CamelCase.ConvertName(s.ToString()), s => Enum.Parse<JobStatus>(s, true));
            Jsonb(job.Property(j => j.Spec));
            Jsonb(job.Property(j => j.Request));
            Jsonb(job.Property(j => j.Findings));
            Jsonb(job.Property(j => j.Labels));
            Jsonb(job.Property(j => j.Layers));
            Jsonb(job.Property(j => j.Result));
            Jsonb(job.Property(j => j.Preflight));
            job.Property(j => j.Version).IsRowVersion();
            job.HasIndex(j => new { j.Status, j.Priority, j.Id });
        });
        modelBuilder.Entity<MetricRow>(row =>
        {
            row.ToTable("job_metrics").HasKey(r => new { r.JobId, r.Step, r.Split });
            row.Property(r => r.Split).HasConversion<short>().HasColumnType("smallint");
            row.HasOne<Job>().WithMany().HasForeignKey(r => r.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<LayerRow>(row =>
        {
            row.ToTable("job_layers").HasKey(r => new { r.JobId, r.Step, r.Layer });
            row.HasOne<Job>().WithMany().HasForeignKey(r => r.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<UnitRow>(row =>
        {
            row.ToTable("job_units").HasKey(r => new { r.JobId, r.Layer });
            Jsonb(row.Property(r => r.Units));
            row.HasOne<Job>().WithMany().HasForeignKey(r => r.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<FindingRow>(row =>
        {
            row.ToTable("job_findings").HasKey(r => new { r.JobId, r.Rule, r.Layer });
            Jsonb(row.Property(r => r.Finding));
            row.HasOne<Job>().WithMany().HasForeignKey(r => r.JobId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<IdempotencyRecord>(record => record.ToTable("idempotency_keys").HasKey(r => r.Key));
    }

    /// <summary>The values are never changed in place, so EF need not look inside them.</summary>
    private static void Jsonb<T>(PropertyBuilder<T> property) => property.HasColumnType("jsonb").HasConversion(
        value => JsonSerializer.Serialize(value, Json.Options),
        text => JsonSerializer.Deserialize<T>(text, Json.Options)!,
        new ValueComparer<T>((a, b) => Equals(a, b), value => value!.GetHashCode()));
}
