using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "idempotency_keys",
                columns: table => new
                {
                    key = table.Column<string>(type: "text", nullable: false),
                    request_hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    status_code = table.Column<int>(type: "integer", nullable: true),
                    location = table.Column<string>(type: "text", nullable: true),
                    body = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_idempotency_keys", x => x.key);
                });

            migrationBuilder.CreateTable(
                name: "jobs",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    name = table.Column<string>(type: "text", nullable: true),
                    status = table.Column<string>(type: "text", nullable: false),
                    spec = table.Column<string>(type: "jsonb", nullable: false),
                    dataset = table.Column<string>(type: "text", nullable: false),
                    activations = table.Column<string[]>(type: "text[]", nullable: false),
                    initializers = table.Column<string[]>(type: "text[]", nullable: false),
                    labels = table.Column<string>(type: "jsonb", nullable: false),
                    priority = table.Column<short>(type: "smallint", nullable: false),
                    sweep_id = table.Column<Guid>(type: "uuid", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    attempt = table.Column<int>(type: "integer", nullable: false),
                    lease_owner = table.Column<string>(type: "text", nullable: true),
                    lease_until = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    crashes = table.Column<int>(type: "integer", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    finished_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    epoch = table.Column<int>(type: "integer", nullable: false),
                    epochs = table.Column<int>(type: "integer", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    steps = table.Column<long>(type: "bigint", nullable: false),
                    samples_per_second = table.Column<double>(type: "double precision", nullable: true),
                    eta_seconds = table.Column<double>(type: "double precision", nullable: true),
                    layers = table.Column<string>(type: "jsonb", nullable: true),
                    result = table.Column<string>(type: "jsonb", nullable: true),
                    error_code = table.Column<string>(type: "text", nullable: true),
                    error_message = table.Column<string>(type: "text", nullable: true),
                    xmin = table.Column<uint>(type: "xid", rowVersion: true, nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_jobs", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "job_layers",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    layer = table.Column<short>(type: "smallint", nullable: false),
                    epoch = table.Column<double>(type: "double precision", nullable: false),
                    sparsity = table.Column<float>(type: "real", nullable: false),
                    off_rate = table.Column<float>(type: "real", nullable: false),
                    dead_fraction = table.Column<float>(type: "real", nullable: false),
                    born_dead_fraction = table.Column<float>(type: "real", nullable: false),
                    died_fraction = table.Column<float>(type: "real", nullable: false),
                    saturation = table.Column<float>(type: "real", nullable: false),
                    mean_activation = table.Column<float>(type: "real", nullable: false),
                    rms_activation = table.Column<float>(type: "real", nullable: false),
                    mean_abs_activation = table.Column<float>(type: "real", nullable: false),
                    gradient_rms = table.Column<float>(type: "real", nullable: false),
                    weight_rms = table.Column<float>(type: "real", nullable: false),
                    update_ratio = table.Column<float>(type: "real", nullable: true),
                    slope = table.Column<float>(type: "real", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_layers", x => new { x.job_id, x.step, x.layer });
                    table.ForeignKey(
                        name: "fk_job_layers_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "job_metrics",
                columns: table => new
                {
                    job_id = table.Column<Guid>(type: "uuid", nullable: false),
                    step = table.Column<long>(type: "bigint", nullable: false),
                    split = table.Column<short>(type: "smallint", nullable: false),
                    epoch = table.Column<double>(type: "double precision", nullable: false),
                    loss = table.Column<float>(type: "real", nullable: false),
                    accuracy = table.Column<float>(type: "real", nullable: true),
                    rmse = table.Column<float>(type: "real", nullable: true),
                    r2 = table.Column<float>(type: "real", nullable: true),
                    learning_rate = table.Column<float>(type: "real", nullable: true),
                    gradient_norm = table.Column<float>(type: "real", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_job_metrics", x => new { x.job_id, x.step, x.split });
                    table.ForeignKey(
                        name: "fk_job_metrics_jobs_job_id",
                        column: x => x.job_id,
                        principalTable: "jobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_jobs_status_priority_id",
                table: "jobs",
                columns: new[] { "status", "priority", "id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "idempotency_keys");

            migrationBuilder.DropTable(
                name: "job_layers");

            migrationBuilder.DropTable(
                name: "job_metrics");

            migrationBuilder.DropTable(
                name: "jobs");
        }
    }
}
