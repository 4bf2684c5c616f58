using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Sweeps : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "sweeps",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: true),
                    status = table.Column<string>(type: "text", nullable: false),
                    spec = table.Column<string>(type: "jsonb", nullable: false),
                    extended = table.Column<bool>(type: "boolean", nullable: false),
                    study = table.Column<string>(type: "text", nullable: true),
                    study_size = table.Column<string>(type: "text", nullable: true),
                    measured = table.Column<string>(type: "jsonb", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sweeps", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "sweep_cells",
                columns: table => new
                {
                    sweep_id = table.Column<Guid>(type: "uuid", nullable: false),
                    arm = table.Column<short>(type: "smallint", nullable: false),
                    candidate = table.Column<short>(type: "smallint", nullable: false),
                    seed = table.Column<long>(type: "bigint", nullable: false),
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    spec_hash = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_sweep_cells", x => new { x.sweep_id, x.arm, x.candidate, x.seed });
                    table.ForeignKey(
                        name: "fk_sweep_cells_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_sweep_cells_sweeps_sweep_id",
                        column: x => x.sweep_id,
                        principalTable: "sweeps",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_sweep_id_finished_at",
                table: "jobs",
                columns: new[] { "sweep_id", "finished_at" });

            migrationBuilder.CreateIndex(
                name: "ix_sweep_cells_job_id",
                table: "sweep_cells",
                column: "job_id");

            migrationBuilder.CreateIndex(
                name: "ix_sweeps_unfinished",
                table: "sweeps",
                column: "id",
                filter: "finished_at IS NULL");

            migrationBuilder.AddForeignKey(
                name: "fk_jobs_sweeps_sweep_id",
                table: "jobs",
                column: "sweep_id",
                principalTable: "sweeps",
                principalColumn: "id",
                onDelete: ReferentialAction.Cascade);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_jobs_sweeps_sweep_id",
                table: "jobs");

            migrationBuilder.DropTable(
                name: "sweep_cells");

            migrationBuilder.DropTable(
                name: "sweeps");

            migrationBuilder.DropIndex(
                name: "ix_jobs_sweep_id_finished_at",
                table: "jobs");
        }
    }
}
