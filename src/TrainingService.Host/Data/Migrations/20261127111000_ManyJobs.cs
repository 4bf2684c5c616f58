using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// Tells the planner that what runs leave behind is of many jobs, about 1 in 50 rows of another one. By the statistics of a young
    /// database, in which a single job has run, all rows are that job's, and until the next ANALYZE each question for one job's rows would
    /// read the whole table.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261127111000_ManyJobs")]
    public sealed class ManyJobs : Migration
    {
        private static readonly string[] Tables = ["job_metrics", "job_layers", "job_units"];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var table in Tables)
                migrationBuilder.Sql($"ALTER TABLE {table} ALTER COLUMN job_id SET (n_distinct = -0.02)");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (var table in Tables)
                migrationBuilder.Sql($"ALTER TABLE {table} ALTER COLUMN job_id RESET (n_distinct)");
        }
    }
}
