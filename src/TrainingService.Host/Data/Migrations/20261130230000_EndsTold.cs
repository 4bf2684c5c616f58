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
        protected override void Up(MigrationBuilder migrationBuilder) => Tell(migrationBuilder,
            "PERFORM pg_notify('training_ends', id::text) FROM changed WHERE sweep_id IS NULL AND finished_at IS NOT NULL;",
            "PERFORM pg_notify('training_ends', id::text) FROM changed WHERE finished_at IS NOT NULL;");

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => Tell(migrationBuilder, "", "");

        private static void Tell(MigrationBuilder migrationBuilder, string endsOfJobs, string endsOfSweeps)
        {
            migrationBuilder.Sql($"""
                CREATE OR REPLACE FUNCTION tell_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_notify('training_events', topic)
                        FROM (SELECT DISTINCT coalesce(sweep_id, id)::text AS topic FROM changed) topics;
                    {endsOfJobs}
                    RETURN NULL; END $$
                """);
            migrationBuilder.Sql($"""
                CREATE OR REPLACE FUNCTION tell_sweeps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    PERFORM pg_notify('training_events', id::text) FROM changed;
                    {endsOfSweeps}
                    RETURN NULL; END $$
                """);
        }
    }
}
