using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// The queue in its order, for places in it: ix_jobs_waiting has owners before ids, and with statistics from when the queue was short
    /// it was chosen all the same, and read as a whole for each place.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261129033000_PlacesInQueue")]
    public sealed class PlacesInQueue : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) =>
            migrationBuilder.Sql("CREATE INDEX ix_jobs_places ON jobs (priority, id) INCLUDE (cost) WHERE status = 'queued'");

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DROP INDEX ix_jobs_places");
    }
}
