using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Engine.Diagnostics;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;

namespace TrainingService.Host.Metrics;

/// <summary>
/// What a run leaves behind. All of it goes with its job, by a trigger: a foreign key would be looked up for each row that is copied, at
/// three times the price of the row, and who writes holds the job's own row anyway.
/// </summary>
public static class MetricTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<MetricRow> Metrics => db.Set<MetricRow>();

        public DbSet<LayerRow> Layers => db.Set<LayerRow>();

        public DbSet<UnitRow> Units => db.Set<UnitRow>();

        public DbSet<FindingRow> Findings => db.Set<FindingRow>();
    }

    internal sealed class OfMetrics : IEntityTypeConfiguration<MetricRow>
    {
        public void Configure(EntityTypeBuilder<MetricRow> row)
        {
            row.ToTable("job_metrics").HasKey(r => new { r.JobId, r.Step, r.Split });
            row.Property(r => r.Split).HasConversion<short>().HasColumnType("smallint");
        }
    }

    internal sealed class OfLayers : IEntityTypeConfiguration<LayerRow>
    {
        public void Configure(EntityTypeBuilder<LayerRow> row)
        {
            row.ToTable("job_layers").HasKey(r => new { r.JobId, r.Step, r.Layer });
            row.Property(r => r.Layer).HasConversion<short>();
            row.Property(r => r.Histogram).HasColumnType("real[]")
                .HasConversion(histogram => ToArray(histogram), array => ToHistogram(array));
        }
    }

    /// <summary>Lower edge, upper edge, counts by bin.</summary>
    internal static float[]? ToArray(Histogram? histogram) =>
        histogram is null ? null : [histogram.Low, histogram.High, .. histogram.Counts.Select(count => (float)count)];

    private static Histogram? ToHistogram(float[]? array) =>
        array is [var low, var high, .. var counts] ? new(low, high, [.. counts.Select(count => (int)count)]) : null;

    internal sealed class OfUnits : IEntityTypeConfiguration<UnitRow>
    {
        public void Configure(EntityTypeBuilder<UnitRow> row)
        {
            row.ToTable("job_units").HasKey(r => new { r.JobId, r.Layer });
            row.Property(r => r.Units).HasColumnType("jsonb").HasConversion(units => UnitRow.Write(units), json => UnitRow.Read(json),
                new ValueComparer<IReadOnlyList<UnitPoint>>((a, b) => Equals(a, b), units => units.GetHashCode()));
        }
    }

    internal sealed class OfFindings : IEntityTypeConfiguration<FindingRow>
    {
        public void Configure(EntityTypeBuilder<FindingRow> row)
        {
            row.ToTable("job_findings").HasKey(r => new { r.JobId, r.Rule, r.Layer });
            row.Property(r => r.Finding).Measured();
            row.HasOne<Job>().WithMany().HasForeignKey(r => r.JobId).OnDelete(DeleteBehavior.Cascade);
        }
    }
}
