using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Jobs;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>Found by the storm: a part of a request was stored although its beginning was lost with a connection.</summary>
public sealed class BrokenConnectionTests(Service service)
{
    [Fact]
    public async Task Of_a_transaction_whose_connection_dies_between_two_statements_nothing_is_stored_or_all()
    {
        var database = await service.CreateMigratedDatabaseAsync();
        await using (var db = new TrainingDbContext(new DbContextOptionsBuilder<TrainingDbContext>()
            .UseTrainingDatabase(database).AddInterceptors(new EndAtSavepoint(database)).Options))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
            var failure = await Record.ExceptionAsync(async () =>
            {
                db.IdempotencyKeys.Add(KeyOf("first"));
                await db.SaveChangesAsync(TestContext.Current.CancellationToken);
                await db.CopyAsync([KeyOf("second")], TestContext.Current.CancellationToken);
                await transaction.CommitAsync(TestContext.Current.CancellationToken);
            });
            await using var after = Service.Context(database);
            Assert.Equal(failure is null ? 2 : 0, await after.IdempotencyKeys.CountAsync(TestContext.Current.CancellationToken));
        }
        await service.Postgres.DropDatabaseAsync(database);
    }

    private static IdempotencyRecord KeyOf(string key) =>
        new() { Key = key, RequestHash = [], Location = "", Body = "{}", CreatedAt = DateTimeOffset.UtcNow };

    /// <summary>Ends the session just before a savepoint of it is released, whose failure EF only logs.</summary>
    private sealed class EndAtSavepoint(string database) : DbTransactionInterceptor
    {
        public override async ValueTask<InterceptionResult> ReleasingSavepointAsync(DbTransaction transaction,
            TransactionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            await using var other = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
            await other.OpenAsync(cancellationToken);
            await using var end = new NpgsqlCommand("SELECT pg_terminate_backend($1, 5000)", other);
            end.Parameters.Add(new() { Value = transaction.Connection is NpgsqlConnection { ProcessID: var id } ? id : 0 });
            await end.ExecuteNonQueryAsync(cancellationToken);
            return result;
        }
    }
}
