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
                name: "request",
                table: "jobs",
                type: "jsonb",
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
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "job_findings");

            migrationBuilder.DropTable(
                name: "job_units");

            migrationBuilder.DropColumn(
                name: "findings",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "request",
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
