using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// Those that wait, owner by owner, so that a claim finds whose turn it is without reading them all. Workers of a version before, which
    /// ask for sweeps alone, read all that wait until they are replaced.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128062000_OwnersTurns")]
    public sealed class OwnersTurns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_jobs_waiting");
            migrationBuilder.Sql("""
                CREATE INDEX ix_jobs_waiting ON jobs
                    (priority, owner, (coalesce(sweep_id, '00000000-0000-0000-0000-000000000000')), id) INCLUDE (cost, memory_bytes)
                    WHERE status = 'queued'
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_jobs_waiting");
            migrationBuilder.Sql("""
                CREATE INDEX ix_jobs_waiting ON jobs
                    (priority, (coalesce(sweep_id, '00000000-0000-0000-0000-000000000000')), id) INCLUDE (cost, memory_bytes)
                    WHERE status = 'queued'
                """);
        }
    }
}
