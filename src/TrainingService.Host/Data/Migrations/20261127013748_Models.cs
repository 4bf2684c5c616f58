using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Models : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "model_versions",
                columns: table => new
                {
                    name = table.Column<string>(type: "text", nullable: false),
                    version = table.Column<int>(type: "integer", nullable: false),
                    job_id = table.Column<Guid>(type: "uuid", nullable: true),
                    note = table.Column<string>(type: "text", nullable: true),
                    created_by = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_model_versions", x => new { x.name, x.version });
                    table.ForeignKey(
                        name: "fk_model_versions_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.SetNull);
                });

            migrationBuilder.CreateTable(
                name: "weights",
                columns: table => new
                {
                    sha256 = table.Column<string>(type: "text", nullable: false),
                    bytes = table.Column<long>(type: "bigint", nullable: false),
                    stored_bytes = table.Column<long>(type: "bigint", nullable: false),
                    stored_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_weights", x => x.sha256);
                });

            migrationBuilder.CreateTable(
                name: "job_models",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    sha256 = table.Column<string>(type: "text", nullable: true),
                    card = table.Column<string>(type: "jsonb", nullable: false),
                    stored_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    retired_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    retired_reason = table.Column<string>(type: "text", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_models", x => x.job_id);
                    table.ForeignKey(
                        name: "fk_job_models_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "fk_job_models_weights_sha256",
                        column: x => x.sha256,
                        principalTable: "weights",
                        principalColumn: "sha256",
                        onDelete: ReferentialAction.Restrict);
                });

            migrationBuilder.CreateTable(
                name: "weight_chunks",
                columns: table => new
                {
                    sha256 = table.Column<string>(type: "text", nullable: false),
                    part = table.Column<int>(type: "integer", nullable: false),
                    data = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_weight_chunks", x => new { x.sha256, x.part });
                    table.ForeignKey(
                        name: "fk_weight_chunks_weights_sha256",
                        column: x => x.sha256,
                        principalTable: "weights",
                        principalColumn: "sha256",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_job_models_sha256",
                table: "job_models",
                column: "sha256");

            migrationBuilder.CreateIndex(
                name: "ix_job_models_stored_at",
                table: "job_models",
                column: "stored_at");

            migrationBuilder.CreateIndex(
                name: "ix_model_versions_job_id",
                table: "model_versions",
                column: "job_id");

            // They are deflated already: Postgres would only try to compress them once more.
            migrationBuilder.Sql("ALTER TABLE weight_chunks ALTER COLUMN data SET STORAGE EXTERNAL");

            // Weights go with the last job model that refers to them, however that goes. Their row is locked first, as by whoever stores
            // equal ones, so that of two at once one sees what the other did.
            migrationBuilder.Sql("""
                CREATE FUNCTION drop_unreferenced_weights() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF OLD.sha256 IS NOT NULL THEN
                        PERFORM FROM weights WHERE sha256 = OLD.sha256 FOR UPDATE;
                        DELETE FROM weights WHERE sha256 = OLD.sha256
                            AND NOT EXISTS (SELECT FROM job_models WHERE job_models.sha256 = OLD.sha256);
                    END IF;
                    RETURN NULL;
                END $$
                """);
            migrationBuilder.Sql("""
                CREATE TRIGGER drop_unreferenced_weights AFTER DELETE OR UPDATE OF sha256 ON job_models
                FOR EACH ROW EXECUTE FUNCTION drop_unreferenced_weights()
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "job_models");

            migrationBuilder.Sql("DROP FUNCTION drop_unreferenced_weights()");

            migrationBuilder.DropTable(
                name: "model_versions");

            migrationBuilder.DropTable(
                name: "weight_chunks");

            migrationBuilder.DropTable(
                name: "weights");
        }
    }
}
