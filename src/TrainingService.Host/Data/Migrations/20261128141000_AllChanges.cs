using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// By which transaction a sweep came to its status, as of jobs, and both in that order: so the stream of all that happens finds what is
    /// new. The jobs of sweeps are not in it, and cost nothing.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128141000_AllChanges")]
    public sealed class AllChanges : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<ulong>(name: "changed", table: "sweeps", type: "xid8", nullable: false,
                defaultValueSql: "pg_current_xact_id()");
            migrationBuilder.Sql("""
                CREATE TRIGGER note_status BEFORE UPDATE OF status ON sweeps FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
                    EXECUTE FUNCTION note_status()
                """);
            migrationBuilder.Sql("CREATE INDEX ix_jobs_changed ON jobs (changed) WHERE sweep_id IS NULL");
            migrationBuilder.Sql("CREATE INDEX ix_sweeps_changed ON sweeps (changed)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_sweeps_changed");
            migrationBuilder.Sql("DROP INDEX ix_jobs_changed");
            migrationBuilder.Sql("DROP TRIGGER note_status ON sweeps");
            migrationBuilder.DropColumn(name: "changed", table: "sweeps");
        }
    }
}
