using Npgsql;

namespace TrainingService.Host.Data;

/// <summary>What clients are told when Postgres can't do its part.</summary>
public static class OutageSentences
{
    public const string DiskFull = "The disk of Postgres is full: nothing can be stored until there is room.";
    public const string ReadOnly = "Postgres is read-only, as after a failover: nothing can be stored until it is the primary again.";

    public static string Of(Exception outage) => Database.SqlState(outage) switch
    {
        PostgresErrorCodes.DiskFull => $"{DiskFull} What was accepted before is kept.",
        PostgresErrorCodes.ReadOnlySqlTransaction => $"{ReadOnly} Reading works.",
        PostgresErrorCodes.TooManyConnections => "Postgres has no connection left for this request. Try again in a few seconds.",
        _ => "The service can't reach its database. Try again in a few seconds.",
    };
}
