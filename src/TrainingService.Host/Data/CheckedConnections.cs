using System.Data.Common;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace TrainingService.Host.Data;

/// <summary>
/// A connection from the pool may have died there: if its socket has news it is asked, and if it doesn't answer another one takes its
/// place. So a backend that ended costs no request, not even one that can't be repeated.
/// </summary>
public sealed class CheckedConnections(DatabasePulse pulse) : DbConnectionInterceptor
{
    /// <summary>Dead ones in a row that are replaced.</summary>
    private const int MostDead = 100;

    public override DbConnection ConnectionCreated(ConnectionCreatedEventData eventData, DbConnection result)
    {
        pulse.Watch((NpgsqlConnection)result);
        return result;
    }

    public override InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        if (pulse.IsLost)
            throw DatabasePulse.Lost();
        return result;
    }

    public override async ValueTask<InterceptionResult> ConnectionOpeningAsync(DbConnection connection, ConnectionEventData eventData,
        InterceptionResult result, CancellationToken cancellationToken = default)
    {
        if (!await pulse.AnswersAsync(cancellationToken))
            throw DatabasePulse.Lost();
        await pulse.OpenAsync(connection, cancellationToken);
        return InterceptionResult.Suppress();
    }

    public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
    {
        for (var dead = 0; DatabasePulse.HasNews((NpgsqlConnection)connection); dead++)
            try
            {
                using var ask = Question(connection);
                ask.ExecuteNonQuery();
                return;
            }
            catch (Exception e) when (IsDead(e, dead))
            {
                connection.Close();
                connection.Open();
            }
    }

    public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData,
        CancellationToken cancellationToken = default)
    {
        for (var dead = 0; DatabasePulse.HasNews((NpgsqlConnection)connection); dead++)
            try
            {
                await using var ask = Question(connection);
                await ask.ExecuteNonQueryAsync(cancellationToken);
                return;
            }
            catch (Exception e) when (IsDead(e, dead))
            {
                await connection.CloseAsync();
                await pulse.OpenAsync(connection, cancellationToken);
            }
    }

    private bool IsDead(Exception e, int before) => before < MostDead && !pulse.IsLost && Database.IsLoss(e);

    private static DbCommand Question(DbConnection connection)
    {
        var ask = connection.CreateCommand();
        ask.CommandText = "SELECT 1";
        return ask;
    }
}
