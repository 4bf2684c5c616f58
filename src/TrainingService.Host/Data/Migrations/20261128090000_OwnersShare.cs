using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>What a job's measurements take; null of those that were stored before. The index of an owner's jobs tells
    /// what they keep.</summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261128090000_OwnersShare")]
    public sealed class OwnersShare : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(name: "stored_bytes", table: "jobs", type: "bigint", nullable: true);
            migrationBuilder.Sql("DROP INDEX ix_jobs_owner_id");
            migrationBuilder.Sql(
                "CREATE INDEX ix_jobs_owner_id ON jobs (owner, id) INCLUDE (sweep_id, stored_bytes) WHERE owner <> ''");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_jobs_owner_id");
            migrationBuilder.Sql("CREATE INDEX ix_jobs_owner_id ON jobs (owner, id) WHERE owner <> ''");
            migrationBuilder.DropColumn(name: "stored_bytes", table: "jobs");
        }
    }
}
