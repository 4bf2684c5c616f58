using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Checkpoints : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "from_checkpoint",
                table: "jobs",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<double>(
                name: "ran_seconds",
                table: "jobs",
                type: "double precision",
                nullable: false,
                defaultValue: 0.0);

            migrationBuilder.CreateTable(
                name: "checkpoints",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    epoch = table.Column<int>(type: "integer", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    rows = table.Column<long>(type: "bigint", nullable: false),
                    seconds = table.Column<double>(type: "double precision", nullable: false),
                    diagnostics_seconds = table.Column<double>(type: "double precision", nullable: false),
                    fastest_epoch_seconds = table.Column<double>(type: "double precision", nullable: true),
                    bytes = table.Column<long>(type: "bigint", nullable: false),
                    stored_bytes = table.Column<long>(type: "bigint", nullable: false),
                    engine_version = table.Column<string>(type: "text", nullable: false),
                    instruction_set = table.Column<string>(type: "text", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_checkpoints", x => new { x.job_id, x.step });
                    table.ForeignKey(
                        name: "fk_checkpoints_job_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "checkpoint_chunks",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    part = table.Column<int>(type: "integer", nullable: false),
                    data = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_checkpoint_chunks", x => new { x.job_id, x.step, x.part });
                    table.ForeignKey(
                        name: "fk_checkpoint_chunks_checkpoints_job_id_step",
                        columns: x => new { x.job_id, x.step },
                        principalTable: "checkpoints",
                        principalColumns: new[] { "job_id", "step" },
                        onDelete: ReferentialAction.Cascade);
                });

            // Numbers that were trained hardly shrink, and these are deflated: Postgres shall not try again.
            migrationBuilder.Sql("ALTER TABLE checkpoint_chunks ALTER COLUMN data SET STORAGE EXTERNAL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "checkpoint_chunks");

            migrationBuilder.DropTable(
                name: "checkpoints");

            migrationBuilder.DropColumn(
                name: "from_checkpoint",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "ran_seconds",
                table: "jobs");
        }
    }
}
