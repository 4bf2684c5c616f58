using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Groups : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<double>(
                name: "cost",
                table: "jobs",
                type: "double precision",
                nullable: false,
                defaultValue: 1.0);
            // By which workers claim: whose turn it is among those that wait, and what of theirs. EF knows no indexes on expressions.
            migrationBuilder.Sql("""
                CREATE INDEX ix_jobs_waiting ON jobs
                    (priority, (coalesce(sweep_id, '00000000-0000-0000-0000-000000000000')), id) WHERE status = 'queued'
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP INDEX ix_jobs_waiting");
            migrationBuilder.DropColumn(
                name: "cost",
                table: "jobs");
        }
    }
}
