using Microsoft.EntityFrameworkCore;

namespace TrainingService.Host.Data;

/// <summary>
/// All tables, each described where its rows are (an <see cref="IEntityTypeConfiguration{TEntity}"/> of the feature).
/// Names in Postgres are snake_case.
/// </summary>
public sealed class TrainingDbContext : DbContext
{
    /// <remarks>
    /// No savepoints: nothing goes back to one, and EF (10.0) passes over a connection that dies while one is released. It then opens
    /// another, on which the rest of the transaction would be stored without its beginning.
    /// </remarks>
    public TrainingDbContext(DbContextOptions<TrainingDbContext> options)
        : base(options) => Database.AutoSavepointsEnabled = false;

    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(TrainingDbContext).Assembly);
}
