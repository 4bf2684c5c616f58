using System.Text.RegularExpressions;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Faults;

/// <summary>A process of the previous version goes on when the new one's migrations have been run.</summary>
public sealed partial class AdditiveMigrationTests
{
    [Fact]
    public void Migrations_take_nothing_away_that_a_previous_version_uses()
    {
        using var db = Service.Context("Host=nowhere");
        var migrations = db.GetService<IMigrationsAssembly>();
        var later = migrations.Migrations.Where(each => string.CompareOrdinal(each.Key, PreviousDatabase.LastMigration) > 0).ToList();
        Assert.NotEmpty(later);
        var made = new HashSet<string>();
        foreach (var (name, type) in later)
            foreach (var operation in migrations.CreateMigration(type, db.Database.ProviderName!).UpOperations)
                if (Objection(operation, made) is { } objection)
                    Assert.Fail($"{name}: {objection}: workers of the previous version may fail while this one is rolled out. Add beside "
                        + "what is there, and take away a version later.");
    }

    public static TheoryData<MigrationOperation> Breaking =>
    [
        new DropColumnOperation { Table = "jobs", Name = "cost" },
        new RenameColumnOperation { Table = "jobs", Name = "cost", NewName = "seconds" },
        new AlterColumnOperation { Table = "jobs", Name = "cost", ClrType = typeof(int) },
        new DropTableOperation { Name = "job_units" },
        new RenameTableOperation { Name = "job_units", NewName = "units" },
        new AddColumnOperation { Table = "jobs", Name = "more", ClrType = typeof(int) },
        new CreateIndexOperation { Table = "jobs", Name = "ix", Columns = ["name"], IsUnique = true },
        new AddCheckConstraintOperation { Table = "jobs", Name = "ck", Sql = "cost > 0" },
        new SqlOperation { Sql = "ALTER TABLE jobs DROP COLUMN cost" },
        new SqlOperation { Sql = "ALTER TABLE jobs ALTER COLUMN name SET NOT NULL" },
        new SqlOperation { Sql = "DROP INDEX ix; DROP TABLE job_units" },
    ];

    [Theory, MemberData(nameof(Breaking), DisableDiscoveryEnumeration = true)]
    public void What_would_break_a_previous_version_is_refused(MigrationOperation operation) => Assert.NotNull(Objection(operation, []));

    /// <summary>What is wrong with a migration's step; null if old statements go on as they did.</summary>
    /// <param name="operation">The step.</param>
    /// <param name="made">Tables that are new, of which old versions know nothing.</param>
    private static string? Objection(MigrationOperation operation, HashSet<string> made)
    {
        switch (operation)
        {
            case CreateTableOperation table:
                made.Add(table.Name);
                return null;
            case ITableMigrationOperation { Table: var table } when made.Contains(table):
            case DropIndexOperation or DropForeignKeyOperation or DropCheckConstraintOperation or DropUniqueConstraintOperation:
            case CreateIndexOperation { IsUnique: false }:
            case AddColumnOperation { IsNullable: true } or AddColumnOperation { DefaultValue: not null }
                or AddColumnOperation { DefaultValueSql: not null }:
                return null;
            case SqlOperation { Sql: var sql }:
                return sql.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .FirstOrDefault(statement => !Harmless().IsMatch(statement)
                        && !made.Any(table => statement.StartsWith($"ALTER TABLE {table} ", StringComparison.Ordinal)));
            default:
                return $"{operation.GetType().Name}{(operation as ITableMigrationOperation)?.Table.Insert(0, " of ")}";
        }
    }

    /// <summary>
    /// SQL that takes nothing away but checks and indexes; whoever writes another kind says here why it is harmless. A primary key with the
    /// owner in it refuses less than the one without, which it takes the place of. Old versions hear nothing of notifications, nor see what
    /// a trigger notes in a column or a table that they don't know. They call no function that is new.
    /// </summary>
    [GeneratedRegex(@"^(DROP INDEX \w+|CREATE INDEX \w+ ON .+|ALTER TABLE \w+ DROP CONSTRAINT \w+"
        + @"|ALTER TABLE \w+ ADD CONSTRAINT pk_\w+ PRIMARY KEY \(\w+, owner(, \w+)?\)"
        + @"|CREATE FUNCTION \w+\(\) RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN\s+(PERFORM (pg_notify|add_webhook)\(|NEW\.changed :=).+"
        + @"|CREATE FUNCTION \w+\([^()]+\)\s+RETURNS \w+ LANGUAGE sql .+|CREATE TABLE webhook_secret .+"
        + @"|RETURN (NULL|NEW)|END \$\$"
        + @"|CREATE TRIGGER ((tell|note)_\w+ AFTER|note_status BEFORE) .+|UPDATE job_findings SET number = .+"
        + @"|ALTER (TABLE|INDEX) \w+ ALTER COLUMN \w+ SET (STORAGE \w+|STATISTICS \d+|\(.+\)))$", RegexOptions.Singleline)]
    private static partial Regex Harmless();
}
