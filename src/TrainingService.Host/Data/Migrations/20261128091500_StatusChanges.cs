using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// By which transaction a job came to its status, an unmapped column that streams of a sweep's events read. Of the rows from before
    /// it is the one that adds the column, which rewrites nothing.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128091500_StatusChanges")]
    public sealed class StatusChanges : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<ulong>(name: "changed", table: "jobs", type: "xid8", nullable: false,
                defaultValueSql: "pg_current_xact_id()");
            migrationBuilder.Sql("""
                CREATE FUNCTION note_status() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    NEW.changed := pg_current_xact_id();
                    RETURN NEW; END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER note_status BEFORE UPDATE OF status ON jobs FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
                    EXECUTE FUNCTION note_status()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER note_status ON jobs");
            migrationBuilder.Sql("DROP FUNCTION note_status()");
            migrationBuilder.DropColumn(name: "changed", table: "jobs");
        }
    }
}
