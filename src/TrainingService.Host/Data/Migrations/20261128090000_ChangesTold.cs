using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// What streams of events need: findings in the order of their changes (an unmapped column, which workers write), and a notification
    /// with each statement that changes jobs or sweeps, whoever makes it. It names the sweep, of a sweep's jobs, too; else the job.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128090000_ChangesTold")]
    public sealed class ChangesTold : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<int>(name: "number", table: "job_findings", type: "integer", nullable: false, defaultValue: 0);
            migrationBuilder.Sql("""
                UPDATE job_findings SET number = ordered.number FROM (
                    SELECT job_id, rule, layer, row_number() OVER (
                        PARTITION BY job_id ORDER BY (finding ->> 'step')::bigint, rule, layer) AS number
                    FROM job_findings) ordered
                WHERE (job_findings.job_id, job_findings.rule, job_findings.layer) = (ordered.job_id, ordered.rule, ordered.layer)
                """);
            migrationBuilder.Sql("""
                CREATE FUNCTION tell_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_notify('training_events', topic)
                        FROM (SELECT DISTINCT coalesce(sweep_id, id)::text AS topic FROM changed) topics;
                    RETURN NULL; END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER tell_jobs AFTER UPDATE ON jobs REFERENCING NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION tell_jobs()
                """);
            migrationBuilder.Sql("""
                CREATE FUNCTION tell_sweeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_notify('training_events', id::text) FROM changed;
                    RETURN NULL; END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER tell_sweeps AFTER UPDATE ON sweeps REFERENCING NEW TABLE AS changed
                    FOR EACH STATEMENT EXECUTE FUNCTION tell_sweeps()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER tell_jobs ON jobs");
            migrationBuilder.Sql("DROP FUNCTION tell_jobs()");
            migrationBuilder.Sql("DROP TRIGGER tell_sweeps ON sweeps");
            migrationBuilder.Sql("DROP FUNCTION tell_sweeps()");
            migrationBuilder.DropColumn(name: "number", table: "job_findings");
        }
    }
}
