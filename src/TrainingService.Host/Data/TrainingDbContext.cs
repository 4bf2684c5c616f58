using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.EntityFrameworkCore;

namespace TrainingService.Host.Data;

/// <summary>
/// All tables, each described where its rows are (an <see cref="IEntityTypeConfiguration{TEntity}"/> of the feature).
/// Names in Postgres are snake_case. Of rows that have an owner, those are there that the <see cref="View"/> at hand sees.
/// </summary>
public sealed class TrainingDbContext : DbContext
{
    /// <remarks>
    /// No savepoints: nothing goes back to one, and EF (10.0) passes over a connection that dies while one is released. It then opens
    /// another, on which the rest of the transaction would be stored without its beginning.
    /// </remarks>
    public TrainingDbContext(DbContextOptions<TrainingDbContext> options)
        : base(options) => Database.AutoSavepointsEnabled = false;

    private const string Anew = "What is the context's own EF asks for anew with each query; of all else it keeps the first value.";

    /// <summary>Null for those who see all: EF then leaves the filter out of what it asks.</summary>
    [SuppressMessage("Performance", "CA1822", Justification = Anew)]
    public string? Viewer => View.Current is { SeesAll: false } view ? view.Owner : null;

    [SuppressMessage("Performance", "CA1822", Justification = Anew)]
    public bool ReadsShared => View.Current.ReadsShared;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(TrainingDbContext).Assembly);
        foreach (var row in modelBuilder.Model.GetEntityTypes().Select(type => type.ClrType).Where(typeof(IOwned).IsAssignableFrom)
            .ToList())
            GetType().GetMethod(row.IsAssignableTo(typeof(IShared)) ? nameof(FilterShared) : nameof(FilterOwned),
                BindingFlags.NonPublic | BindingFlags.Instance)!.MakeGenericMethod(row).Invoke(this, [modelBuilder]);
    }

    private void FilterOwned<T>(ModelBuilder model) where T : class, IOwned =>
        model.Entity<T>().HasQueryFilter(row => EF.Parameter(Viewer) == null || EF.Property<string>(row, nameof(IOwned.Owner)) == Viewer);

    private void FilterShared<T>(ModelBuilder model) where T : class, IShared =>
        model.Entity<T>().HasQueryFilter(row => EF.Parameter(Viewer) == null || EF.Property<string>(row, nameof(IOwned.Owner)) == Viewer
            || (ReadsShared && EF.Property<Visibility>(row, nameof(IShared.Visibility)) == Visibility.Everyone));
}
