using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Throughput : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropForeignKey(
                name: "fk_job_layers_jobs_job_id",
                table: "job_layers");

            migrationBuilder.DropForeignKey(
                name: "fk_job_metrics_jobs_job_id",
                table: "job_metrics");

            migrationBuilder.DropForeignKey(
                name: "fk_job_units_jobs_job_id",
                table: "job_units");

            migrationBuilder.AlterColumn<string>(
                name: "spec",
                table: "jobs",
                type: "jsonb",
                nullable: true,
                oldClrType: typeof(string),
                oldType: "jsonb");

            migrationBuilder.AddColumn<long>(
                name: "seed",
                table: "jobs",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<short>(
                name: "template_number",
                table: "jobs",
                type: "smallint",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "job_templates",
                columns: table => new
                {
                    sweep_id = table.Column<Guid>(type: "uuid", nullable: false),
                    number = table.Column<short>(type: "smallint", nullable: false),
                    spec = table.Column<string>(type: "jsonb", nullable: false),
                    request = table.Column<string>(type: "jsonb", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_templates", x => new { x.sweep_id, x.number });
                    table.ForeignKey(
                        name: "fk_job_templates_sweeps_sweep_id",
                        column: x => x.sweep_id,
                        principalTable: "sweeps",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_sweep_id_template_number",
                table: "jobs",
                columns: new[] { "sweep_id", "template_number" });

            migrationBuilder.AddForeignKey(
                name: "fk_jobs_job_templates",
                table: "jobs",
                columns: new[] { "sweep_id", "template_number" },
                principalTable: "job_templates",
                principalColumns: new[] { "sweep_id", "number" },
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.Sql("""
                CREATE FUNCTION drop_measured() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    DELETE FROM job_metrics USING gone WHERE job_metrics.job_id = gone.id;
                    DELETE FROM job_layers USING gone WHERE job_layers.job_id = gone.id;
                    DELETE FROM job_units USING gone WHERE job_units.job_id = gone.id;
                    RETURN NULL;
                END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER drop_measured AFTER DELETE ON jobs REFERENCING OLD TABLE AS gone
                FOR EACH STATEMENT EXECUTE FUNCTION drop_measured()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("DROP TRIGGER drop_measured ON jobs; DROP FUNCTION drop_measured()");
            migrationBuilder.Sql("""
                UPDATE jobs SET
                    spec = jsonb_set(template.spec || jsonb_build_object('name', name), '{training,seed}', to_jsonb(seed)),
                    request = jsonb_set(template.request || jsonb_build_object('name', name), '{training,seed}', to_jsonb(seed))
                FROM job_templates template
                WHERE template.sweep_id = jobs.sweep_id AND template.number = jobs.template_number AND jobs.spec IS NULL
                """);

            migrationBuilder.DropForeignKey(
                name: "fk_jobs_job_templates",
                table: "jobs");

            migrationBuilder.DropTable(
                name: "job_templates");

            migrationBuilder.DropIndex(
                name: "ix_jobs_sweep_id_template_number",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "seed",
                table: "jobs");

            migrationBuilder.DropColumn(
                name: "template_number",
                table: "jobs");

            migrationBuilder.AlterColumn<string>(
                name: "spec",
                table: "jobs",
                type: "jsonb",
                nullable: false,
                defaultValue: "",
                oldClrType: typeof(string),
                oldType: "jsonb",
                oldNullable: true);

            migrationBuilder.AddForeignKey(
                name: "fk_job_layers_jobs_job_id",
                table: "job_layers",
                column: "job_id",
                principalTable: "jobs",
                principalColumn: "id",
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.AddForeignKey(
                name: "fk_job_metrics_jobs_job_id",
                table: "job_metrics",
                column: "job_id",
                principalTable: "jobs",
                principalColumn: "id",
                onDelete: ReferentialAction.Cascade);

            migrationBuilder.AddForeignKey(
                name: "fk_job_units_jobs_job_id",
                table: "job_units",
                column: "job_id",
                principalTable: "jobs",
                principalColumn: "id",
                onDelete: ReferentialAction.Cascade);
        }
    }
}
