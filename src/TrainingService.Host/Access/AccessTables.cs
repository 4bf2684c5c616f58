using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using TrainingService.Host.Data;

namespace TrainingService.Host.Access;

public static class AccessTables
{
    extension(TrainingDbContext db)
    {
        public DbSet<ApiKey> ApiKeys => db.Set<ApiKey>();

        public DbSet<AuditEntry> Audit => db.Set<AuditEntry>();
    }

    internal sealed class OfKeys : IEntityTypeConfiguration<ApiKey>
    {
        public void Configure(EntityTypeBuilder<ApiKey> key)
        {
            key.ToTable("api_keys").HasKey(k => k.Id);
            key.Property(k => k.Id).ValueGeneratedNever();
            key.Property(k => k.Scope).Named();
            key.HasIndex(k => k.Hash).IsUnique();
        }
    }

    internal sealed class OfAudit : IEntityTypeConfiguration<AuditEntry>
    {
        public void Configure(EntityTypeBuilder<AuditEntry> entry)
        {
            entry.ToTable("audit").HasKey(e => e.Id);
            entry.Property(e => e.Id).ValueGeneratedNever();
            entry.HasIndex(e => new { e.Owner, e.Id });
            entry.HasIndex(e => new { e.Target, e.Id });
        }
    }
}
