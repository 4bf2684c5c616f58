using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// Statistics only of columns that a plan may depend on. While sweeps run, Postgres analyzes their tables once a minute; to unpack and
    /// sort documents, arrays and measurements for that, by which nothing is looked for, took an eighth of two cores.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261129160000_LightStatistics")]
    public sealed class LightStatistics : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => Set(migrationBuilder, 0);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => Set(migrationBuilder, -1);

        private static readonly (string Table, string Columns)[] Unsought =
        [
            ("jobs", "spec request preflight layers findings result from_checkpoint error_message"),
            ("job_metrics", "epoch loss accuracy rmse r2 learning_rate gradient_norm penalty"),
            ("job_layers", "epoch sparsity off_rate dead_fraction born_dead_fraction died_fraction revived_fraction near_dead_fraction "
                + "negative_locked_fraction dormant_fraction dormant_fraction_at0 dormant_fraction_at10 saturation saturation_above95 "
                + "saturation_above99 saturated_unit_fraction mean_activation rms_activation mean_abs_activation effective_rank "
                + "gradient_rms weight_rms update_ratio slope slope_min slope_max histogram"),
            ("job_units", "units"),
            ("job_findings", "finding"),
            ("sweep_cells", "spec_hash"),
        ];

        private static void Set(MigrationBuilder migrationBuilder, int target)
        {
            foreach (var (table, columns) in Unsought)
                foreach (var column in columns.Split(' '))
                    migrationBuilder.Sql($"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target}");
            foreach (var index in (string[])["ix_jobs_seconds", "ix_jobs_test_loss", "ix_jobs_test_accuracy"])
                migrationBuilder.Sql($"ALTER INDEX {index} ALTER COLUMN 1 SET STATISTICS {target}");
        }
    }
}
