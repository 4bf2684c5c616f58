using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Evidence : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "findings",
                table: "jobs",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "preflight",
                table: "jobs",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "request",
                table: "jobs",
                type: "jsonb",
                nullable: true);

            migrationBuilder.AddColumn<Guid>(
                name: "verifies",
                table: "jobs",
                type: "uuid",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "dormant_fraction",
                table: "job_layers",
                type: "real",
                nullable: false,
                defaultValue: 0f);

            migrationBuilder.AddColumn<float>(
                name: "dormant_fraction_at0",
                table: "job_layers",
                type: "real",
                nullable: false,
                defaultValue: 0f);

            migrationBuilder.AddColumn<float>(
                name: "dormant_fraction_at10",
                table: "job_layers",
                type: "real",
                nullable: false,
                defaultValue: 0f);

            migrationBuilder.AddColumn<float>(
                name: "effective_rank",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.AddColumn<float[]>(
                name: "histogram",
                table: "job_layers",
                type: "real[]",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "near_dead_fraction",
                table: "job_layers",
                type: "real",
                nullable: false,
                defaultValue: 0f);

            migrationBuilder.AddColumn<float>(
                name: "negative_locked_fraction",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "revived_fraction",
                table: "job_layers",
                type: "real",
                nullable: false,
                defaultValue: 0f);

            migrationBuilder.AddColumn<float>(
                name: "saturated_unit_fraction",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "saturation_above95",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "saturation_above99",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "slope_max",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.AddColumn<float>(
                name: "slope_min",
                table: "job_layers",
                type: "real",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "job_findings",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    rule = table.Column<string>(type: "text", nullable: false),
                    layer = table.Column<string>(type: "text", nullable: false),
                    finding = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_findings", x => new { x.job_id, x.rule, x.layer });
                    table.ForeignKey(
                        name: "fk_job_findings_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "job_units",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    layer = table.Column<short>(type: "smallint", nullable: false),
                    units = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_units", x => new { x.job_id, x.layer });
                    table.ForeignKey(
                        name: "fk_job_units_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

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
                name: "job_findings");

            migrationBuilder.DropTable(
                name: "job_units");

            migrationBuilder.DropTable(
                name: "sweep_cells");

            migrationBuilder.DropTable(
                name: "sweeps");

            migrationBuilder.DropIndex(
                name: "ix_jobs_sweep_id_finished_at",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "findings",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "preflight",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "request",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "verifies",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "dormant_fraction",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "dormant_fraction_at0",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "dormant_fraction_at10",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "effective_rank",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "histogram",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "near_dead_fraction",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "negative_locked_fraction",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "revived_fraction",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "saturated_unit_fraction",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "saturation_above95",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "saturation_above99",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "slope_max",
                table: "job_layers");

            migrationBuilder.DropColumn(
                name: "slope_min",
                table: "job_layers");
        }
    }
}
