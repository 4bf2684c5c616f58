using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// That a sweep, or a job that is none of a sweep's, has ended is told on a channel of its own, beside what tells of any change: who
    /// follows it looks at once then, and not ten times a second.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261130230000_EndsTold")]
    public sealed class EndsTold : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                CREATE FUNCTION tell_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_notify('training_ends', NEW.id::text);
                    RETURN NULL; END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER tell_end AFTER UPDATE OF finished_at ON jobs FOR EACH ROW
                    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL AND NEW.sweep_id IS NULL) EXECUTE FUNCTION tell_end()
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER tell_end AFTER UPDATE OF finished_at ON sweeps FOR EACH ROW
                    WHEN (OLD.finished_at IS NULL AND NEW.finished_at IS NOT NULL) EXECUTE FUNCTION tell_end()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER tell_end ON sweeps");
            migrationBuilder.Sql("DROP TRIGGER tell_end ON jobs");
            migrationBuilder.Sql("DROP FUNCTION tell_end()");
        }
    }
}
