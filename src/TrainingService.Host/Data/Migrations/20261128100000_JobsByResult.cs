using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// The results that the page of jobs is ordered by, each in order: EF knows no index of what is computed, so they stand here alone. A
    /// job has a result when it ends, so a run costs one entry in each, about 10 µs.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128100000_JobsByResult")]
    public sealed class JobsByResult : Migration
    {
        private static readonly (string Name, string Result)[] Indexes =
            [("ix_jobs_test_accuracy", "testAccuracy"), ("ix_jobs_test_loss", "testLoss"), ("ix_jobs_seconds", "seconds")];

        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            foreach (var (name, result) in Indexes)
                migrationBuilder.Sql($"CREATE INDEX {name} ON jobs (((result ->> '{result}')::float8), id) WHERE result IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            foreach (var (name, _) in Indexes)
                migrationBuilder.Sql($"DROP INDEX {name}");
        }
    }
}
