using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// What a job needs of a worker's memory; null of those that were stored before. The index of those that wait has it and their cost, so
    /// that places in a queue of ten thousand are told without reading as many rows.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261127203000_JobMemory")]
    public sealed class JobMemory : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(name: "memory_bytes", table: "jobs", type: "bigint", nullable: true);
            migrationBuilder.Sql("DROP INDEX ix_jobs_waiting");
            migrationBuilder.Sql("""
                CREATE INDEX ix_jobs_waiting ON jobs
                    (priority, (coalesce(sweep_id, '00000000-0000-0000-0000-000000000000')), id) INCLUDE (cost, memory_bytes)
                    WHERE status = 'queued'
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_jobs_waiting");
            migrationBuilder.Sql("""
                CREATE INDEX ix_jobs_waiting ON jobs
                    (priority, (coalesce(sweep_id, '00000000-0000-0000-0000-000000000000')), id) WHERE status = 'queued'
                """);
            migrationBuilder.DropColumn(name: "memory_bytes", table: "jobs");
        }
    }
}
