using Microsoft.EntityFrameworkCore;

namespace TrainingService.Host.Data;

/// <summary>
/// All tables, each described where its rows are (an <see cref="IEntityTypeConfiguration{TEntity}"/> of the feature).
/// Names in Postgres are snake_case.
/// </summary>
public sealed class TrainingDbContext(DbContextOptions<TrainingDbContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(TrainingDbContext).Assembly);
}
