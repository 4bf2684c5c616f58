using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;

namespace TrainingService.Host.Webhooks;

public static class WebhookTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<WebhookDelivery> WebhookDeliveries => db.Set<WebhookDelivery>();
    }

    internal sealed class OfDeliveries : IEntityTypeConfiguration<WebhookDelivery>
    {
        public void Configure(EntityTypeBuilder<WebhookDelivery> delivery)
        {
            delivery.ToTable("webhook_deliveries").HasKey(d => d.Id);
            delivery.Property(d => d.Id).ValueGeneratedNever();
            delivery.Property(d => d.Status).Named();
            delivery.HasIndex(d => d.NextAt).HasFilter("next_at IS NOT NULL");
            delivery.HasIndex(d => new { d.Owner, d.Id });
            delivery.HasIndex(d => d.JobId).HasFilter("job_id IS NOT NULL");
            delivery.HasIndex(d => d.SweepId).HasFilter("sweep_id IS NOT NULL");
        }
    }
}
