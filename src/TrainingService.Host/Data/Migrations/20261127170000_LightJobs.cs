using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace TrainingService.Host.Data.Migrations
{
    /// <summary>
    /// Takes an index and a check from the rows of jobs, of which each cell of a sweep writes three: a template goes with its sweep and
    /// never
    /// by itself, as do the sweep's jobs, so that nobody looks for the jobs of a template.
    /// </summary>
    [DbContext(typeof(TrainingDbContext))]
    [Migration("20261127170000_LightJobs")]
    public sealed class LightJobs : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("ALTER TABLE jobs DROP CONSTRAINT fk_jobs_job_templates");
            migrationBuilder.Sql("DROP INDEX ix_jobs_sweep_id_template_number");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("CREATE INDEX ix_jobs_sweep_id_template_number ON jobs (sweep_id, template_number)");
            migrationBuilder.Sql("""
                ALTER TABLE jobs ADD CONSTRAINT fk_jobs_job_templates FOREIGN KEY (sweep_id, template_number)
                    REFERENCES job_templates (sweep_id, number) ON DELETE CASCADE
                """);
        }
    }
}
